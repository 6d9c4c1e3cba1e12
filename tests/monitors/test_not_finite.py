"""Non-finite losses: the weights are frozen until they are noticed, and the first layer at fault is named."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from caedsl.model.settings import Optimizer
from caedsl.training.batches import Batches
from caedsl.training.loop import Training
from caedsl.training.monitors.engine import watch
from caedsl.training.non_finite_guard import NonFiniteGuard
from caedsl.training.objective import Losses
from caedsl.training.optimizers import make_optimizer
from caedsl.training.parallel import processes
from caedsl.vocabulary.optimizers import OPTIMIZERS

from .runs import spec, watched

PATHS = ("encoder.0", "bottleneck.1", "decoder.0")
QUIET = spec("epochs 2; optimizer adam lr=1e-3")


@pytest.mark.parametrize(
    "settings", [*map(Optimizer, OPTIMIZERS), Optimizer("sgd", options={"momentum": 0.5})], ids=str
)
def test_weights_stand_still_from_the_first_such_loss_on(settings: Optimizer) -> None:
    layer = nn.Linear(3, 1)
    optimizer = make_optimizer(settings, layer.parameters())
    guard = NonFiniteGuard(optimizer, torch.device("cpu"), active=True)

    def step(factor: float) -> None:
        optimizer.zero_grad()
        loss = layer(torch.ones(2, 3)).square().mean() * factor
        guard.notice(loss.detach())
        loss.backward()
        guard.before_step()
        optimizer.step()

    start = layer.weight.detach().clone()
    step(1.0)
    moved = layer.weight.detach().clone()
    assert not torch.equal(moved, start)
    for factor in (math.nan, 1.0, math.inf, 1.0):
        step(factor)
    assert torch.equal(layer.weight, moved)


def spoiled_at(step: int, spoil: Callable[[Training], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Call ``spoil`` before that step (counted from 0), and read losses only at the end of the epoch."""
    take_step = Training.take_step
    monkeypatch.setattr(processes, "SECONDS_BETWEEN_READS", 1e9)

    def spoiling(self: Training, *x: Any) -> Losses:
        if self.step == step:
            spoil(self)
        return take_step(self, *x)

    monkeypatch.setattr(Training, "take_step", spoiling)


@torch.no_grad()
def huge(training: Training) -> None:
    """Make the second layer overflow in the forward pass: 1e30 times 1e30."""
    training.module.get_submodule("encoder.0").get_parameter("weight").fill_(1e30)
    training.module.get_submodule("bottleneck.1").get_parameter("weight").fill_(1e30)


@torch.no_grad()
def ruined(training: Training) -> None:
    """Set the weights as a non-finite gradient in the decoder's first layer leaves them."""
    for path in PATHS:
        training.module.get_submodule(path).get_parameter("weight")[0] = math.nan


@pytest.mark.parametrize(
    ("spoil", "layer", "line", "words"),
    [
        (huge, "bottleneck 1: dense 8", 5, "its output is the first that is not finite"),
        (ruined, "decoder 1: dense 64 relu", 5, "its gradient was not finite one step before"),
    ],
)
def test_the_first_layer_is_named_however_late_it_is_noticed(
    spoil: Callable[[Training], None],
    layer: str,
    line: int,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoiled_at(43, spoil, monkeypatch)
    ran = watched(QUIET, tmp_path / "run")
    assert "at step 44 (epoch 2)" in ran.error
    assert words in ran.error
    assert ran.heard == []
    said = [(said["monitor"], said["step"], said["layer"], said["line"]) for said in ran.record]
    assert said == [("not-finite", 44, layer, line)]
    assert words in ran.record[0]["message"]


def test_a_gradient_that_is_not_finite_is_named_where_clipping_would_spread_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @torch.no_grad()
    def steep(training: Training) -> None:
        """Make the loss about 1e34; its gradient at the code, 1e29, overflows 3e38 in the layer of the code."""
        for path, factor in (("encoder.0", 1e12), ("bottleneck.1", 1e-12), ("decoder.0", 1e17)):
            training.module.get_submodule(path).get_parameter("weight").mul_(factor)

    spoiled_at(43, steep, monkeypatch)
    clipped = spec("epochs 2; clip 1.0; optimizer adam lr=1e-3", decoder="dense 64; reshape 1x8x8")
    ran = watched(clipped, tmp_path / "run")
    assert "at step 44 (epoch 2)" in ran.error
    assert ran.record[0]["layer"] == "bottleneck 1: dense 8"
    assert ran.record[0]["message"] == "its gradient is the first in the backward pass that is not finite"


def test_without_the_memory_to_look_for_the_layer_that_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr(watch, "find_origin", exhausted)
    spoiled_at(43, huge, monkeypatch)
    ran = watched(QUIET, tmp_path / "run")
    assert "at step 44 (epoch 2); the layer is unknown" in ran.error
    assert "try a smaller learning rate" in ran.error
    assert ran.record == []


def test_a_validation_loss_that_is_not_finite_names_the_layer_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_out = Training._held_out

    def spoiling(self: Training, batches: Batches) -> tuple[float, float]:
        huge(self)
        return held_out(self, batches)

    monkeypatch.setattr(Training, "_held_out", spoiling)
    ran = watched(QUIET, tmp_path / "run")
    assert "the validation loss is" in ran.error
    assert "<spec>:5: `dense 8` (bottleneck 1): its output is the first that is not finite" in ran.error
