"""Trouble reports on the command line, in the list of runs, and in resumed runs."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from caedsl.training.monitors.engine import watch
from tests.conftest import Ran

from .test_watch import after

TINY = """autoencoder tiny
input 1x8x8
data digits limit=60
encoder { conv 2 relu; maxpool 2 }
bottleneck dense 3
decoder mirror
train { epochs 3; batch 10; optimizer adam lr=1e-2; precision fp32 }
"""


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    there = (after(4), after(8, "train.optimizer"))
    monkeypatch.setattr(watch, "every", lambda: there)
    path = tmp_path / "tiny.cae"
    path.write_text(TINY)
    return path


def test_a_run_that_trouble_stops_says_so_is_listed_and_can_be_resumed(
    spec: Path, tmp_path: Path, caedsl: Callable[..., Ran]
) -> None:
    run = tmp_path / "runs" / "one"
    ran = caedsl("train", spec, "--out", run, "--on-trouble", "stop")
    assert ran.code == 1
    assert "trouble: after-4 at step 4, epoch 1" in ran.err
    assert f"{spec}:4: `conv 2 relu` (encoder 1): is wrong at step 4" in ran.err
    assert f"Resume anyway with: caedsl train --resume {run}" in ran.err
    assert "stopped by a monitor in epoch 1" in ran.out
    assert (run / "metrics.json").exists()
    assert "on trouble stop" in (run / "spec.cae").read_text()
    assert "stopped, trouble: after-4" in caedsl("runs", run.parent).out
    ran = caedsl("train", "--resume", run, "--on-trouble", "warn")
    assert ran.code == 0
    assert "after-4" not in ran.err
    assert f"{run / 'spec.cae'}:7: `optimizer`: is wrong at step 8" in ran.err
    (listed,) = json.loads(caedsl("runs", run.parent, "--json").out)
    assert (listed["state"], listed["trouble"]) == ("finished", ["after-4", "after-8"])


def test_by_default_a_run_continues_after_trouble(spec: Path, tmp_path: Path, caedsl: Callable[..., Ran]) -> None:
    ran = caedsl("train", spec, "--out", tmp_path / "run")
    assert ran.code == 0
    assert ran.err.count("trouble:") == 2


@pytest.mark.parametrize(
    ("line", "words"),
    [("on trouble", "not followed by one of stop, warn"), ("on trouble maybe", "maybe"), ("on", "stop, warn")],
)
def test_a_setting_that_cannot_be_read_is_a_finding(
    line: str, words: str, spec: Path, caedsl: Callable[..., Ran]
) -> None:
    spec.write_text(TINY.replace("epochs 3", f"epochs 3; {line}"))
    ran = caedsl("check", spec)
    assert ran.code == 1
    assert words in ran.out


def test_show_says_what_follows_trouble(spec: Path, caedsl: Callable[..., Ran]) -> None:
    assert "trouble warn" in caedsl("show", spec).out
