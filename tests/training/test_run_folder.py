"""The run folder: fresh, whole, and clear about what it cannot do."""

import errno
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from caedsl.runs.errors import RunError
from caedsl.runs.run_folder import RunFolder

from .tiny import tiny

PLAIN = """
autoencoder plain
input 1x8x8
data digits limit=300
encoder { dense 100 relu }
bottleneck dense 8
decoder { dense 100 relu; dense 64 sigmoid; reshape 1x8x8 }
train { epochs 2 }
"""


def test_every_run_gets_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "strftime", lambda form: "20300102-030405")
    paths = [RunFolder.create("net", base=tmp_path / "runs").path.name for _ in range(3)]
    assert paths == ["net-20300102-030405", "net-20300102-030405-2", "net-20300102-030405-3"]


def test_a_named_folder_must_be_new_or_empty(tmp_path: Path) -> None:
    assert RunFolder.create("net", tmp_path / "a" / "b").path.is_dir()
    RunFolder.create("net", tmp_path / "a" / "b").write_text("x.txt", "x")
    with pytest.raises(RunError, match=r"a/b is not empty: choose another"):
        RunFolder.create("net", tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b" / "x.txt").read_text() == "x"


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "inside"):
        with pytest.raises(RunError, match=r"cannot make the run folder .*file.*--out"):
            RunFolder.create("net", out)
    with pytest.raises(RunError, match="cannot make the run folder"):
        RunFolder.create("net", base=tmp_path / "file")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_a_clear_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(RunError, match="permission denied"):
        RunFolder.create("net", tmp_path / "inside")


def test_a_full_disk_leaves_the_old_file_and_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder.create("net", tmp_path / "run")
    folder.write_text("history.csv", "old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match=r"cannot write .*history.csv: no space left on device"):
        folder.write_text("history.csv", "new")
    assert [path.name for path in folder.path.iterdir()] == ["history.csv"]
    assert (folder.path / "history.csv").read_text() == "old"


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits on the size of files")
@pytest.mark.parametrize(("room", "kept"), [(30_000, "could not be saved"), (110_000, "are in run")])
def test_a_disk_that_takes_no_more_is_reported_with_what_is_left(
    room: int, kept: str, tmp_path: Path, python: str
) -> None:
    """A checkpoint takes three times as much as the weights."""
    (tmp_path / "plain.cae").write_text(PLAIN, "utf-8")
    script = f"""
import resource, sys
from caedsl.cli.main import main
resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))
sys.exit(main())
"""
    command = [python, "-c", script, "train", "plain.cae", "--out", "run", "--no-pictures", "--quiet"]
    # Python does not notice that it writes only a part of a file with byte code, and fails the next time.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 2
    assert re.search(rf"cannot write run/\S+: file too large.*; the best weights before it {kept}\n$", ran.stderr)
    assert (tmp_path / "run" / "weights.safetensors").exists() == (kept == "are in run")
    assert '"state": "failed"' in (tmp_path / "run" / "state.json").read_text()
    assert not [path.name for path in (tmp_path / "run").iterdir() if path.suffix in (".part", ".new")]


def test_a_folder_that_vanishes_is_a_clear_error(tmp_path: Path) -> None:
    folder = RunFolder.create("net", tmp_path / "run")
    folder.path.rmdir()
    with pytest.raises(RunError, match="no such file or directory"):
        folder.write_json("metrics.json", {})


def test_weights_read_back_as_they_were(tmp_path: Path) -> None:
    module = tiny().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    state = {name: value.contiguous() for name, value in module.state_dict().items()}
    path = RunFolder.create("net", tmp_path / "run").write_weights("weights.safetensors", state)
    read = load_file(path)
    assert read.keys() == state.keys()
    assert all(torch.equal(read[name], state[name]) for name in state)


def test_new_weights_leave_no_results_of_others(tmp_path: Path) -> None:
    """A threshold is not removed, but refused when it is used: it may have been set on normals that are gone."""
    folder, results = RunFolder.create("net", tmp_path), {"anomalies.json", "anomalies.csv", "sweep.json"}
    first, second = {"x": torch.zeros(3)}, {"x": torch.ones(3)}
    folder.write_learned(first, first)
    for name in results:
        folder.write_text(name, "{}")
    folder.write_learned(first, second)
    assert results < set(os.listdir(tmp_path))
    folder.write_learned(second, second)
    assert set(os.listdir(tmp_path)) == {"weights.safetensors", "last.safetensors"}


def test_weights_of_another_size_are_replaced_without_being_read(tmp_path: Path) -> None:
    """Hashing a terabyte, which a file with holes may claim to have, takes an hour."""
    folder, weights = RunFolder.create("net", tmp_path), {"x": torch.zeros(3)}
    folder.write_learned(weights, weights)
    folder.write_text("anomalies.json", "{}")
    os.truncate(tmp_path / "weights.safetensors", 1 << 40)
    folder.write_learned(weights, weights)
    assert set(os.listdir(tmp_path)) == {"weights.safetensors", "last.safetensors"}


def test_discarding_takes_back_only_what_was_written(tmp_path: Path) -> None:
    fresh = RunFolder.create("net", tmp_path / "fresh")
    fresh.write_text("spec.cae", "")
    fresh.discard()
    assert not fresh.path.exists()
    (tmp_path / "empty").mkdir()
    given = RunFolder.create("net", tmp_path / "empty")
    given.write_text("spec.cae", "")
    (given.path / "notes.txt").write_text("mine")
    given.discard()
    assert [path.name for path in given.path.iterdir()] == ["notes.txt"]
