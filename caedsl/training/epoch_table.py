"""The epochs of a history as a tensor: a checkpoint with a million of them is read without parsing any text."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from caedsl.runs.history import Epoch, History

_NUMBERS = ("epoch", "step", "loss", "reconstruction", "validation", "lr", "seconds", "images_per_second")
_VALIDATION = _NUMBERS.index("validation")


def columns(history: History) -> int:
    """Return the number of columns of the table: the numbers of an epoch, the terms of its loss, its measures."""
    return len(_NUMBERS) + len(history.terms) + len(history.code)


def to_table(history: History) -> Tensor:
    """Return the epochs × columns of ``history`` in 64 bits; a missing validation loss is NaN."""
    rows = [
        [
            *(math.nan if value is None else value for value in map(row.__getattribute__, _NUMBERS)),
            *map(row.terms.__getitem__, history.terms),
            *map(row.code.__getitem__, history.code),
        ]
        for row in history.epochs
    ]
    return torch.tensor(rows, dtype=torch.float64).view(-1, columns(history))


def from_table(table: Tensor, history: History) -> Iterator[Epoch]:
    """Yield the epochs in a result of ``to_table``; ``history`` has the names of its columns."""
    terms = len(_NUMBERS) + len(history.terms)
    for row in table.tolist():
        epoch, step, loss, reconstruction, validation, lr, seconds, speed = row[: len(_NUMBERS)]
        yield Epoch(
            int(epoch),
            int(step),
            loss,
            reconstruction,
            None if math.isnan(validation) else validation,
            lr,
            seconds,
            speed,
            dict(zip(history.terms, row[len(_NUMBERS) : terms], strict=True)),
            dict(zip(history.code, row[terms:], strict=True)),
        )


def table_misfit(table: Tensor, validated: bool) -> str | None:
    """Return why ``table`` cannot be a history, or None; ``validated``: whether epochs have validation losses."""
    missing = torch.zeros_like(table, dtype=torch.bool)
    missing[:, _VALIDATION] = not validated
    if not torch.equal(table.isnan(), missing) or table.isinf().any():
        return "its history has numbers that are not finite"
    epochs, steps = table[:, 0], table[:, 1]
    if not torch.equal(epochs, torch.arange(1.0, 1 + len(table), dtype=table.dtype)):
        return "the epochs of its history are not in order"
    if (steps != steps.floor()).any() or (steps.diff(prepend=steps.new_zeros(1)) < 0).any():
        return "the steps of its history are not in order"
    return None
