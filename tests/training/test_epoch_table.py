"""The history in a checkpoint: the same epochs come back, and no other table is taken for one."""

import re
from dataclasses import replace

import pytest
import torch

from caedsl.runs.history import Epoch, History
from caedsl.training.epoch_table import from_table, table_misfit, to_table

EPOCHS = [
    Epoch(1, 3, 0.1, 1 / 3, 0.7, 1e-3, 1.234, 567.8, {"mse": 0.3, "kl": 0.0}, {"code_loss": 1e-9}),
    Epoch(2, 2**53, 1e-300, 0.2, 0.5, 1e-3, 9.0, 1e9, {"mse": 0.2, "kl": 2.0}, {"code_loss": 0.5}),
]


def history(*epochs: Epoch) -> History:
    return History(list(epochs), terms=("mse", "kl"), code=("code_loss",))


@pytest.mark.parametrize("validation", [0.5, None])
@pytest.mark.parametrize("count", [0, 1, 2])
def test_the_same_epochs_come_back(count: int, validation: float | None) -> None:
    given = history(*(replace(epoch, validation=validation) for epoch in EPOCHS[:count]))
    table = to_table(given)
    assert table_misfit(table, validated=validation is not None) is None
    assert list(from_table(table, given)) == given.epochs


@pytest.mark.parametrize(
    ("place", "value", "problem"),
    [
        ((0, 0), 2.0, "epochs .* not in order"),
        ((1, 1), 2.0, "steps .* not in order"),
        ((0, 1), 2.5, "steps .* not in order"),
        ((0, 1), -1.0, "steps .* not in order"),
        ((1, 2), float("nan"), "not finite"),
        ((0, 4), float("nan"), "not finite"),
        ((1, 9), float("inf"), "not finite"),
    ],
)
def test_another_table_is_no_history(place: tuple[int, int], value: float, problem: str) -> None:
    table = to_table(history(*EPOCHS))
    table[place] = value
    found = table_misfit(table, validated=True)
    assert found is not None
    assert re.search(problem, found)


def test_a_validation_loss_without_validation_is_no_history() -> None:
    assert table_misfit(to_table(history(*EPOCHS)), validated=False) is not None
    assert table_misfit(torch.zeros(0, 11, dtype=torch.float64), validated=False) is None
