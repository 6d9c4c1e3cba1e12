"""Every command handles damaged run folders with a message and an exit code, and changes nothing else."""

import json
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import numpy as np
import pytest
from PIL import Image
from torch import Tensor

import caedsl
from caedsl.cli.main import main
from caedsl.runs.errors import RunError
from caedsl.runs.file_names import CHECKPOINT, LOCK, PICTURES, TROUBLE
from caedsl.runs.tensors import read_tensors
from caedsl.training.checkpoints import Checkpoint
from caedsl.training.loop import Training
from caedsl.training.objective import Losses
from tests.cli.test_fuzzed_specs import MOST_BYTES, peak_memory, reset_peak_memory

from .damage import DAMAGES, forge

if sys.platform == "win32":
    pytest.skip("links, pipes and permissions are those of POSIX", allow_module_level=True)

SPEC = """autoencoder tiny
input 1x8x8
data digits limit=30
encoder { conv 2 relu; maxpool 2 }
bottleneck variational 2
decoder mirror
train { epochs 2; batch 10; optimizer adam lr=1e-2; ema 0.9; precision fp32; validation 20% }
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
    ("evaluate", "{run}", "--probe", "--quiet"),
    ("evaluate", "{run}", "--test", "{labelled}", "--quiet"),
    ("calibrate", "{run}", "--fpr", "40%"),
    ("reconstruct", "{run}", "{images}", "-o", "{fresh}", "--error-maps"),
    ("encode", "{run}", "-o", "{fresh}/codes.csv"),
    ("encode", "{run}", "{images}", "-o", "{fresh}/codes.npz"),
    ("decode", "{run}", "{codes}", "-o", "{fresh}"),
    ("score", "{run}", "{images}", "--maps", "{fresh}"),
    ("sample", "{run}", "-o", "{fresh}", "-n", "3"),
    ("export", "{run}", "-o", "{fresh}/model.pt2"),
    ("export", "{run}", "-o", "{fresh}"),
    ("report", "{run}"),
    ("report", "{run}", "-o", "{fresh}/report.html"),
    ("compare", "{run}", "{ended}"),
    ("doctor", "{run}", "--budget", "1s", "--quiet"),
)
SECONDS_A_COMMAND = 600
"""A command that hangs takes longer, on a loaded machine too."""
MOST_SECONDS = 15.0
"""Processor time of a command: the first one imports what it needs, and the doctor takes its second."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a finished run, one interrupted within an epoch, and other files that commands read."""
    home = tmp_path_factory.mktemp("whole")
    (home / "tiny.cae").write_text(SPEC)
    names = {"spec": "tiny.cae", "codes": "codes.npy", "images": "labelled/good"}
    runs = {name: home / names.get(name, name) for name in ("ended", "interrupted", "labelled", *names)}
    np.save(runs["codes"], np.zeros((3, 2), np.float32))
    for number, kind in enumerate(("good", "good", "odd", "odd")):
        path = runs["labelled"] / kind / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), 50 * number).save(path)
    assert main(["train", str(runs["spec"]), "--out", str(runs["ended"]), "--quiet"]) == 0
    assert main(["calibrate", str(runs["ended"]), "--fpr", "40%"]) == 0
    assert main(["evaluate", str(runs["ended"]), "--test", str(runs["labelled"]), "--quiet"]) == 0
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
    """A matching checksum does not prove who wrote the file."""
    end = time.monotonic() + pytestconfig.getoption("--fuzz-seconds") / 2
    chance = random.Random(pytestconfig.getoption("--fuzz-seed"))
    run, codes = tmp_path / "run", set()
    while time.monotonic() < end or not codes:
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(whole["interrupted"], run)
        tensors, header = read_tensors((run / CHECKPOINT).read_bytes(), 1000)
        progress = json.loads(header["state"])
        done = forge(chance.choice((tensors, progress)), chance)
        name = progress.pop("run", "none") if isinstance(progress, dict) else ""
        progress.pop("format", None)
        (run / CHECKPOINT).write_bytes(Checkpoint(tensors, progress, str(name)).to_bytes())
        memory = reset_peak_memory()
        with at_most(SECONDS_A_COMMAND):
            code = main(["train", "--resume", str(run), "--quiet"])
        memory = peak_memory() - memory
        out, err = capsys.readouterr()
        told = f"{done}: {code}, {memory:,} bytes\n{out}{err}"
        assert code in (0, 1, 2) and memory < MOST_BYTES, told
        assert "this is a bug" not in err and "Traceback" not in out + err, told
        codes.add(code)


@pytest.mark.parametrize("states", [1, [1], [[]], {"a": 1}])
def test_forged_states_of_callbacks(
    states: object, whole: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    shutil.copytree(whole["interrupted"], run)
    tensors, header = read_tensors((run / CHECKPOINT).read_bytes(), 1000)
    progress = json.loads(header["state"])
    name = progress.pop("run")
    progress.pop("format")
    progress["callbacks"] = {"Other": states}
    (run / CHECKPOINT).write_bytes(Checkpoint(tensors, progress, name).to_bytes())
    assert main(["train", "--resume", str(run), "--quiet"]) == 2
    assert "written by another version of caedsl" in capsys.readouterr().err


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
    answers: Counter[int] = Counter()
    while time.monotonic() < end or answers.total() < len(COMMANDS):
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
        arguments = [word.format(run=run, fresh=fresh, **whole) for word in words]
        memory, start = reset_peak_memory(), time.process_time()
        with at_most(SECONDS_A_COMMAND):
            code = main(arguments)
        seconds, memory = time.process_time() - start, peak_memory() - memory
        out, err = capsys.readouterr()
        told = f"{kind}: {[(name, damage.__name__) for name, damage in done]}: {words}: {code}\n{out}{err}"
        assert code in (0, 1, 2), told
        assert seconds < MOST_SECONDS and memory < MOST_BYTES, f"{seconds:.1f} s, {memory:,} bytes: {told}"
        assert "this is a bug" not in err and "Traceback" not in out + err, told
        assert code != 2 or "caedsl: " in err, told
        assert "\x1b" not in out + err, told
        assert contents(outside) == before, told
        answers[code] += 1
        with suppress(RunError):
            opened = caedsl.open(run)
            assert opened.encode(whole["images"]).shape == (2, 2), told
            assert opened.calibration is None or opened.calibration.normals, told
        assert contents(outside) == before, told
    print(f"{answers.total()} damaged run folders: exit codes {dict(answers)}")
