"""Several processes are as one: the same result, one run folder, one voice, and they end together."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from safetensors.torch import load_file

from tests.conftest import ROOT

from .test_resume import rows
from .together import LAYERS

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks processes")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the runs that ``together.py`` makes, once for all workers of the suite."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = base / "together"
    with FileLock(base / "together.lock"):
        if not (folder / "codes.json").exists():
            folder.mkdir()
            command = [sys.executable, "-m", "tests.training.together", str(folder)]
            subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, check=True, timeout=900)
    return folder


def codes(made: Path, name: str) -> list[int]:
    return json.loads((made / "codes.json").read_text())[name]


def assert_as(one: Path, several: Path) -> None:
    """The same weights and the same history to 1e-5."""
    for name in ("weights.safetensors", "last.safetensors"):
        expected, found = load_file(one / name), load_file(several / name)
        assert list(found) == list(expected)
        for key in expected:
            torch.testing.assert_close(found[key], expected[key], rtol=1e-5, atol=1e-5)
    expected_rows, found_rows = rows(one), rows(several)
    assert len(found_rows) == len(expected_rows)
    for mine, theirs in zip(found_rows, expected_rows, strict=True):
        assert mine == pytest.approx(theirs, rel=1e-5)


@pytest.mark.parametrize(("name", "count"), [("layers", 2), ("few", 3)])
def test_several_processes_get_the_result_of_one(name: str, count: int, made: Path) -> None:
    assert codes(made, f"{name}-together") == [0] * count
    assert_as(made / f"{name}-alone", made / f"{name}-together")


def test_one_run_folder_and_one_voice(made: Path) -> None:
    alone, together = made / "layers-alone", made / "layers-together"
    assert {path.name for path in together.iterdir()} == {path.name for path in alone.iterdir()}
    assert json.loads((together / "environment.json").read_text())["processes"] == 2
    said, said_alone = ((made / f"layers-{name}.txt").read_text() for name in ("together", "alone"))
    assert "on CPU, fp32, 2 processes" in said
    unwatched = "note: monitors watch runs of one process: this one goes unwatched\n"
    assert said.count(unwatched) == 1
    assert [line.split(" ")[0] for line in said.replace(unwatched, "").splitlines()] == [
        line.split(" ")[0] for line in said_alone.splitlines()
    ]


@pytest.mark.parametrize(("name", "interrupted", "resumed"), [("grown", [130], [0, 0]), ("shrunk", [130, 0], [0])])
def test_a_run_goes_on_with_another_number_of_processes(
    name: str, interrupted: list[int], resumed: list[int], made: Path
) -> None:
    assert codes(made, name) == interrupted
    assert json.loads((made / f"{name}-state.json").read_text())["state"] == "interrupted"
    assert "to go on: caedsl train --resume" in (made / f"{name}.txt").read_text()
    assert codes(made, f"{name}-on") == resumed
    assert f"processes {len(interrupted)}, now {len(resumed)}" in (made / f"{name}-on.txt").read_text()
    assert_as(made / "layers-alone", made / name)


@pytest.mark.parametrize(
    ("name", "ended", "words"),
    [
        ("exhausted", [2, 2], "caedsl: process 1: out of memory with batch 50"),
        ("killed", [2, -9], "caedsl: one of the 2 processes ended without a word"),
        ("infinite", [2, 2], "caedsl: the loss is"),
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


def test_torchrun_starts_them(made: Path, tmp_path: Path) -> None:
    (tmp_path / "spec.cae").write_text(LAYERS)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*torchrun, "-m", "caedsl", "train", str(tmp_path / "spec.cae"), "--out", str(tmp_path / "run")]
    ran = subprocess.run(
        command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=600
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("PCA-6") == 1
    assert_as(made / "layers-alone", tmp_path / "run")
