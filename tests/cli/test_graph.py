"""``caedsl graph`` with options of the look, as a person uses it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT, Ran

SPEC = ROOT / "specs" / "mnist_mirror.cae"


def test_the_look_is_that_of_the_options(caedsl: Callable[..., Ran], tmp_path: Path) -> None:
    path = tmp_path / "figure.svg"
    assert caedsl("graph", SPEC, "-o", path, "--width", 25.4, "--no-title", "--grey").code == 0
    text = path.read_text("utf-8")
    assert ' width="960" ' in text
    assert ">mnist_mirror</text>" not in text
    assert "#cfe4f2" not in text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--width", 1], ["1 cm", "7 points", "larger width"]),
        (["--width", 8, "--font-size", 40], ["40 points", "smaller font size"]),
        (["--width", -3], ["above 0", "-3"]),
        (["--font-size", "nan"], ["font size", "nan"]),
        (["--style", "blocks", "--width", 8, "--font-size", 8], ["not both"]),
        (["--width", "wide"], ["wide"]),
    ],
)
def test_a_look_that_cannot_be_is_refused(
    options: list[object], words: list[str], caedsl: Callable[..., Ran], tmp_path: Path
) -> None:
    ran = caedsl("graph", SPEC, "-o", tmp_path / "figure.svg", *options)
    assert ran.code == 2
    assert all(word in ran.err for word in words), ran.err
    assert not list(tmp_path.iterdir())
