"""Runs on pairs: trained, resumed, evaluated, and used."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from caedsl.api import load, train
from caedsl.api import open as open_run
from caedsl.backends.torch.draws import Draws
from caedsl.data.errors import DataError
from caedsl.data.sample import Sample, joined
from caedsl.evaluation.evaluated_run import resume_and_evaluate
from caedsl.evaluation.reevaluation import evaluate_again
from caedsl.inference.scores import ScoreError
from caedsl.model.data import InputRange
from caedsl.model.settings import Augment, Corrupt
from caedsl.training.batches import Batches
from caedsl.training.sample import make_sample

LARGER = """autoencoder larger
input 1x4x4
target 1x8x8 in -1..1
data digits limit=200
encoder { conv 8 relu x2 }
bottleneck conv 8
decoder mirror
train { loss mse; epochs 2; batch 32; augment shift=1 flip }
"""
CLEAN = """autoencoder clean
input 1x8x8
data npy "noisy.npy" target="clean.npy"
encoder { conv 8 relu; maxpool 2 }
bottleneck
decoder mirror
train { loss mse; epochs 2; batch 16 }
"""


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("larger") / "run"
    train(LARGER, out=folder, device="cpu")
    return folder


def test_a_larger_target_is_compared_with_the_enlarged_input(larger: Path) -> None:
    metrics = json.loads((larger / "metrics.json").read_text())
    assert set(metrics["scores"]) == {"model", "input", "mean image"}
    assert metrics["pixels"] == "-1..1"
    assert any("targets are 1x8x8" in note for note in metrics["notes"])
    assert not evaluate_again(larger).differences
    resumed = resume_and_evaluate(larger, epochs=3)
    assert len(resumed.run.history.epochs) == 3 and resumed.picture is not None


def test_a_trained_run_returns_targets(larger: Path, tmp_path: Path) -> None:
    run = open_run(larger)
    made = run.reconstruct(np.zeros((3, 4, 4), np.uint8))
    assert made.shape == (3, 1, 8, 8)
    Image.fromarray(np.full((8, 12), 90, np.uint8)).save(tmp_path / "small.png")
    picture = run.reconstruct_file(tmp_path / "small.png")
    assert picture.pixels.shape == (16, 24) and picture.pixels.dtype == np.uint8 and picture.native
    with pytest.raises(ScoreError, match=r"targets of their own: 1x8x8 in -1\.\.1"):
        run.score(np.zeros((3, 4, 4), np.uint8))


def test_a_denoiser_learns_from_pairs(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    clean = random.random((120, 8, 8)).astype(np.float32)
    np.save(tmp_path / "clean.npy", clean)
    np.save(tmp_path / "noisy.npy", (clean + random.normal(0, 0.1, clean.shape)).clip(0, 1).astype(np.float32))
    (tmp_path / "spec.cae").write_text(CLEAN)
    train(tmp_path / "spec.cae", out=tmp_path / "run", device="cpu")
    scores = json.loads((tmp_path / "run" / "metrics.json").read_text())["scores"]
    assert 19 < scores["input"]["psnr"] < 22
    assert "PCA-128" not in scores or scores["PCA-128"]["mse"] > 0
    assert open_run(tmp_path / "run").score(clean[:4]).shape == (4,)


def test_batches_carry_targets_and_labels() -> None:
    x, y = torch.arange(10.0).view(10, 1, 1, 1), torch.arange(10.0).view(10, 1, 1, 1) + 100
    batches = Batches(x, torch.tensor([1, 3, 5, 7]), targets=y, labels=torch.arange(10))
    for found in (
        joined(batches.in_order(3)),
        joined(batches.shuffled(3, seed=1)),
        joined(batches.spread(2).in_order(9)),
    ):
        assert torch.equal(found.target, found.seen + 100)
        assert found.label is not None and torch.equal(found.label, found.seen.flatten().long())
    assert joined(Batches(x).in_order(3)).paired is False


def test_the_target_of_a_pair_stays_clean() -> None:
    x = torch.rand(8, 1, 6, 6)
    made = make_sample(
        Sample(2 * x, x),
        Draws(0).begin(0, 8),
        InputRange(),
        Corrupt({"gaussian": 0.3}),
        Augment({"flip": True}),
    )
    flipped = (made.target != 2 * x).flatten(1).any(1)
    assert 0 < int(flipped.sum()) < 8
    assert torch.equal(made.target, torch.where(flipped.view(-1, 1, 1, 1), 2 * x.flip(-1), 2 * x))
    assert not torch.equal(made.seen, made.target / 2)


def test_parts_of_a_sample_keep_pairs_together() -> None:
    x = torch.rand(5, 1, 2, 2)
    parts = list(Sample(-x, x, torch.arange(5)).split([2, 0, 3]))
    assert [len(part) for part in parts] == [2, 0, 3]
    assert all(torch.equal(part.target, -part.seen) for part in parts)
    assert not any(part.paired for part in Sample.of(x).split([1, 4]))


def test_the_model_says_what_it_returns() -> None:
    assert load(LARGER).paired and not load(LARGER.replace("target 1x8x8 in -1..1\n", "")).paired


def test_arrays_in_memory_may_have_targets(tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 255, (40, 8, 8), dtype=np.uint8)
    spec = CLEAN.replace('data npy "noisy.npy" target="clean.npy"\n', "target 1x16x16 in -1..1\n")
    doubled = x.repeat(2, 1).repeat(2, 2)
    done = train(spec, out=tmp_path / "run", device="cpu", images=x, targets=doubled)
    assert done.run.train.target_shape == (1, 16, 16)
    with pytest.raises(DataError, match=r"40 samples, but its targets .* are 39"):
        train(spec, images=x, targets=doubled[:39])
