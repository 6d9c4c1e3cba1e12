"""Damage to run folders: clear errors, and the last good state is kept."""

import errno
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from caedsl.data.errors import DataError
from caedsl.runs.errors import RunError
from caedsl.runs.run_folder import RunFolder
from caedsl.training.reporter import Reporter
from caedsl.training.resume import resume

from .test_resume import SPEC, assert_same, begin, killed_at
from .tiny import always_keep

CHECKPOINT, PREVIOUS = "checkpoint.safetensors", "checkpoint.previous.safetensors"


class Listening(Reporter):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run that was killed in its second epoch, with two checkpoints."""
    folder = tmp_path_factory.mktemp("kept") / "killed"
    with pytest.MonkeyPatch.context() as patched:
        always_keep(patched)
        killed_at(8, patched, lambda: begin(folder))
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run with the same spec that was not disturbed."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    begin(folder)
    return folder


@pytest.fixture
def killed(kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of that run, which also writes a checkpoint at every step once it is resumed."""
    always_keep(monkeypatch)
    return Path(shutil.copytree(kept, tmp_path / "killed"))


def contents(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in run.iterdir() if path.suffix in (".safetensors", ".cae")}


@pytest.mark.parametrize("damage", ["truncated", "empty", "flipped", "missing"])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(damage: str, killed: Path, whole: Path) -> None:
    path, content = killed / CHECKPOINT, bytearray((killed / CHECKPOINT).read_bytes())
    content[-1] ^= 1
    damaged = {"truncated": content[:-100], "empty": b"", "flipped": content}
    path.unlink() if damage == "missing" else path.write_bytes(damaged[damage])
    reporter = Listening()
    resume(killed, reporter=reporter)
    assert any(
        f"{CHECKPOINT} cannot be used" in note and f"resuming from {PREVIOUS}" in note for note in reporter.notes
    )
    assert_same(whole, killed)


def test_without_a_good_checkpoint_both_are_named(killed: Path) -> None:
    for name in (CHECKPOINT, PREVIOUS):
        (killed / name).write_bytes((killed / name).read_bytes()[:50])
    before = contents(killed)
    with pytest.raises(RunError, match=rf"{CHECKPOINT}.*{PREVIOUS}.*start a new run"):
        resume(killed)
    assert contents(killed) == before


def test_a_full_disk_keeps_the_last_good_state(killed: Path, whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, written = RunFolder.write_bytes, []

    def full(self: RunFolder, name: str, content: bytes) -> Path:
        written.append(name)
        if len(written) > 10:
            raise RunError(f"cannot write {self.path / name}: {os.strerror(errno.ENOSPC).lower()}")
        return write(self, name, content)

    with monkeypatch.context() as patched:
        patched.setattr(RunFolder, "write_bytes", full)
        with pytest.raises(
            RunError, match=r"no space left.*resume from its last checkpoint.*caedsl train --resume .*killed"
        ):
            resume(killed)
    resume(killed)
    assert_same(whole, killed)


def test_an_edited_spec_is_another_run(killed: Path) -> None:
    (killed / "spec.cae").write_text(SPEC.replace("conv 2", "conv 4"))
    before = contents(killed)
    with pytest.raises(RunError, match=r"belongs to another run.*spec or the settings"):
        resume(killed)
    assert contents(killed) == before


def test_another_version_is_named(killed: Path) -> None:
    environment = json.loads((killed / "environment.json").read_text())
    (killed / "environment.json").write_text(json.dumps({**environment, "caedsl": "0.0.1"}))
    with pytest.raises(RunError, match=r"started with caedsl 0\.0\.1, but this is"):
        resume(killed)


def test_another_patch_version_and_a_device_that_is_gone_are_reported(killed: Path) -> None:
    environment = json.loads((killed / "environment.json").read_text())
    (killed / "environment.json").write_text(json.dumps({**environment, "caedsl": "0.1.999", "device": "cuda:0"}))
    reporter = Listening()
    assert resume(killed, reporter=reporter).history.ended == "finished"
    assert any("started with caedsl 0.1.999" in note for note in reporter.notes)
    assert any("resumed on cpu" in note and "will not be the same bit for bit" in note for note in reporter.notes)


def test_another_machine_is_reported(killed: Path) -> None:
    environment = json.loads((killed / "environment.json").read_text())
    (killed / "environment.json").write_text(json.dumps({**environment, "torch": "1.0"}))
    reporter = Listening()
    resume(killed, reporter=reporter)
    assert any("torch 1.0, now" in note and "last digits may differ" in note for note in reporter.notes)


@pytest.mark.parametrize("name", ["spec.cae", "settings.json", "environment.json"])
def test_a_folder_that_is_no_run_is_refused(name: str, killed: Path) -> None:
    (killed / name).unlink()
    with pytest.raises(RunError, match=rf"has no {name}: .*name the folder of a trained run"):
        resume(killed)
    with pytest.raises(RunError, match=r"no run folder .*nowhere"):
        resume(killed.parent / "nowhere")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"data": {}}', "\0"])
def test_a_damaged_record_is_a_clear_error(text: str, killed: Path) -> None:
    (killed / "environment.json").write_text(text)
    with pytest.raises(RunError, match="damaged, or from another version"):
        resume(killed)


def test_data_that_changed_or_vanished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.random.default_rng(0).integers(0, 255, (60, 8, 8), dtype=np.uint8)
    data = tmp_path / "x.npy"
    np.save(data, images)
    text = SPEC.replace("digits limit=60", f'npy "{data}"')
    begin(tmp_path / "whole", text)
    always_keep(monkeypatch)
    killed_at(8, monkeypatch, lambda: begin(tmp_path / "run", text))
    before = contents(tmp_path / "run")
    np.save(data, images[::-1])
    with pytest.raises(RunError, match=r"the data are not those.*SHA-256.*--data-dir"):
        resume(tmp_path / "run")
    data.unlink()
    with pytest.raises(DataError, match=r"x\.npy"):
        resume(tmp_path / "run")
    assert contents(tmp_path / "run") == before
    np.save(data, images)
    resume(tmp_path / "run")
    assert_same(tmp_path / "whole", tmp_path / "run")


def test_relative_data_are_found_from_a_run_folder_that_moved(tmp_path: Path) -> None:
    from caedsl.training.stored_run import open_run

    begin(tmp_path / "run")
    shutil.move(tmp_path / "run", tmp_path / "moved")
    environment = json.loads((tmp_path / "moved" / "environment.json").read_text())
    assert open_run(tmp_path / "moved").model.folder == Path(environment["data"]["spec_folder"])
    environment["data"]["spec_folder"] = str(tmp_path / "gone")
    (tmp_path / "moved" / "environment.json").write_text(json.dumps(environment))
    assert open_run(tmp_path / "moved", tmp_path).model.folder == tmp_path
