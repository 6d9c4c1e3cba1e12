"""Monitors start from the findings of `caedsl check` for the same spec, and never contradict them."""

from dataclasses import replace
from pathlib import Path

import pytest

from caedsl.diagnostics.finding import Severity
from caedsl.model.settings import settled
from caedsl.rules.engine import catalogue
from caedsl.rules.engine.causes import KNOWN
from caedsl.rules.engine.checking import check_source
from caedsl.rules.engine.example import examples, whole_spec
from caedsl.rules.engine.symptoms import CAUSES, DOCTOR_SYMPTOMS, likely_cause
from caedsl.runs.history import Epoch
from caedsl.runs.trouble import Sign
from caedsl.source import Source
from caedsl.training.monitors import constant_output, saturated_output
from caedsl.training.monitors.engine import catalogue as monitors
from caedsl.training.monitors.engine import watch
from caedsl.training.monitors.engine.catalogue import Monitor
from caedsl.training.monitors.engine.observation import Broken, Facts, LayerFacts, LayerProbe, ProbeResult, RunSoFar
from caedsl.vocabulary.shape import Shape
from tests.training.tiny import model_of

from .runs import spec, watched

_LOUD = {entry.rule.name for entry in catalogue.checks() if entry.rule.severity is not Severity.INFO}
SLOW = spec("optimizer sgd lr=0.003; epochs 20")


def test_the_table_has_every_symptom_and_every_cause_once() -> None:
    assert set(CAUSES) <= {*monitors.names(), *DOCTOR_SYMPTOMS}
    assert set(DOCTOR_SYMPTOMS) <= set(CAUSES)
    assert {name for names in CAUSES.values() for name in names} == set(KNOWN)
    assert all(len(set(names)) == len(names) for names in CAUSES.values())


def _in_specs(symptom: str) -> list[str]:
    """Return the causes of a symptom that a rule warns of in a spec."""
    return [name for name in CAUSES[symptom] if name in _LOUD]


@pytest.mark.parametrize("symptom", [symptom for symptom in CAUSES if _in_specs(symptom)])
def test_the_likeliest_known_cause_is_named(symptom: str) -> None:
    findings = [
        finding
        for name in reversed(_in_specs(symptom))
        for finding in check_source(Source(_example(name))).findings
        if finding.name == name
    ]
    found = likely_cause(symptom, findings)
    assert found is not None
    loud = {finding.name for finding in findings if finding.severity.value != "info"}
    assert found.rule == next(rule for rule in CAUSES[symptom] if rule in loud)


def _example(name: str) -> str:
    return whole_spec(next(examples(catalogue.entry(name).documentation, "Example")))


def test_nothing_is_explained_by_findings_that_are_no_cause() -> None:
    findings = check_source(Source(_example("unused-constant"))).findings
    assert likely_cause("constant-output", findings) is None


def test_a_monitor_repeats_the_static_advice_and_not_its_opposite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def contradicting(seen: RunSoFar) -> list[Sign]:
        return [Sign("train.optimizer", "every image is the same picture", "a smaller learning rate")]

    monkeypatch.setattr(watch, "every", lambda: (Monitor("constant-output", "", contradicting, (), False),))
    static = {finding.name: finding for finding in check_source(Source(SLOW)).findings}
    assert "too low" in static["mismatched-sgd-rate"].message
    (trouble,) = watched(SLOW, tmp_path).record
    assert static["mismatched-sgd-rate"].advice in trouble["remedy"]
    assert static["mismatched-sgd-rate"].message in trouble["remedy"]
    assert "smaller learning rate" not in trouble["remedy"]


def _seen(lr: float) -> RunSoFar:
    """Return a network with one output for every image, and most of its error on flat pixels."""
    train = model_of(spec(f"loss mse; optimizer adam lr={lr:g}; batch 64; epochs 30")).train
    settings = settled(train) if train is not None else None
    assert settings is not None
    facts = Facts(
        layers=[LayerFacts("conv 4 relu", 4), LayerFacts("conv 1 sigmoid", 1)],
        settings=settings,
        input_shape=(1, 8, 8),
        code_size=8,
        code_layer=0,
        output_layer=1,
        penalised=False,
        code_l1=0.0,
        rounds=1,
        probed=128,
        images=128,
        judged_apart=False,
    )
    layers = (LayerProbe(1.0, 1.0, 1.0, 1.0), LayerProbe(1.0, 0.001, None, 1.0))
    probe = ProbeResult(800, 800.0, layers, 1.0, 1.0, 1.2, 0.001, 1.0, 1.0, 0.1, 0.9, "1" * 8)
    epoch = Epoch(1, 800, 1.0, 1.0, None, 1e-3, 1.0, 1.0)
    return RunSoFar(facts, probes=[probe], first_probe=probe, epochs=[epoch], full_steps=800.0)


def test_no_relu_is_advised_for_the_output() -> None:
    (sign,) = constant_output.look(_seen(1e-3))
    assert sign.where == 1
    assert "relu" not in sign.remedy
    assert "hidden layers" in sign.remedy


def test_a_rate_that_is_small_already_is_not_made_smaller() -> None:
    (fast,), (slow,) = saturated_output.look(_seen(1e-2)), saturated_output.look(_seen(2e-5))
    assert "smaller learning rate" in fast.remedy
    assert "smaller learning rate" not in slow.remedy
    assert "worst=10%" in slow.remedy


@pytest.mark.parametrize(("shape", "noun"), [((1, 64), "signal"), ((1, 8, 8), "image"), ((1, 4, 4, 4), "volume")])
def test_findings_name_the_samples_as_they_are(shape: Shape, noun: str) -> None:
    seen = _seen(1e-4)
    seen.facts = replace(seen.facts, input_shape=shape)
    seen.broken = Broken(None, "images", 0.0)
    signs = [sign for monitor in monitors.every() for sign in monitor.look(seen)]
    said = " ".join(f"{sign.message} {sign.remedy}" for sign in signs)
    assert len(signs) >= 3
    assert f"every {noun} is reconstructed alike" in said
    assert f"mean {noun}" in said
    assert ("image" in said, "pixel" in said) == (noun == "image", noun == "image")
