"""Monitoring does not change the training, reports each problem once, and survives what a run survives."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from caedsl.data.sample import Sample
from caedsl.runs.trouble import Symptom
from caedsl.training import train as training_module
from caedsl.training.loop import Training
from caedsl.training.monitors.engine import watch
from caedsl.training.monitors.engine.catalogue import Monitor
from caedsl.training.monitors.engine.observation import RunSoFar
from caedsl.training.monitors.engine.places import Places
from caedsl.training.monitors.engine.probe_schedule import ProbeSchedule
from caedsl.training.resume import resume
from tests.training.test_resume import VARIANTS, killed_at
from tests.training.tiny import always_keep, model_of

from .runs import record, spec, watched

SPEC = VARIANTS["adam"]


def after(step: int, where: int | str = 0) -> Monitor:
    """Return a monitor that reports something from a given step on."""

    def look(seen: RunSoFar) -> Iterator[Symptom]:
        if seen.probes and seen.probes[-1].step >= step:
            yield Symptom(where, f"is wrong at step {seen.probes[-1].step}", "do otherwise")

    return Monitor(f"after-{step}", "", look, (), False)


@pytest.fixture
def monitors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Install monitors that report from steps 4 and 8 on, of the small run's 18 steps."""
    there = (after(4), after(8, "train.optimizer"))
    monkeypatch.setattr(watch, "every", lambda: there)


