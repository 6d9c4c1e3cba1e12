"""Hostile environments: variables, memory limits, and files that change while a command works."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from caedsl.backends.torch.render import emit
from caedsl.runs.file_names import ENVIRONMENT
from caedsl.training.loop import Training
from caedsl.training.objective import Losses
from tests.cli.conftest import TINY
from tests.cli.test_fuzzed_specs import MOST_BYTES, peak_memory, reset_peak_memory
from tests.conftest import Ran
from tests.training.tiny import model_of

Run = Callable[..., Ran]


@pytest.mark.parametrize("field", ["precision", "device", "caedsl", "threads"])
def test_records_hold_known_words_only(field: str, spec: Path, tmp_path: Path, caedsl: Run) -> None:
    run = tmp_path / "run"
    assert caedsl("train", spec, "--out", run, "--quiet").code == 0
    record = json.loads((run / ENVIRONMENT).read_text())
    record[field] = "zzz" if field != "caedsl" else 5
    (run / ENVIRONMENT).write_text(json.dumps(record))
    for command in (("evaluate", run), ("train", "--resume", run, "--epochs", "3")):
        ran = caedsl(*command, "--quiet")
        assert ran.code == 2, ran
        assert ENVIRONMENT in ran.err
        assert field in ran.err


@pytest.mark.parametrize(
    "variables",
    [
        {"WORLD_SIZE": "2", "RANK": "x", "LOCAL_RANK": "0", "MASTER_ADDR": "localhost", "MASTER_PORT": "1"},
        {"WORLD_SIZE": "x", "RANK": "0", "LOCAL_RANK": "0", "MASTER_ADDR": "localhost", "MASTER_PORT": "1"},
        {"WORLD_SIZE": "2", "RANK": "0", "LOCAL_RANK": "x", "MASTER_ADDR": "localhost", "MASTER_PORT": "1"},
        {"WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "0", "MASTER_ADDR": "localhost", "MASTER_PORT": "x"},
        {"WORLD_SIZE": "1", "RANK": "x"},
        {"LOCAL_WORLD_SIZE": "abc"},
        {"OMP_NUM_THREADS": "x"},
    ],
    ids=str,
)
def test_variables_that_make_no_sense(
    variables: dict[str, str], spec: Path, tmp_path: Path, caedsl: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    ran = caedsl("train", spec, "--out", tmp_path / "run", "--quiet")
    assert ran.code in (0, 2)
    if ran.code:
        assert any(name in ran.err for name in variables), ran.err


@pytest.mark.parametrize("by", ["a file", "nothing", "a link"])
def test_a_run_folder_that_goes_while_it_is_used(
    by: str, spec: Path, tmp_path: Path, caedsl: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, outside = tmp_path / "run", tmp_path / "outside"
    outside.mkdir()
    take_step = Training.take_step

    def replacing(self: Training, images: Tensor, whole: int | None = None) -> Losses:
        if self.step == 1:
            shutil.rmtree(run)
            if by == "a file":
                run.write_text("kept")
            elif by == "a link":
                run.symlink_to(tmp_path / "nowhere")
        return take_step(self, images, whole)

    monkeypatch.setattr(Training, "take_step", replacing)
    ran = caedsl("train", spec, "--out", run, "--quiet")
    assert ran.code == 2
    assert f"{run}" in ran.err
    assert by != "a file" or run.read_text() == "kept"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
@pytest.mark.parametrize("limit", ["-v 200", "-v 425", "-v 525", "-v 675", "-v 800", "-d 60", "-d 200", "-d 360"])
def test_too_little_memory_for_pytorch_is_reported(limit: str, spec: Path, tmp_path: Path) -> None:
    """Importing PyTorch with too little memory aborts, hangs, or exits silently."""
    command = f'ulimit {limit}000; exec "{sys.executable}" -m caedsl train tiny.cae --out run --quiet'
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 2, done.stderr
    assert "bug in caedsl" not in done.stderr
    assert "Traceback" not in done.stderr
    assert f"out of memory (`ulimit {limit[:2]}` leaves" in done.stderr


def test_a_small_file_of_a_large_palette_image_costs_little(tmp_path: Path, caedsl: Run) -> None:
    (tmp_path / "photos").mkdir()
    for name in ("a", "b"):
        Image.new("P", (13_300, 13_300), 1).save(tmp_path / "photos" / f"{name}.png")
    (tmp_path / "a.cae").write_text(TINY.replace("digits limit=30", 'folder "photos"').replace("tiny", "a"))
    assert (tmp_path / "photos" / "a.png").stat().st_size < 400_000
    before = reset_peak_memory()
    ran = caedsl("train", tmp_path / "a.cae", "--out", tmp_path / "run", "--quiet")
    assert ran.code == 2
    assert "a.png" in ran.err
    assert peak_memory() - before < MOST_BYTES


@pytest.mark.parametrize("name", ["K1", "tiny"])
def test_emitted_training_reads_no_pickle(name: str, tmp_path: Path, python: str) -> None:
    """Given a PyTorch file, the command names the formats that it reads."""
    text = emit(model_of(TINY.replace("tiny", name)), training=True)
    assert "torch.load" not in text
    assert "torch.save" not in text
    (tmp_path / "net.py").write_text(text)
    torch.save(torch.rand(9, 1, 8, 8), tmp_path / "images.pt")
    done = subprocess.run(
        [python, "net.py", "images.pt", "weights.safetensors"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1
    assert "images.pt" in done.stderr
    assert ".npy" in done.stderr
    assert not (tmp_path / "weights.safetensors").exists()
