"""A folder with a finished run and other files, and every command with arguments for it."""

import re
import shutil
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from caedsl.cli.main import main
from tests.conftest import ROOT

SPEC = """autoencoder tiny
input 1x8x8
data digits limit=30
encoder { conv 2 relu; maxpool 2 }
bottleneck variational 2
decoder mirror
train { epochs 1; batch 10; validation 20% }
"""

COMMANDS: Mapping[str, str] = {
    "--version": "",
    "--help": "",
    "check tiny.cae": "",
    "check missing.cae": "",
    "check --fix --unsafe-fixes mixed.cae": "mixed.cae",
    "fmt mixed.cae": "mixed.cae",
    "fmt --check mixed.cae": "",
    "rule overcomplete": "",
    "show tiny.cae": "",
    "graph tiny.cae": "tiny.svg",
    "emit tiny.cae": "",
    "emit tiny.cae -o net.py": "net.py",
    "data tiny.cae": "",
    "data tiny.cae -o data.png": "data.png",
    "train tiny.cae --out new": "new",
    "train tiny.cae": "runs",
    "train --resume run --epochs 2": "run",
    "doctor tiny.cae --budget 1s --html why.html": "why.html",
    "evaluate run": "",
    "report run": "run",
    "compare run run": "",
    "reconstruct run images -o clean": "clean",
    "encode run -o made.npz": "made.npz",
    "encode run images -o made.csv": "made.csv",
    "decode run codes.npy -o decoded": "decoded",
    "sample run -n 3 -o samples": "samples",
    "calibrate run --fpr 40%": "run",
    "score run images": "",
    "score run images --csv scores.csv --maps maps": "scores.csv maps",
    "export run -o shared": "shared",
    "export run -o net.pt2": "net.pt2",
    "runs .": "",
    "runs . --json": "",
    "import net.keras -o net.cae": "net.cae",
    "new fresh": "fresh.cae",
}
"""Every command, and the names of what it may write in the current folder."""


def words_of(command: str, bad: str = "") -> list[str]:
    """Return the words of a command, without the quotes around some, with ``bad`` in the place for it."""
    return [word.strip("'").format(bad=bad) for word in re.findall(r"'[^']*'|\S+", command)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a run and other files that are in order."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "tiny.cae").write_text(SPEC)
    (folder / "mixed.cae").write_text(SPEC.replace("conv 2 relu", "cnov  2  relu"))
    chance = np.random.default_rng(0)
    np.save(folder / "codes.npy", np.zeros((3, 2), np.float32))
    np.save(folder / "images.npy", chance.random((3, 8, 8), np.float32))
    (folder / "images").mkdir()
    for number in range(3):
        Image.fromarray(chance.integers(0, 256, (8, 8), np.uint8)).save(folder / "images" / f"{number}.png")
    shutil.copy(next((ROOT / "tests/importing/keras/files").glob("*.keras")), folder / "net.keras")
    assert main(["train", str(folder / "tiny.cae"), "--out", str(folder / "run"), "--quiet"]) == 0
    return folder


@pytest.fixture
def new_place(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Path]:
    """Return a function that makes a fresh copy of that folder the current one."""
    numbers = count()

    def copied() -> Path:
        folder = tmp_path / f"c{next(numbers)}"
        shutil.copytree(whole, folder)
        monkeypatch.chdir(folder)
        return folder

    return copied


@pytest.fixture
def place(new_place: Callable[[], Path]) -> Path:
    """Return a fresh copy of that folder, which is the current one."""
    return new_place()