@pytest.mark.parametrize("name", VARIANTS)
def test_the_weights_are_those_of_a_run_that_nobody_watches(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = VARIANTS[name].replace("dense 3", "dense 3 l1=1e-3 noise=0.1")
    seen = watched(text, tmp_path / "seen")
    with monkeypatch.context() as patched:
        patched.setattr(watch.Watch, "on_start", lambda self, training: None)
        patched.setattr(watch.Watch, "on_step", lambda self, training, step: None)
        patched.setattr(watch.Watch, "on_epoch", lambda self, training: None)
        patched.setattr(watch.Watch, "state", lambda self: None)
        unseen = watched(text, tmp_path / "unseen")
    assert seen.run is not None
    assert unseen.run is not None
    for file in ("last.safetensors", "weights.safetensors"):
        assert (tmp_path / "seen" / file).read_bytes() == (tmp_path / "unseen" / file).read_bytes()
    losses = [[(row.loss, row.validation) for row in one.run.history.epochs] for one in (seen, unseen) if one.run]
    assert losses[0] == losses[1]


def test_probes_that_are_slow_beside_steps_are_taken_less_often() -> None:
    moments = ProbeSchedule(images=32, batch=64)
    moments.afford(probe_seconds=0.03, step_seconds=0.001)
    assert [step for step in range(60, 2100) if moments.due(step)] == [64, 128, 256, 512, 1000, 2000]
    moments.afford(probe_seconds=0.001, step_seconds=0.001)
    assert [step for step in range(60, 200) if moments.due(step)] == [64, 67, 134]


def test_the_share_of_probed_images_does_not_depend_on_time() -> None:
    moments = ProbeSchedule(images=32, batch=64)
    due = [step for step in range(1, 301) if moments.due(step)]
    assert due == [1, 2, 4, 8, 16, 32, 64, 67, 134, 201, 268]


@pytest.mark.usefixtures("monitors")
def test_each_thing_is_reported_once_with_its_place_and_remedy(tmp_path: Path) -> None:
    ran = watched(SPEC, tmp_path / "run")
    assert ran.run is not None
    assert ran.run.history.ended == "finished"
    assert [(trouble["monitor"], trouble["step"], trouble["epoch"]) for trouble in ran.record] == [
        ("after-4", 4, 1),
        ("after-8", 8, 2),
    ]
    first, second = ran.record
    assert (first["layer"], first["line"], first["setting"]) == (
        "encoder 1: conv 2 norm=batch relu dropout=20%",
        5,
        None,
    )
    assert (second["layer"], second["line"], second["setting"]) == (None, 8, "train.optimizer")
    assert (first["message"], first["remedy"]) == ("is wrong at step 4", "do otherwise")
    head, place, remedy = ran.heard[0]
    assert head == "after-4 at step 4, epoch 1 (`caedsl rule after-4` explains it)"
    assert place == "<spec>:5: `conv 2 norm=batch relu dropout=20%` (encoder 1): is wrong at step 4"
    assert remedy == "to change: do otherwise"


@pytest.mark.usefixtures("monitors")
def test_the_record_has_the_lines_of_the_spec_that_is_kept(tmp_path: Path) -> None:
    model = model_of("# one\n# two\n" + SPEC)
    training_module.train(model, spec_text=SPEC, out=tmp_path / "run")
    assert [trouble["line"] for trouble in record(tmp_path / "run")] == [5, 8]


@pytest.mark.usefixtures("monitors")
@pytest.mark.parametrize("step", [3, 5, 7, 9, 15])
def test_a_run_that_was_killed_neither_loses_nor_repeats_messages(
    step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = watched(SPEC, tmp_path / "whole")
    always_keep(monkeypatch)
    killed_at(step, monkeypatch, lambda: watched(SPEC, tmp_path / "run"))
    resume(tmp_path / "run")
    assert record(tmp_path / "run") == whole.record
    assert _same_weights(tmp_path / "run", tmp_path / "whole")


@pytest.mark.usefixtures("monitors")
def test_on_trouble_stop_ends_the_run_and_it_can_be_resumed(tmp_path: Path) -> None:
    whole = watched(SPEC, tmp_path / "whole")
    stopping = SPEC.replace("epochs 3", "epochs 3; on trouble stop")
    ran = watched(stopping, tmp_path / "run")
    assert ran.run is not None
    assert (ran.run.history.ended, ran.monitors) == ("trouble", ["after-4"])
    assert ran.run.history.epochs[-1].step == 4
    assert (tmp_path / "run" / "weights.safetensors").exists()
    assert resume(tmp_path / "run").history.ended == "trouble"
    assert [trouble["step"] for trouble in record(tmp_path / "run")] == [4, 8]
    assert resume(tmp_path / "run", on_trouble="warn").history.ended == "finished"
    assert record(tmp_path / "run") == whole.record
    assert _same_weights(tmp_path / "run", tmp_path / "whole")


def _same_weights(one: Path, other: Path) -> bool:
    first, second = (load_file(path / "last.safetensors") for path in (one, other))
    return all(torch.equal(first[name], second[name]) for name in first)


def test_watching_sees_the_numbers_of_the_probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes, spreads, active channels and gradients of layers agree with those of the plain module."""
    seen: list[RunSoFar] = []
    training: list[Training] = []
    pictures: list[Sample] = []
    last = Monitor("last", "", lambda now: seen.append(now) or (), (), False)  # type: ignore[func-returns-value]
    monkeypatch.setattr(watch, "every", lambda: (last,))
    begin = watch.Watch.on_start

    def keep(self: watch.Watch, current: Training) -> None:
        begin(self, current)
        training.append(current)
        pictures.extend(self._prober.batches)

    monkeypatch.setattr(watch.Watch, "on_start", keep)
    plain = """autoencoder plain
input 1x8x8
data digits limit=60
encoder { conv 2 relu; maxpool 2 }
bottleneck dense 3
decoder mirror
train { epochs 1; batch 54; precision fp32; validation 10%; optimizer sgd lr=1e-30 }
"""
    watched(plain, tmp_path / "run")
    module, images, probe = training[0].module, pictures[0].seen, seen[0].probes[0]
    conv = module.get_submodule("encoder.1")(module.get_submodule("encoder.0")(images))
    assert probe.layers[0].size == pytest.approx(conv.square().mean().sqrt().item(), rel=1e-4)
    assert probe.layers[0].spread == pytest.approx(conv.var(0, correction=0).mean().sqrt().item(), rel=1e-4)
    assert probe.layers[0].firing == (conv > 0).transpose(0, 1).flatten(1).any(1).float().mean().item()
    loss = (module(images) - images).square().mean()
    assert probe.error == pytest.approx(loss.item(), rel=1e-4)
    kernel = module.get_submodule("encoder.0").get_parameter("weight")
    (gradient,) = torch.autograd.grad(loss, kernel)
    assert probe.layers[0].gradient == pytest.approx(gradient.norm().item(), rel=1e-4)
    mean = torch.cat([picture.target for picture in pictures]).mean(0)
    assert probe.mean_error == pytest.approx((images - mean).square().mean().item(), rel=1e-4)
    assert probe.moving == "111"


def test_a_part_of_the_code_is_shown_as_its_bottleneck() -> None:
    text = spec("epochs 1", code="variational 8 beta=2")
    places = Places.of(model_of(text), text, "<spec>")
    shown = [places.of_layer(number).shown for number in range(len(places.origins))]
    assert [place for place in shown if "(bottleneck" in place] == [
        "<spec>:5: `dense 16` (bottleneck 1)",
        "<spec>:5: `bottleneck variational 8 beta=2` (bottleneck 2)",
    ]
