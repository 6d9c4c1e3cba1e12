"""``train --resume``, ``runs`` and ``evaluate`` as a person uses them."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from caedsl.training.loop import Training
from caedsl.training.objective import Losses
from tests.conftest import ROOT, Ran

Run = Callable[..., Ran]

TINY = """autoencoder tiny
input 1x8x8
data digits limit=60
encoder { conv 2 relu; maxpool 2 }
bottleneck dense 3
decoder mirror
train { epochs 2; batch 20; optimizer adam lr=1e-2; corrupt gaussian=0.1; precision fp32 }
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.cae"
    path.write_text(TINY)
    return path


@pytest.fixture
def finished(spec: Path, tmp_path: Path, caedsl: Run) -> Path:
    run = tmp_path / "runs" / "finished"
    assert caedsl("train", spec, "--out", run, "--quiet").code == 0
    return run


def interrupt_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    take_step = Training.take_step

    def interrupting(self: Training, *x: Any) -> Losses:
        if self.step == step:
            os.kill(os.getpid(), signal.SIGTERM)
        return take_step(self, *x)

    monkeypatch.setattr(Training, "take_step", interrupting)


def test_an_interrupted_run_says_how_to_resume_and_resumes(
    spec: Path, finished: Path, tmp_path: Path, caedsl: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "runs" / "stop here"
    with monkeypatch.context() as patched:
        interrupt_at(4, patched)
        ran = caedsl("train", spec, "--out", run)
    assert ran.code == 130
    command = f"caedsl train --resume '{run}'"
    assert command in ran.err
    assert caedsl("train", "--resume", run).code == 0
    assert (run / "metrics.json").read_bytes() == (finished / "metrics.json").read_bytes()


def test_the_same_seed_gives_the_same_metrics_byte_for_byte(
    spec: Path, finished: Path, tmp_path: Path, caedsl: Run
) -> None:
    caedsl("train", spec, "--out", tmp_path / "again", "--quiet")
    for name in ("metrics.json", "weights.safetensors", "last.safetensors", "reconstructions.png"):
        assert (tmp_path / "again" / name).read_bytes() == (finished / name).read_bytes()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["tiny.cae"], "SPEC"),
        (["--set", "train.batch=8"], "--set"),
        (["--seed", "0"], "--seed"),
        (["--out", "x"], "--out"),
        (["--no-pictures"], "--no-pictures"),
    ],
)
def test_resume_takes_nothing_that_would_change_the_run(
    options: list[str], words: str, finished: Path, caedsl: Run
) -> None:
    ran = caedsl("train", "--resume", finished, *options)
    assert ran.code == 2
    assert f"remove {words}" in ran.err


def test_resume_of_a_finished_run_and_of_none(finished: Path, tmp_path: Path, caedsl: Run) -> None:
    ran = caedsl("train", "--resume", finished)
    assert ran.code == 2
    assert "--epochs 4" in ran.err
    assert caedsl("train", "--resume", finished, "--epochs", 3, "--quiet").code == 0
    assert json.loads((finished / "metrics.json").read_text())["training"]["epochs"] == 3
    assert "no run folder" in caedsl("train", "--resume", tmp_path / "none").err
    assert "name the spec" in caedsl("train").err


def copy_of(run: Path, name: str, **changes: object) -> Path:
    copy = run.parent / name
    shutil.copytree(run, copy)
    state = json.loads((copy / "state.json").read_text())
    (copy / "state.json").write_text(json.dumps({**state, **changes}))
    return copy


def test_runs_are_listed_with_how_they_stand(finished: Path, caedsl: Run) -> None:
    crashed = copy_of(finished, "crashed", state="running", started="2030")
    with (crashed / "history.jsonl").open("a") as file:
        file.write('{"epoch": 3, "st')
    copy_of(finished, "failed", state="failed", error="the loss is nan", started="2031")
    running = copy_of(finished, "running", state="running", started="2032")
    (finished.parent / "other").mkdir()
    with FileLock(running / ".lock"):
        ran = caedsl("runs", finished.parent)
        listed = json.loads(caedsl("runs", finished.parent, "--json").out)
    assert [Path(run["folder"]).name for run in listed] == ["finished", "crashed", "failed", "running"]
    assert [run["state"] for run in listed] == ["finished", "crashed", "failed", "running"]
    history = [json.loads(line) for line in (finished / "history.jsonl").read_text().splitlines()]
    assert listed[1]["epoch"] == 2
    assert listed[1]["best_loss"] == min(row["validation"] for row in history)
    assert listed[2]["error"] == "the loss is nan"
    lines = ran.out.splitlines()
    for line, state in zip(lines[1:], ["finished", "crashed", "failed", "running"], strict=True):
        assert {"tiny", "digits", "2/2", state} <= set(line.replace(",", " ").split())
    metrics = json.loads((finished / "metrics.json").read_text())
    assert listed[0]["psnr"] == metrics["scores"]["model"]["psnr"]
    assert f"{listed[0]['psnr']:.2f}" in lines[1].split()


