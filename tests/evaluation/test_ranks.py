"""Signals and volumes through a whole run, and their results."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import caedsl
from caedsl.evaluation.evaluated_run import EvaluatedRun, resume_and_evaluate, train_and_evaluate
from caedsl.evaluation.reconstructions import MARGIN, PictureRow, sheet
from caedsl.evaluation.reevaluation import evaluate_again
from caedsl.inference.output_folder import new_files
from caedsl.inference.pictures import heat, write_decoded
from caedsl.inference.scores import ScoreError
from caedsl.training.pixel_range import PixelRange
from tests.training.tiny import model_of

from .test_run import Listening

SPEC = """
autoencoder small
input INPUT
data npy "DATA"
encoder { conv 4 kKERNEL relu norm=batch; maxpool POOL; conv 4 kKERNEL relu }
bottleneck dense 3
decoder mirror
train { batch 16; epochs 2; precision fp32; corrupt gaussian=0.05 masking=5%; MORE }
"""
SIGNAL = {"INPUT": "1x24", "KERNEL": "3", "POOL": "2"}
ROW = {"INPUT": "1x1x24", "KERNEL": "1x3", "POOL": "1x2"}
VOLUME = {"INPUT": "2x4x6x6", "KERNEL": "3", "POOL": "2"}


def written(folder: Path, values: dict[str, str], more: str = "") -> str:
    """Return a spec with these values, next to samples of its input's shape."""
    shape = tuple(map(int, values["INPUT"].split("x")))
    waves = np.sin(np.arange(np.prod(shape)) / 3 + np.random.default_rng(0).uniform(0, 6, (64, 1)))
    np.save(folder / "x.npy", (0.5 + 0.4 * waves).reshape(64, *shape).astype(np.float32))
    text = SPEC.replace("MORE", more).replace("DATA", str(folder / "x.npy"))
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def run(folder: Path, values: dict[str, str], more: str = "", reporter: Listening | None = None) -> EvaluatedRun:
    folder.mkdir(exist_ok=True)
    text = written(folder, values, more)
    return train_and_evaluate(model_of(text), spec_text=text, out=folder / "run", reporter=reporter, device="cpu")


def test_a_signal_trains_as_the_image_of_one_row_that_it_is(tmp_path: Path) -> None:
    signal, row = run(tmp_path / "signal", SIGNAL), run(tmp_path / "row", ROW)
    for one, other in zip(signal.run.history.epochs, row.run.history.epochs, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=1e-4)
        assert one.validation == pytest.approx(other.validation, rel=1e-4)
    for name, scores in signal.evaluation.scores.items():
        same = row.evaluation.scores[name]
        assert (scores.mse, scores.mae, scores.psnr) == pytest.approx((same.mse, same.mae, same.psnr), rel=1e-3)
        assert scores.ssim is None
        assert same.ssim is not None


@pytest.mark.parametrize(("values", "noun"), [(SIGNAL, "signal"), (VOLUME, "volume")], ids=["signal", "volume"])
def test_the_summary_names_the_samples_and_leaves_ssim_out(values: dict[str, str], noun: str, tmp_path: Path) -> None:
    reporter = Listening()
    run(tmp_path, values, "augment flip shift=1 scale=10% crop=5% jitter=0.01", reporter)
    assert reporter.rows[0] == ["", "MSE", "PSNR dB"]
    assert [row[0] for row in reporter.rows[1:]] == [
        "model",
        "corrupted input",
        f"mean {noun}",
        "PCA-3",
        "median filter",
        "Gaussian blur",
    ]
    assert any(f"on 6 validation {noun}s, values in 0..1" in line for line in reporter.lines)
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["scores"]["model"]["ssim"] is None


