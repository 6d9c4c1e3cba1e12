"""Check that a checkpoint belongs to a run: names, shapes, types and ranges.

A checksum cannot ensure this, since whoever writes a checkpoint can also write a matching checksum. The code that
restores a checkpoint relies on these checks.
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from caedsl.diagnostics.text import counted
from caedsl.training.epoch_table import columns, table_misfit
from caedsl.training.loop import Training
from caedsl.training.monitors.engine.watch import Watch
from caedsl.training.optimizers import make_optimizer
from caedsl.training.schema import ProgressRecord, read_progress

Shapes = dict[str, tuple[tuple[int, ...], torch.dtype]]


def misfit(training: Training, tensors: Mapping[str, Tensor], text: str) -> str | None:
    """Return why a state cannot belong to ``training``, which has not begun; None if it can."""
    progress = read_progress(text)
    return next(_misfits(training, tensors, progress), None)


def _misfits(training: Training, tensors: Mapping[str, Tensor], progress: ProgressRecord) -> Iterator[str]:
    expected = _expected(training, progress)
    found = {name: (tuple(value.shape), value.dtype) for name, value in tensors.items()}
    for name in {**expected, **found}:
        if expected.get(name) != found.get(name):
            there, here = _described(found.get(name)), _described(expected.get(name))
            yield f"its {name} is {there}, but that of this run is {here}"
    table = tensors.get("history")
    reason = table_misfit(table, training.validation is not None) if table is not None else None
    if reason is not None:
        yield reason
    yield from _progress_misfits(training, progress)


def _progress_misfits(training: Training, progress: ProgressRecord) -> Iterator[str]:
    steps = progress.steps or 0
    done = (progress.epoch - 1) * training.steps_per_epoch + steps
    if progress.step != done or steps > training.steps_per_epoch:
        yield f"it has {progress.step} steps, but its epochs have {done}"
    if progress.epochs not in (progress.epoch - 1, progress.epoch):
        yield f"its history has {counted(progress.epochs, 'epoch')}, but it is in epoch {progress.epoch}"
    if progress.scaler.keys() != training.scaler.state_dict().keys():
        yield "it has another precision"
    if (progress.averaged is None) != (training.average is None):
        yield "it has another `ema`"
    if progress.terms != list(training.objective.names):
        yield "its loss has other terms"
    watch = next((callback for callback in training.callbacks if isinstance(callback, Watch)), None)
    if watch is not None and progress.watch is not None:
        layers = len(watch.places.origins)
        if any(len(probe.layers) != layers for probe in progress.probed):
            yield "its monitors belong to another model"
        if any(len(losses) != 1 + len(progress.terms) for losses, _ in progress.watch.pending):
            yield "the losses of its monitors have other terms"
        if progress.watch.read > steps:
            yield "its monitors have losses that the checkpoint lacks"


def _expected(training: Training, progress: ProgressRecord) -> Shapes:
    """Return the shapes and types of the tensors in a state of ``training`` with this progress."""
    state = training.module.state_dict()
    expected = {f"weights.{name}": _shape(value) for name, value in state.items()}
    if progress.epochs:
        expected["history"] = (progress.epochs, columns(training.history)), torch.float64
        expected |= {f"best.{name}": _shape(value) for name, value in state.items()}
    weights = [weight for group in training.optimizer.param_groups for weight in group["params"]]
    if progress.step:
        for number, weight in enumerate(weights):
            expected |= {f"optimizer.{number}.{key}": shape for key, shape in _moments(training, weight).items()}
    if training.average is not None:
        expected |= {f"average.{number}": _shape(value) for number, value in enumerate(training.average.averages)}
    if progress.steps is not None:
        expected["ledger"] = (progress.steps, 2 + len(training.objective.names)), torch.float32
    return expected


def _moments(training: Training, weight: nn.Parameter) -> Shapes:
    """Return the shapes of the optimizer's state for a weight, found by a step on a weight of one number."""
    stand_in = nn.Parameter(torch.zeros(1, 1))
    optimizer = make_optimizer(training.settings.optimizer, [stand_in])
    stand_in.grad = torch.zeros(1, 1)
    optimizer.step()
    state = optimizer.state[stand_in]
    return {
        key: (tuple(weight.shape) if value.shape == stand_in.shape else tuple(value.shape), value.dtype)
        for key, value in state.items()
        if isinstance(value, Tensor)
    }


def _shape(value: Tensor) -> tuple[tuple[int, ...], torch.dtype]:
    return tuple(value.shape), value.dtype


def _described(shape: tuple[tuple[int, ...], torch.dtype] | None) -> str:
    return "nothing" if shape is None else f"{'x'.join(map(str, shape[0])) or 'a number'} of {shape[1]}"
