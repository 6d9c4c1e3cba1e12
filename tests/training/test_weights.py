"""Runs that start from the weights of another one."""

import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from caedsl.runs.errors import RunError
from caedsl.training.resume import resume
from caedsl.training.run import Run
from caedsl.training.train import train

from .tiny import model_of

BEST = "weights.safetensors"
SPEC = """
autoencoder small
input 1x8x8
data digits limit=200
encoder { conv 4 relu norm=batch; maxpool 2 }
bottleneck dense 6
decoder mirror
train { optimizer adam lr=3e-3; batch 20; epochs 4; precision fp32 }
"""


def trained(folder: Path, *changes: tuple[str, str], weights: Path | None = None) -> Run:
    text = SPEC
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return train(model_of(text), spec_text=text, out=folder, weights=weights)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return trained(tmp_path_factory.mktemp("first") / "run")


@pytest.mark.parametrize("named", ["run", "file"])
def test_a_run_starts_where_another_came_to(named: str, first: Run, tmp_path: Path) -> None:
    path = first.folder.path if named == "run" else first.folder.path / BEST
    unmoved = (("adam lr=3e-3", "sgd lr=1e-30"), ("epochs 4", "epochs 1"))
    fresh, started = trained(tmp_path / "fresh", *unmoved), trained(tmp_path / "started", *unmoved, weights=path)
    before, after = load_file(first.folder.path / BEST), load_file(started.folder.path / BEST)
    learned = [name for name in before if name.endswith(("weight", "bias"))]
    assert learned
    assert all(torch.equal(after[name], before[name]) for name in learned)
    assert started.history.epochs[0].selection_loss < 0.8 * fresh.history.epochs[0].selection_loss


def test_a_run_that_was_killed_before_it_kept_anything_starts_there_again(first: Run, tmp_path: Path) -> None:
    whole = trained(tmp_path / "whole", weights=first.folder.path)
    other = trained(tmp_path / "other", weights=first.folder.path)
    for path in (*other.folder.path.glob("checkpoint*"), other.folder.path / BEST):
        path.unlink()
    again = resume(other.folder.path)
    expected = whole.module.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in again.module.state_dict().items())
    assert [row.loss for row in again.history.epochs] == [row.loss for row in whole.history.epochs]


def test_another_architecture_is_refused(first: Run, tmp_path: Path) -> None:
    origin = re.escape(str(first.folder.path / BEST))
    message = rf"{origin} has the weights of another architecture: encoder\.0\.weight is 4x1x3x3 there, but 5x1x3x3 in the spec"
    with pytest.raises(RunError, match=message):
        trained(tmp_path / "wider", ("conv 4", "conv 5"), weights=first.folder.path)
    with pytest.raises(RunError, match=r"encoder\.0\.bias is missing there, but 4 in the spec"):
        trained(tmp_path / "plain", (" norm=batch", ""), weights=first.folder.path)
    assert not list(tmp_path.iterdir())


def test_weights_that_are_not_there_or_damaged_are_reported(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"nowhere does not exist: name a run folder"):
        trained(tmp_path / "run", weights=tmp_path / "nowhere")
    with pytest.raises(RunError, match=r"has no weights\.safetensors"):
        trained(tmp_path / "run", weights=tmp_path)
    (tmp_path / "cut.safetensors").write_bytes(b"\x08\x00")
    with pytest.raises(RunError, match=r"cut\.safetensors is not a safetensors file, or is damaged"):
        trained(tmp_path / "run", weights=tmp_path / "cut.safetensors")