@pytest.mark.parametrize("values", [SIGNAL, VOLUME], ids=["signal", "volume"])
def test_a_run_is_resumed_evaluated_again_and_used(values: dict[str, str], tmp_path: Path) -> None:
    evaluated = run(tmp_path, values)
    folder = tmp_path / "run"
    assert evaluate_again(folder).differences == ()
    resumed = resume_and_evaluate(folder, epochs=3)
    assert len(resumed.run.history.epochs) == 3
    with Image.open(evaluated.picture) as picture, Image.open(folder / "pictures" / "epoch-0001.png") as epoch:
        assert 400 < picture.width <= 1100
        assert epoch.width <= 640
    opened = caedsl.open(folder)
    array = np.load(tmp_path / "x.npy")
    assert opened.encode(tmp_path / "x.npy").shape == (64, 3)
    assert opened.reconstruct(array).shape == array.shape
    assert np.array_equal(opened.encode(torch.from_numpy(array)).numpy(), opened.encode(array))
    for kind in ("mse", "mae", "top=10%", "latent", "blurmax"):
        assert np.isfinite(opened.score(array, kind)).all()
    with pytest.raises(ScoreError, match=r"ssim compares images, but this model is for (signals|volumes): use `mse`"):
        opened.score(array, "ssim")
    (tmp_path / "decoded").mkdir()
    with new_files(tmp_path / "decoded") as folder:
        write_decoded(folder, ["a", "b/c"], opened.reconstruct(array[:2]), opened.fit)
    assert sorted(path.name for path in (tmp_path / "decoded").rglob("*.png")) == ["a.png", "c.png"]


def test_a_plot_shows_the_signal_and_the_original_below_it() -> None:
    flat, high = torch.full((2, 1, 50), 0.25), torch.full((2, 1, 50), 0.75)
    drawn = sheet([PictureRow("original", flat), PictureRow("reconstruction", high)], PixelRange(0.0, 1.0))
    plots = np.asarray(drawn)[:, 30 : drawn.width // 2 - 30].astype(int)
    red = np.flatnonzero(((plots[..., 0] - plots[..., 1]) > 80).mean(axis=1) > 0.5)
    dark = np.flatnonzero((plots.max(axis=-1) < 120).mean(axis=1) > 0.5)
    faint = np.flatnonzero(((plots.max(axis=-1) < 235) & (plots.min(axis=-1) > 120)).mean(axis=1) > 0.5)
    assert len(red)
    assert len(dark)
    assert dark.max() < red.min() < faint.max()


def test_signals_of_another_part_are_not_drawn_over_the_first() -> None:
    low, high = torch.full((1, 1, 32), 0.2), torch.full((1, 1, 32), 0.8)
    rows = [PictureRow("train", low, others=True), PictureRow("test", high, others=True)]
    over = sheet([rows[0], rows[1]._replace(others=False)], PixelRange(0.0, 1.0))
    alone, own = sheet(rows, PixelRange(0.0, 1.0)), sheet(rows[1:], PixelRange(0.0, 1.0))
    height = own.height - 24  # the lower margin
    last = alone.crop((0, alone.height - own.height + 24, alone.width, alone.height - 24))
    assert last.tobytes() == own.crop((0, 24, own.width, height)).tobytes()
    assert over.tobytes() != alone.tobytes()


def test_the_middle_slice_of_a_volume_is_shown() -> None:
    x = torch.zeros(1, 1, 5, 4, 4)
    x[0, 0, 2] = 1
    drawn = sheet([PictureRow("original", x)], PixelRange(0.0, 1.0))
    assert drawn.getpixel((drawn.width // 2, drawn.height // 2)) == (255, 255, 255)
    assert heat(x[0, 0]).shape == (4, 4, 3)
    assert heat(x[0, 0]).min() > 0
    assert heat(torch.linspace(0, 1, 40)).shape == (32, 40, 3)


@pytest.mark.parametrize("detail", ["", "short", "a name of a file.png, " * 20, "x" * 500])
def test_names_beside_a_row_end_within_the_picture(detail: str) -> None:
    drawn = sheet([PictureRow("train", torch.zeros(6, 1, 8, 8), detail)], PixelRange(0.0, 1.0))
    assert (np.asarray(drawn)[:, 2 - MARGIN :] == 255).all()  # the frame of the last sample is in the margin
