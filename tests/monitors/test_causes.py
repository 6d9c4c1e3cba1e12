"""Monitors start from the findings of `caedsl check` for the same spec, and never contradict them."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.faults.following import followed, of_monitor
from caedsl.diagnostics.finding import Severity
from caedsl.model.settings import settled
from caedsl.rules.engine import catalogue
from caedsl.rules.engine.causes import KNOWN
from caedsl.rules.engine.checking import check_source
from caedsl.rules.engine.example import examples, whole_spec
from caedsl.rules.engine.symptoms import CAUSES, DOCTOR_SYMPTOMS, likely_cause, rate_fault
from caedsl.runs.history import Epoch
from caedsl.runs.trouble import Symptom
from caedsl.source import Source
from caedsl.training.monitors import constant_output, idle_code, overfitting, saturated_output, unused_vectors
from caedsl.training.monitors.engine import catalogue as monitors
from caedsl.training.monitors.engine import watch
from caedsl.training.monitors.engine.catalogue import Monitor
from caedsl.training.monitors.engine.observation import (
    Facts,
    LayerFacts,
    LayerProbe,
    LossWindow,
    NonFiniteOrigin,
    ProbeResult,
    RunSoFar,
)
from caedsl.vocabulary import functions, norms
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
    possible = [finding for finding in findings if finding.severity.value != "info"]
    if "low-learning-rate" not in CAUSES[symptom]:
        possible = [finding for finding in possible if rate_fault([finding]) != "low"]
    loud = {finding.name for finding in possible}
    found = likely_cause(symptom, findings)
    assert (found.rule if found is not None else None) == next((r for r in CAUSES[symptom] if r in loud), None)
    assert loud


def _example(name: str) -> str:
    return whole_spec(next(examples(catalogue.entry(name).documentation, "Example")))


def test_nothing_is_explained_by_findings_that_are_no_cause() -> None:
    findings = check_source(Source(_example("unused-constant"))).findings
    assert likely_cause("constant-output", findings) is None


def test_a_monitor_repeats_the_static_advice_and_not_its_opposite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def contradicting(seen: RunSoFar) -> list[Symptom]:
        return [Symptom("train.optimizer", "every image is the same picture", "a smaller learning rate")]

    monkeypatch.setattr(watch, "every", lambda: (Monitor("constant-output", "", contradicting, (), False),))
    static = {finding.name: finding for finding in check_source(Source(SLOW)).findings}
    assert "too low" in static["mismatched-sgd-rate"].message
    (trouble,) = watched(SLOW, tmp_path).record
    assert static["mismatched-sgd-rate"].advice in trouble["remedy"]
    assert static["mismatched-sgd-rate"].message in trouble["remedy"]
    assert "smaller learning rate" not in trouble["remedy"]


def _seen(lr: float, loss: str = "mse", optimizer: str = "adam") -> RunSoFar:
    """Return a network with one output for every image, and most of its error on flat pixels."""
    train = model_of(spec(f"loss {loss}; optimizer {optimizer} lr={lr:g}; batch 64; epochs 30")).train
    settings = settled(train) if train is not None else None
    assert settings is not None
    facts = Facts(
        layers=[LayerFacts("conv 4 relu", 4, functions.RELU), LayerFacts("conv 1 sigmoid", 1, functions.SIGMOID)],
        settings=settings,
        input_shape=(1, 8, 8),
        code_size=8,
        code_layer=0,
        output_layer=1,
        penalised=False,
        code_l1=0.0,
        code_topk=None,
        trained_codebook=False,
        rounds=1,
        probed=128,
        images=128,
        differs_in_eval_mode=False,
    )
    layers = (LayerProbe(1.0, 1.0, 1.0, 1.0), LayerProbe(1.0, 0.001, None, 1.0))
    probe = ProbeResult(800, 800.0, layers, 1.0, 1.0, 1.2, 0.001, 1.0, 1.0, 0.1, 0.9, "1" * 8)
    epoch = Epoch(1, 800, 1.0, 1.0, None, 1e-3, 1.0, 1.0)
    return RunSoFar(facts, probes=[probe], first_probe=probe, epochs=[epoch], full_steps=800.0)


def test_no_relu_is_advised_for_the_output() -> None:
    (symptom,) = constant_output.look(_seen(1e-3))
    assert symptom.where == 1
    assert "relu" not in symptom.remedy
    assert "hidden layers" in symptom.remedy


def test_a_network_that_is_still_on_its_way_gets_a_larger_rate() -> None:
    seen = _seen(1e-3, optimizer="sgd")
    seen.windows = [LossWindow(500, 50, loss, None, {}) for loss in (0.2, 0.18, 0.17, 0.16)]
    (symptom,) = constant_output.look(seen)
    assert symptom.remedy.startswith("a larger learning rate such as `lr=0.01`")


def test_a_dark_output_that_stays_gets_another_remedy() -> None:
    (fast,), (slow,) = saturated_output.look(_seen(1e-2)), saturated_output.look(_seen(2e-5))
    assert fast.remedy.startswith("a smaller learning rate such as `lr=0.001`")
    assert "smaller learning rate" not in slow.remedy
    (followed,), (both,) = saturated_output.look(_seen(1e-3)), saturated_output.look(_seen(1e-4, "mse worst=10%"))
    assert followed.remedy.startswith("`loss mse worst=10%`")
    assert both.remedy.startswith("`norm=batch`")


RATE = re.compile(r"a (smaller|larger) learning rate such as `lr=([^`]+)`")
BY_RATE = {"argvalues": [1.0, 0.03, 5e-3, 1e-3, 3e-4, 2e-5, 1e-7], "ids": str}


@pytest.mark.parametrize("lr", **BY_RATE)
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_advice_that_was_followed_is_replaced_by_other_advice(optimizer: str, lr: float) -> None:
    """The rate moves one way only, and in the end every monitor proposes something else."""
    for monitor in monitors.every():
        rate, directions = lr, []
        while found := [
            m for symptom in monitor.look(_of_every_kind(rate, optimizer)) if (m := RATE.search(symptom.remedy))
        ]:
            directions.append(found[0][1])
            rate = float(found[0][2])
            assert len(directions) <= 9, f"{monitor.name}: {found[0][0]}"
        assert len(set(directions)) <= 1, monitor.name


@pytest.mark.parametrize(("fault", "forbidden"), [("low", "smaller"), ("high", "larger")])
def test_no_monitor_advises_a_rate_against_the_check(fault: str, forbidden: str) -> None:
    rate = "1e-6" if fault == "low" else "1"
    findings = check_source(Source(spec(f"optimizer adam lr={rate}; epochs 20"))).findings
    assert rate_fault(findings) == fault
    for lr in BY_RATE["argvalues"]:
        seen = _of_every_kind(lr)
        seen.facts = replace(seen.facts, findings=lambda: findings)
        for monitor in monitors.every():
            for symptom in monitor.look(seen):
                cause = likely_cause(monitor.name, findings)
                assert f"a {forbidden} learning rate" not in (symptom.remedy if cause is None else cause.remedy)


@pytest.mark.parametrize("lr", [0.1, 1e-3, 1e-5])
def test_all_advice_can_be_followed(lr: float) -> None:
    """Each alternative is one that the benchmark of advice can read, and gives a sound spec."""
    for seen in (_seen(lr), _of_every_kind(lr)):
        norm = " norm=batch" if "norm" in seen.facts.layers[0].words else ""
        settings = f"loss mse; optimizer adam lr={lr:g}; epochs 30"
        model = model_of(
            spec(
                settings, f"conv 4 relu{norm}", "dense 8 relu", decoder="dense 32 relu; dense 64 sigmoid; reshape 1x8x8"
            )
        )
        for monitor in monitors.every():
            for alternative in [part for symptom in monitor.look(seen) for part in of_monitor(symptom.remedy)]:
                changed = followed(model, alternative)
                assert changed is not None and changed != model.source.text, f"{monitor.name}: {alternative}"
                assert not check_source(Source(changed)).has_errors, f"{monitor.name}: {alternative}"


def test_an_unused_codebook_of_the_gradient_is_updated_by_averages() -> None:
    text = spec("loss mse; epochs 25", code="quantized 256x4 update=gradient")
    seen = _seen(1e-3)
    few = {"used_codes": 0.05, "perplexity": 8.0}
    seen.epochs = [replace(seen.epochs[0], code=few)] * unused_vectors.EPOCHS
    assert [symptom.remedy for symptom in unused_vectors.look(seen)] == ["a smaller codebook or more images"]
    seen.facts = replace(seen.facts, trained_codebook=True)
    (symptom,) = unused_vectors.look(seen)
    assert "quantized 256x4 update=ema" in (followed(model_of(text), of_monitor(symptom.remedy)[0]) or "")


def _of_every_kind(lr: float, optimizer: str = "adam") -> RunSoFar:
    """Return a run about which as many monitors as possible have advice."""
    seen = _seen(lr, optimizer=optimizer)
    dead, last = LayerProbe(1.0, 0.0, 0.0, 1e-9), LayerProbe(1.0, 0.001, None, 1e3)
    seen.facts = replace(
        seen.facts,
        differs_in_eval_mode=True,
        layers=[LayerFacts("conv 4 relu norm=batch", 4, functions.RELU, norms.BATCH), seen.facts.layers[1]],
    )
    probe = seen.probes[0]._replace(layers=(dead, last), error=2.0, unevenness=0.1, moving="0" * 8, loss=9.0)
    begun = probe._replace(step=1, layers=tuple(layer._replace(gradient=1e-9) for layer in probe.layers), loss=1.0)
    seen.probes = [probe._replace(step=700), probe._replace(step=700), probe]
    seen.first_probe, seen.best_probe = begun, begun
    windows = [LossWindow(100 * number, 100, 3.0, 0.9, {}) for number in range(1, 9)]
    seen.windows, seen.first_window, seen.best_window = windows, windows[0], windows[0]._replace(mean=1.0)
    seen.non_finite = NonFiniteOrigin(0, "output", 1e9)
    return seen


@pytest.mark.parametrize(
    ("kept", "remedy"), [(None, "learning rate"), (1, "`topk=2`"), (2, "`topk=4`"), (4, "smaller code")]
)
def test_units_that_topk_never_keeps_need_a_larger_one(kept: int | None, remedy: str) -> None:
    seen = _seen(1e-2)
    probe = seen.probes[0]._replace(moving="11000000")
    seen.facts, seen.probes = replace(seen.facts, code_topk=kept), [probe, probe]
    (symptom,) = idle_code.look(seen)
    assert remedy in symptom.remedy
    assert ("learning rate" in symptom.remedy) == (kept is None)


def test_the_run_of_every_kind_has_advice_of_most_monitors() -> None:
    spoken = {monitor.name for monitor in monitors.every() if list(monitor.look(_of_every_kind(0.1)))}
    assert len(spoken) >= 9, spoken


@pytest.mark.parametrize(("shape", "noun"), [((1, 64), "signal"), ((1, 8, 8), "image"), ((1, 4, 4, 4), "volume")])
def test_findings_name_the_samples_as_they_are(shape: Shape, noun: str) -> None:
    seen = _seen(1e-4)
    seen.facts = replace(seen.facts, input_shape=shape)
    seen.non_finite = NonFiniteOrigin(None, "images", 0.0)
    symptoms = [symptom for monitor in monitors.every() for symptom in monitor.look(seen)]
    said = " ".join(f"{symptom.message} {symptom.remedy}" for symptom in symptoms)
    assert len(symptoms) >= 3
    assert f"all {noun}s have the same reconstruction" in said
    assert f"mean {noun}" in said
    assert ("image" in said, "pixel" in said) == (noun == "image", noun == "image")


def _overfits(validation: Sequence[float], code_loss: Sequence[float]) -> bool:
    """Return whether epochs with these losses, and a training loss that falls by half in each, are overfitting."""
    epochs = [
        Epoch(i, 100 * i, 1.0, 0.5**i, held_out, 1e-3, 1.0, 1.0, code={"code_loss": code})
        for i, (held_out, code) in enumerate(zip(validation, code_loss, strict=True), 1)
    ]
    return bool(list(overfitting.look(replace(_seen(1e-3), probes=[], epochs=epochs))))


def test_a_loss_of_the_code_that_rises_is_no_overfitting() -> None:
    falling, rising = [0.5, 0.4, 0.3, 0.2, 0.1], [0.1, 0.5, 1.0, 1.5, 2.0]
    assert not _overfits(falling, rising)
    assert _overfits(rising, [0.0] * 5)
    assert _overfits(rising, [2.0, 1.5, 1.0, 0.5, 0.1])
