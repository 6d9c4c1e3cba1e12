"""The command: on specs, and what it says of bad input."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran, caedsl

from .subjects import HEALTHY

__all__ = ["caedsl"]

Run = Callable[..., Ran]


@pytest.fixture
def spec(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "spec.cae"
        path.write_text(text)
        return path

    return write


def test_a_healthy_spec(caedsl: Run, spec: Callable[[str], Path]) -> None:
    ran = caedsl("doctor", spec(HEALTHY), "--budget", "20s")
    assert ran.code == 0, ran.out
    assert "healthy" in ran.out
    assert "memorising 16 images" in ran.err


def test_a_rate_that_is_too_low_is_named_repaired_and_fixed(
    caedsl: Run, spec: Callable[[str], Path], tmp_path: Path
) -> None:
    path = spec(HEALTHY.replace("3e-3", "1e-6"))
    ran = caedsl("doctor", path, "--budget", "30s", "--format", "json", "--html", tmp_path / "why.html", "--fix")
    assert ran.code == 1, ran.err
    found = json.loads(ran.out)
    assert found["causes"][0]["cause"] == "low-learning-rate"
    assert found["causes"][0]["place"].startswith(f"{path}:7")
    (repair,) = [one for one in found["repairs"] if one["cause"] == "low-learning-rate"]
    assert len(repair["seeds"]) == len(repair["left_before"]) == len(repair["left_after"]) >= 2
    assert max(repair["left_after"]) < min(repair["left_before"])
    assert "lr=1e-6" not in path.read_text()
    assert caedsl("check", path, "--quiet").code == 0
    page = (tmp_path / "why.html").read_text()
    assert page.count("<svg") >= 3
    assert "low-learning-rate" in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")


@pytest.mark.parametrize(
    ("text", "arguments", "says"),
    [
        (HEALTHY.replace("data digits\n", ""), (), "no `data` line"),
        (HEALTHY[: HEALTHY.index("train")], (), "no `train` block"),
        (HEALTHY.replace("digits", 'npy "none.npy"'), (), "none.npy"),
        (HEALTHY, ("--budget", "soon"), "--budget soon"),
        (HEALTHY, ("--fix", "--set", "train.batch=8"), "--fix"),
        (HEALTHY.replace("digits", "digits limit=8"), (), "16 are needed"),
    ],
)
def test_bad_input_is_one_error(
    caedsl: Run, spec: Callable[[str], Path], text: str, arguments: tuple[str, ...], says: str
) -> None:
    ran = caedsl("doctor", spec(text), *arguments, "--quiet")
    assert ran.code == 2, ran
    assert says in ran.err
    assert ran.out == ""


def test_a_spec_that_cannot_be_built(caedsl: Run, spec: Callable[[str], Path]) -> None:
    ran = caedsl("doctor", spec(HEALTHY.replace("reshape 1x8x8", "reshape 1x4x16")), "--quiet")
    assert ran.code == 1
    assert "output-shape" in ran.err


def test_no_such_file(caedsl: Run, tmp_path: Path) -> None:
    ran = caedsl("doctor", tmp_path / "none.cae")
    assert ran.code == 2
    assert "none.cae" in ran.err
