"""Several processes act as one: the same result, one run folder, one output, and a common end."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from safetensors.torch import load_file
from torch.distributed.elastic.multiprocessing.errors import ProcessFailure

from tests.conftest import ROOT
from tests.monitors.runs import record

from .test_resume import rows
from .together import LAYERS

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks processes")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, python: str) -> Path:
    """Return the folder of the runs that ``together.py`` makes once for all workers of the suite."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = base / "together"
    with FileLock(base / "together.lock"):
        if not (folder / "codes.json").exists():
            folder.mkdir()
            command = [python, "-m", "tests.training.together", str(folder)]
            subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, check=True, timeout=900)
    return folder


def codes(made: Path, name: str) -> list[int]:
    return json.loads((made / "codes.json").read_text())[name]


def assert_as(one: Path, several: Path) -> None:
    """Assert the same weights and the same history to 1e-5."""
    for name in ("weights.safetensors", "last.safetensors"):
        expected, found = load_file(one / name), load_file(several / name)
        assert list(found) == list(expected)
        for key in expected:
            torch.testing.assert_close(found[key], expected[key], rtol=1e-5, atol=1e-5)
    expected_rows, found_rows = rows(one), rows(several)
    assert len(found_rows) == len(expected_rows)
    for mine, theirs in zip(found_rows, expected_rows, strict=True):
        for numbers in ("terms", "code"):
            assert mine.pop(numbers) == pytest.approx(theirs.pop(numbers), rel=1e-5)
        assert mine == pytest.approx(theirs, rel=1e-5)


@pytest.mark.parametrize(("name", "count"), [("layers", 2), ("few", 3), ("codes", 2), ("volumes", 2)])
def test_several_processes_get_the_result_of_one(name: str, count: int, made: Path) -> None:
    assert codes(made, f"{name}-together") == [0] * count
    assert_as(made / f"{name}-alone", made / f"{name}-together")


def test_only_the_first_process_prints_and_writes_the_run_folder(made: Path) -> None:
    alone, together = made / "layers-alone", made / "layers-together"
    assert {path.name for path in together.iterdir()} == {path.name for path in alone.iterdir()}
    assert json.loads((together / "environment.json").read_text())["processes"] == 2
    said, said_alone = ((made / f"layers-{name}.txt").read_text() for name in ("together", "alone"))
    assert "on CPU, fp32, 2 processes" in said
    first_words, first_words_alone = ([line.split(" ")[0] for line in text.splitlines()] for text in (said, said_alone))
    assert first_words == first_words_alone
    assert [found["monitor"] for found in record(alone)] == ["worse-than-mean"]
    assert record(together) == record(alone)


@pytest.mark.parametrize(("name", "interrupted", "resumed"), [("grown", [130], [0, 0]), ("shrunk", [130, 0], [0])])
def test_a_run_resumes_with_another_number_of_processes(
    name: str, interrupted: list[int], resumed: list[int], made: Path
) -> None:
    assert codes(made, name) == interrupted
    assert json.loads((made / f"{name}-state.json").read_text())["state"] == "interrupted"
    assert "Resume with: caedsl train --resume" in (made / f"{name}.txt").read_text()
    assert codes(made, f"{name}-on") == resumed
    assert f"processes {len(interrupted)}, now {len(resumed)}" in (made / f"{name}-on.txt").read_text()
    assert_as(made / "layers-alone", made / name)


def test_monitors_say_of_a_group_what_they_say_of_one_process(made: Path) -> None:
    assert codes(made, "dying-together") == [0, 0]
    (said,) = record(made / "dying-alone")
    assert (said["monitor"], said["layer"], said["step"]) == ("dead-layer", "encoder 3: conv 4 relu", 64)
    assert record(made / "dying-together") == [said]
    assert (made / "dying-together.txt").read_text().count("trouble: dead-layer") == 1


def test_trouble_stops_all_processes_and_they_can_be_resumed(made: Path) -> None:
    assert codes(made, "stopped") == [1, 0]
    assert json.loads((made / "stopped-state.json").read_text())["state"] == "stopped"
    assert "note: stopped by a monitor; state saved" in (made / "stopped.txt").read_text()
    assert codes(made, "stopped-on") == [0]
    assert json.loads((made / "stopped" / "metrics.json").read_text())["training"]["steps"] == 72
    assert record(made / "stopped") == record(made / "dying-alone")


