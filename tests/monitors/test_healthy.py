"""The shipped specs, cut down to digits of 8x8 pixels and a quarter of their channels: no monitor reports anything."""

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT

from .runs import watched

CUT = ("digits", "mnist_mirror", "keras_io", "denoise", "mnist_pitfalls", "mnist_wide", "mnist_l2")


def cut_down(name: str, seed: int) -> str:
    text = (ROOT / "specs" / f"{name}.cae").read_text("utf-8")
    text = re.sub(r"require \{[^\n]*\}|require \{\n.*?\n\}", "", text, flags=re.DOTALL)
    for old, new in (("1x28x28", "1x8x8"), ("mnist else digits", "digits"), ("x7x7", "x2x2"), ("x14x14", "x4x4")):
        text = text.replace(old, new)
    text = re.sub(r"\b(conv|deconv|bottleneck) (16|32|64)\b", lambda found: f"{found[1]} {int(found[2]) // 4}", text)
    text = re.sub(r"\bbottleneck (16|32)x", lambda found: f"bottleneck {int(found[1]) // 4}x", text)
    text = re.sub(r"\bbatch +\d+", f"batch 64; seed {seed}; precision fp32", text)
    return re.sub(r"\bepochs +\d+", "epochs 10", text)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", CUT)
def test_a_shipped_spec_is_no_trouble(name: str, seed: int, tmp_path: Path) -> None:
    ran = watched(cut_down(name, seed), tmp_path / "run")
    assert ran.run is not None, ran.error
    assert ran.run.history.epochs[-1].step > 200
    assert ran.record == []
