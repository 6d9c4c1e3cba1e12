"""Every command on run folders that were damaged in every way: a message and an exit code, and nothing else touched."""

import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest
from torch import Tensor

from caedsl.cli.main import main
from caedsl.runs.files import CHECKPOINT, LOCK, PICTURES, TROUBLE
from caedsl.runs.tensors import read_tensors
from caedsl.training.checkpoints import Checkpoint
from caedsl.training.loop import Training
from caedsl.training.objective import Losses

from .damage import DAMAGES, forge

if sys.platform == "win32":
    pytest.skip("links, pipes and permissions are those of POSIX", allow_module_level=True)

SPEC = """autoencoder tiny
input 1x8x8
data digits limit=30
encoder { conv 2 relu; maxpool 2 }
bottleneck dense 2
decoder mirror
train { epochs 2; batch 10; optimizer adam lr=1e-2; ema 0.9; precision fp32 }
"""
TROUBLE_LINE = (
    '{"step": 1, "epoch": 1, "monitor": "dead-layer", "layer": "conv 2 relu", "setting": null, "line": 4, '
    '"message": "all its channels are 0", "remedy": "a smaller learning rate"}\n'
)
ALSO = (
    LOCK,
    ".state.json.part",
    ".spec.cae.part",
    ".history.jsonl.part",
    f"{CHECKPOINT}.new",
    f".{CHECKPOINT}.new.part",
    PICTURES,
    "tensorboard",
)
"""Names in a run folder, besides those of its files, that a command may come to use."""

COMMANDS = (
    ("runs", "{run}"),
    ("runs", "{run}", "--json"),
    ("evaluate", "{run}", "--quiet"),
    ("train", "--resume", "{run}", "--quiet"),
    ("train", "--resume", "{run}", "--epochs", "3", "--quiet"),
    ("train", "{spec}", "--weights", "{run}", "--out", "{fresh}", "--epochs", "1", "--no-pictures", "--quiet"),
)
SECONDS_A_COMMAND = 20


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run that has ended, one that was interrupted within an epoch, and the spec of both."""
    home = tmp_path_factory.mktemp("whole")
    (home / "tiny.cae").write_text(SPEC)
    runs = {"spec": home / "tiny.cae", "ended": home / "ended", "interrupted": home / "interrupted"}
    assert main(["train", str(runs["spec"]), "--out", str(runs["ended"]), "--quiet"]) == 0
    take_step = Training.take_step

    def interrupting(self: Training, images: Tensor, whole: int | None = None) -> Losses:
        if self.step == 4:
            os.kill(os.getpid(), signal.SIGTERM)
        return take_step(self, images, whole)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Training, "take_step", interrupting)
        assert main(["train", str(runs["spec"]), "--out", str(runs["interrupted"]), "--quiet"]) == 130
    for name in ("ended", "interrupted"):
        (runs[name] / TROUBLE).write_text(TROUBLE_LINE)
    return runs


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    def late(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"a command takes more than {seconds} seconds")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def fresh_outside(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    (path / "kept.txt").write_text("kept\n")
    (path / "epoch-0099.png").write_bytes(b"no picture")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_forged_checkpoints(
    whole: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], pytestconfig: pytest.Config
) -> None:
    """A checksum that fits says nothing about who wrote it."""
    end = time.monotonic() + pytestconfig.getoption("--fuzz-seconds") / 2
    chance = random.Random(pytestconfig.getoption("--fuzz-seed"))
    run, codes = tmp_path / "run", set()
    while time.monotonic() < end or not codes:
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(whole["interrupted"], run)
        tensors, header = read_tensors((run / CHECKPOINT).read_bytes())
        progress = json.loads(header["state"])
        done = forge(chance.choice((tensors, progress)), chance)
        name = progress.pop("run", "none") if isinstance(progress, dict) else ""
        progress.pop("format", None)
        (run / CHECKPOINT).write_bytes(Checkpoint(tensors, progress, str(name)).to_bytes())
        with at_most(SECONDS_A_COMMAND):
            code = main(["train", "--resume", str(run), "--quiet"])
        out, err = capsys.readouterr()
        told = f"{done}: {code}\n{out}{err}"
        assert code in (0, 1, 2), told
        assert "this is a bug" not in err and "Traceback" not in out + err, told
        codes.add(code)


def test_damaged_run_folders(
    whole: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    pytestconfig: pytest.Config,
) -> None:
    monkeypatch.delenv("CAEDSL_DEBUG", raising=False)
    end = time.monotonic() + pytestconfig.getoption("--fuzz-seconds")
    chance = random.Random(pytestconfig.getoption("--fuzz-seed"))
    outside, run, fresh = tmp_path / "outside", tmp_path / "run", tmp_path / "fresh"
    tried = 0
    while time.monotonic() < end or tried < len(COMMANDS):
        kind = chance.choice(("ended", "interrupted"))
        fresh_outside(outside)
        for folder in (run, fresh):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(whole[kind], run)
        names = [str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()]
        done = [
            (chance.choice((*names, *names, *ALSO)), chance.choice(DAMAGES)) for _ in range(chance.choice((1, 1, 2)))
        ]
        for name, damage in done:
            if (run / name).parent.is_dir() and not (run / name).parent.is_symlink():
                damage(run / name, chance, outside)
        before = contents(outside)
        words = chance.choice(COMMANDS)
        arguments = [word.format(run=run, fresh=fresh, spec=whole["spec"]) for word in words]
        with at_most(SECONDS_A_COMMAND):
            code = main(arguments)
        out, err = capsys.readouterr()
        told = f"{kind}: {[(name, damage.__name__) for name, damage in done]}: {words}: {code}\n{out}{err}"
        assert code in (0, 1, 2), told
        assert "this is a bug" not in err and "Traceback" not in out + err, told
        assert code != 2 or "caedsl: " in err, told
        assert "\x1b" not in out + err, told
        assert contents(outside) == before, told
        tried += 1