def test_what_was_seen_before_an_interruption_is_known_to_another_number_of_processes(made: Path) -> None:
    """The run was interrupted at step 50, and a sign at step 64 takes earlier observations into account."""
    assert codes(made, "dying-grown-on") == [0, 0]
    assert record(made / "dying-grown") == record(made / "dying-alone")


def test_a_loss_that_is_infinite_in_one_process_is_traced_in_the_first(made: Path) -> None:
    """All weights are frozen from step 6 on, until the processes synchronise after step 8."""
    alone, together = ((made / f"overflowing-{name}.txt").read_text() for name in ("alone", "together"))
    words = "caedsl:" + alone.partition("caedsl:")[2].replace("-alone.cae", "-together.cae")
    assert words.startswith("caedsl: the loss is nan at step 6 (epoch 1)")
    assert "overflowing-together.cae:6: `conv 1` (decoder 4): its output reaches" in words
    assert together.endswith(words)


def test_numbers_are_found_as_by_one_process(made: Path) -> None:
    assert codes(made, "found-together") == [0, 0]
    found = (made / "found-together" / "spec.cae").read_bytes()
    assert found == (made / "found-alone" / "spec.cae").read_bytes()
    assert b"auto" not in found.replace(b"autoencoder", b"")
    assert_as(made / "found-alone", made / "found-together")


def test_ctrl_c_in_a_search_ends_all_and_leaves_nothing(made: Path) -> None:
    assert codes(made, "found-interrupted") == [130, 2]
    assert "finding the learning rate" in (made / "found-interrupted.txt").read_text()
    assert "caedsl:" not in (made / "found-interrupted.txt").read_text()
    assert not (made / "found-interrupted").exists()


@pytest.mark.parametrize(
    ("name", "ended", "words"),
    [
        ("exhausted", [2, 2], "caedsl: process 1: out of memory with batch 50"),
        ("killed", [2, -9], "caedsl: one of the 2 processes ended without a message"),
        ("found-exhausted", [2, 2], "caedsl: out of memory with batch 8: not even one sample fits"),
        ("infinite", [2, 2], "caedsl: the loss is"),
        ("overflowing-together", [2, 2], "caedsl: the loss is"),
        ("occupied", [2, 2], "is not empty: choose another one"),
        ("faulty", [1, 2], 'unknown layer "maxpol"'),
    ],
)
def test_a_failure_of_one_ends_all_with_one_message(name: str, ended: list[int], words: str, made: Path) -> None:
    assert codes(made, name) == ended
    said = (made / f"{name}.txt").read_text()
    assert said.count(words) == 1
    assert said.count("caedsl:") + said.count("error[") == 1
    assert "Traceback" not in said


@pytest.mark.parametrize("name", ["exhausted", "killed"])
def test_what_was_learned_before_a_failure_is_kept(name: str, made: Path) -> None:
    state = json.loads((made / name / "state.json").read_text())
    assert state["state"] == "failed"
    assert state["error"] in (made / f"{name}.txt").read_text()
    assert load_file(made / name / "weights.safetensors")
    assert len(rows(made / name)) == 2


def test_torchrun_starts_them(made: Path, tmp_path: Path, python: str) -> None:
    (tmp_path / "spec.cae").write_text(LAYERS)
    torchrun = [python, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*torchrun, "-m", "caedsl", "train", str(tmp_path / "spec.cae"), "--out", str(tmp_path / "run")]
    environment = {**ENVIRONMENT, "PYTHON_EXEC": python}
    ran = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=600
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("PCA-6") == 1
    assert_as(made / "layers-alone", tmp_path / "run")


def test_torchrun_reports_the_words_of_the_processes_that_failed(made: Path) -> None:
    """PyTorch reads the files that the processes leave as for torchrun's report."""
    files = [str(made / f"infinite-{rank}.json") for rank in range(2)]
    first, other = (ProcessFailure(rank, pid=1, exitcode=2, error_file=file) for rank, file in enumerate(files))
    assert first.message == "its message is above"
    assert other.message.startswith("the loss is")
