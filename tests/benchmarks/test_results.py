"""The benchmark of results: goals, and runs that are trained once and distinguished from others."""

from pathlib import Path

import pytest

from benchmarks.reached.runs import SPECS, Runs
from benchmarks.reached.targets import TARGETS, Row
from caedsl.runs.file_names import METRICS, STATE

QUICK = {"train.epochs": 1, "data": "digits limit=80"}


@pytest.mark.parametrize(
    ("low", "high", "met"),
    [(None, None, None), (0.5, None, True), (0.6, None, False), (None, 0.4, False), (0.4, 0.6, True)],
)
def test_a_goal_is_met_between_its_ends(low: float | None, high: float | None, met: bool | None) -> None:
    assert Row("a number", 0.5, low, high).met is met


def test_a_run_is_trained_once_and_never_taken_for_another(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    first = runs.of("digits", "a", QUICK)
    written = (tmp_path / "digits-a-1epochs" / METRICS).stat().st_mtime_ns
    assert runs.of("digits", "a", QUICK).metrics == first.metrics
    assert (tmp_path / "digits-a-1epochs" / METRICS).stat().st_mtime_ns == written
    assert first.score("model", "mse") > 0
    assert first.validation == first.last_epoch["validation"]
    with pytest.raises(SystemExit, match="a run of another spec"):
        runs.of("digits", "a", QUICK, {"train.seed": 1})


def test_a_run_that_was_cut_short_is_resumed(tmp_path: Path) -> None:
    whole = Runs(tmp_path / "whole").of("digits", quick=QUICK)
    Runs(tmp_path / "cut").of("digits", quick=QUICK)
    folder = tmp_path / "cut" / "digits-1epochs"
    (folder / METRICS).unlink()
    state = (folder / STATE).read_text("utf-8")
    (folder / STATE).write_text(state.replace('"finished"', '"running"'), "utf-8")
    assert Runs(tmp_path / "cut").of("digits", quick=QUICK).score("model", "mse") == whole.score("model", "mse")
    assert (folder / STATE).read_text("utf-8") == state


def test_epochs_and_whole_replace_what_is_quick(tmp_path: Path) -> None:
    limited = {"data": "digits limit=20"}
    assert Runs(tmp_path, epochs=2).of("digits", quick={"train.epochs": 1}, always=limited).last_epoch["epoch"] == 2
    assert Runs(tmp_path, whole=True).of("digits", quick={"train.epochs": 1}, always=limited).last_epoch["epoch"] == 60


def test_every_target_says_what_it_needs() -> None:
    assert all(target.summary and target.sources for target in TARGETS.values())
    trained = set(TARGETS) - {"yardsticks", "precision"}
    expected = {"keras_io", "keras_denoise", "keras_blog", "denoise", "deep_svdd", "mnist_mirror", "fashion", "pythae"}
    expected |= {"superres", "residual_digits"}
    assert trained == expected
    assert all((SPECS / f"{name}.cae").is_file() for name in trained)
