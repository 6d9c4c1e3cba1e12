"""Each monitor's own example triggers it, and the spec under Instead triggers none."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.faults.advice import write_pairs
from benchmarks.faults.following import followed, of_monitor
from caedsl.model.settings import On
from caedsl.rules.engine.checking import check_source
from caedsl.rules.engine.documentation import stale_pages
from caedsl.rules.engine.example import examples
from caedsl.rules.engine.symptoms import likely_cause
from caedsl.source import Source
from caedsl.training.errors import NotFiniteError
from caedsl.training.monitors.engine import catalogue, documentation, watch
from caedsl.training.monitors.engine.catalogue import Monitor
from caedsl.training.train import train
from tests.cli.test_rule import HEADINGS
from tests.training.tiny import model_of

from .runs import record, watched

MONITORS = catalogue.in_order_of_names()
BY_NAME = {"argvalues": MONITORS, "ids": lambda monitor: monitor.name}


@pytest.fixture(autouse=True)
def pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write the images and targets that examples name."""
    write_pairs(tmp_path)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("monitor", **BY_NAME)
def test_the_example_triggers_the_monitor(monitor: Monitor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the only active monitor, and ends the run: other monitors may also react to the example."""
    monkeypatch.setattr(watch, "every", lambda: (monitor,))
    for number, text in enumerate(examples(monitor.documentation, "Example")):
        folder = tmp_path / str(number)
        model = model_of(text)
        assert model.train is not None
        model = replace(model, train=replace(model.train, on=On("stop"), precision="fp32"))
        if monitor.name == "not-finite":
            with pytest.raises(NotFiniteError, match=r"<spec>:\d+: `"):
                train(model, spec_text=text, out=folder)
            continue
        run = train(model, spec_text=text, out=folder)
        assert run.history.ended == "trouble", run.history.epochs[-1]
        said = record(folder)[0]
        assert said["monitor"] == monitor.name
        assert said["line"] >= 3
        assert said["message"] and said["remedy"]
        _agrees(said["remedy"], monitor, text)


def _agrees(remedy: str, monitor: Monitor, text: str) -> None:
    """Assert that the advice agrees with `caedsl check` if that finds a cause in the spec."""
    findings = check_source(Source(text)).findings
    cause = likely_cause(monitor.name, findings)
    assert cause is None or remedy.startswith(cause.remedy)
    rates = {finding.name for finding in findings}
    assert "low-learning-rate" not in rates or "smaller learning rate" not in remedy
    assert "high-learning-rate" not in rates or "larger learning rate" not in remedy
    if cause is None:
        _can_be_followed(remedy, text)


def _can_be_followed(remedy: str, text: str) -> None:
    """Assert that every alternative is read by the benchmark of advice, which then changes the spec and keeps it sound."""
    for alternative in of_monitor(remedy):
        changed = followed(model_of(text), alternative)
        assert changed is not None and changed != text, alternative
        assert not check_source(Source(changed)).has_errors, alternative


@pytest.mark.parametrize("monitor", **BY_NAME)
def test_what_to_write_instead_is_no_trouble(monitor: Monitor, tmp_path: Path) -> None:
    """It triggers no other monitor either."""
    for number, text in enumerate(examples(monitor.documentation, "Instead")):
        ran = watched(text.replace("loss mse;", "loss mse; precision fp32;"), tmp_path / str(number))
        assert ran.run is not None
        assert ran.record == []


@pytest.mark.parametrize("monitor", **BY_NAME)
def test_every_monitor_is_documented(monitor: Monitor) -> None:
    headings = re.findall(r"^## (.+)$", monitor.documentation, re.MULTILINE)
    assert [heading for heading in headings if heading in HEADINGS] == HEADINGS
    assert monitor.summary.endswith(".")
    for heading in ("Example", "Instead"):
        assert len(list(examples(monitor.documentation, heading))) == 1


def test_those_that_explain_others_are_asked_before_them() -> None:
    names = [monitor.name for monitor in catalogue.every()]
    assert sorted(names) == list(catalogue.names())
    for monitor in catalogue.every():
        assert set(monitor.explained_by) <= set(names[: names.index(monitor.name)])


def test_the_pages_are_what_the_monitors_say() -> None:
    stale = stale_pages(documentation.PAGES, documentation.pages())
    assert stale == [], "run `python -m caedsl.training.monitors.engine.documentation`"