def test_a_resumed_run_does_not_keep_the_psnr_of_its_earlier_end(finished: Path, caedsl: Run) -> None:
    rows = [json.loads(line) for line in (finished / "history.jsonl").read_text().splitlines()]
    better = {**rows[-1], "epoch": 3, "validation": min(row["validation"] for row in rows) / 2}
    with (finished / "history.jsonl").open("a") as file:
        file.write(json.dumps(better) + "\n")
    (listed,) = json.loads(caedsl("runs", finished, "--json").out)
    assert (listed["best_epoch"], listed["psnr"]) == (3, None)


FOREIGN = ["", "[]", "{", "[" * 100_000, '{"state": 3, "model": null, "epochs": "x", "started": 5, "error": null}']


@pytest.mark.parametrize("name", ["state.json", "environment.json", "history.jsonl", "metrics.json"])
def test_what_is_no_run_is_passed_over(name: str, finished: Path, caedsl: Run) -> None:
    for number, text in enumerate([*FOREIGN, (finished / name).read_text().replace(": 0.", ': "0.')]):
        (copy_of(finished, f"foreign {number}") / name).write_text(text)
    (finished.parent / "a file").write_text("")
    (finished.parent / "state.json").mkdir()
    ran = caedsl("runs", finished.parent)
    assert ran.code == 0
    assert "finished" in ran.out
    assert caedsl("runs", finished.parent, "--json").code == 0


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_a_terminal_of_any_width_shows_whole_paths(
    columns: int, finished: Path, caedsl: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr("rich.console.Console.is_terminal", True)
    monkeypatch.setenv("NO_COLOR", "1")
    lines = re.sub(r"\x1b\[[\d;]*m", "", caedsl("runs", finished.parent).out).splitlines()
    assert any(line.split()[:1] == [str(finished)] for line in lines)
    assert all(len(line) <= columns or str(finished) in line for line in lines)
    shown = " ".join(lines)
    for words in ("tiny", "digits", "2/2", "finished", "PSNR"):
        assert words in shown


def test_runs_of_a_folder_without_any(tmp_path: Path, caedsl: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert caedsl("runs") == (0, "no runs in runs: `caedsl train SPEC` creates one\n", "")
    assert "no runs in" in caedsl("runs", tmp_path).out
    assert json.loads(caedsl("runs", tmp_path, "--json").out) == []
    ran = caedsl("runs", tmp_path / "nowhere")
    assert (ran.code, "cannot be listed" in ran.err) == (2, True)


def test_runs_needs_no_torch(finished: Path) -> None:
    code = (
        "import sys; from caedsl.cli.main import main; "
        f"main(['runs', {str(finished.parent)!r}]); sys.exit('torch' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_alone_gives_the_same_evaluation(finished: Path, tmp_path: Path, caedsl: Run) -> None:
    moved = shutil.move(finished, tmp_path / "elsewhere")
    for name in ("checkpoint.safetensors", "last.safetensors", "history.csv", "history.jsonl", "state.json"):
        (moved / name).unlink()
    before = contents(moved)
    ran = caedsl("evaluate", moved)
    assert ran.code == 0, ran.err
    assert "all values agree" in ran.out
    assert contents(moved) == before


def test_an_evaluation_that_differs_is_shown(finished: Path, caedsl: Run) -> None:
    metrics = json.loads((finished / "metrics.json").read_text())
    metrics["scores"]["model"]["mse"] += 1e-4
    (finished / "metrics.json").write_text(json.dumps(metrics))
    ran = caedsl("evaluate", finished, "--quiet")
    assert ran.code == 1
    assert "scores.model.mse: " in ran.err and "then" in ran.err
    assert len(ran.err.splitlines()) == 2


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("weights.safetensors", b"xx", "is not a safetensors file, or is damaged"),
        ("weights.safetensors", None, "has no weights.safetensors"),
        ("metrics.json", b"{", "cannot be read"),
        ("metrics.json", None, "the run did not finish"),
        ("spec.cae", TINY.replace("conv 2", "conv 3").encode(), "weights of another architecture"),
        ("spec.cae", b"autoencoder", "cannot be trained"),
        ("environment.json", b"{}", "damaged, or from another version"),
    ],
)
def test_a_damaged_folder_is_a_clear_error(
    name: str, content: bytes | None, words: str, finished: Path, caedsl: Run
) -> None:
    (finished / name).unlink() if content is None else (finished / name).write_bytes(content)
    ran = caedsl("evaluate", finished)
    assert ran.code == 2
    assert words in ran.err and str(finished) in ran.err


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--sort", "speed", '--sort: there is no column "speed"'),
        ("--filter", "speed>1", '--filter: there is no column "speed"'),
        ("--filter", "fast", '--filter: "fast" is not a condition'),
    ],
)
def test_a_wrong_column_or_condition_names_its_option(
    option: str, value: str, message: str, tmp_path: Path, caedsl: Run
) -> None:
    ran = caedsl("runs", tmp_path, option, value)
    assert ran.code == 2
    assert ran.err.startswith(f"caedsl: {message}")
