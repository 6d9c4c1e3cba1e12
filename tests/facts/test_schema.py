"""Settings in a run folder: what is written is read back, and so is what version 0.1 wrote."""

import json

import pytest
from pydantic import ValidationError

from caedsl.facts.schema import read_settings, settings_json
from caedsl.model.settings import Augment, Corrupt, Loss, LossTerm, Optimizer, Schedule, Train

SETTINGS = Train(
    loss=Loss((LossTerm("huber", 0.5, {"delta": 0.1}), LossTerm("mse")), worst=0.25),
    optimizer=Optimizer("sgd", 0.1, {"momentum": 0.9, "nesterov": True}),
    schedule=Schedule("step", {"at": 4, "warmup": 0.1}),
    corrupt=Corrupt({"gaussian": (0.0, 0.2), "masking": 0.1}),
    augment=Augment({"flip": True, "shift": 2}),
)


def test_settings_are_read_back() -> None:
    assert read_settings(settings_json(SETTINGS)) == SETTINGS


def test_settings_of_version_0_1_are_read() -> None:
    old = {
        "loss": {"terms": [{"name": "mse", "weight": 1.0}], "reduction": "mean"},
        "optimizer": {"name": "sgd", "lr": 0.1, "momentum": 0.9, "beta1": 0.9, "eps_hat": None, "weight_decay": 0.0},
        "schedule": {"name": "step", "warmup": 0.1, "at": 4, "factor": 0.1, "patience": 5},
        "corrupt": {"gaussian": 0.0, "masking": 0.1, "saltpepper": 0.0, "hole": 0.0},
        "augment": {"flip": True, "shift": 2, "rotate": 0.0},
    }
    found = read_settings(json.dumps(old))
    assert found.optimizer == Optimizer("sgd", 0.1, {"momentum": 0.9})
    assert (found.schedule, found.augment) == (SETTINGS.schedule, SETTINGS.augment)
    assert found.corrupt == Corrupt({"masking": 0.1})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[" * 10_000,
        "[]",
        '{"optimizer": {"name": "no"}}',
        '{"optimizer": {"name": ["adam"]}}',
        '{"optimizer": {"name": "no", "options": {}}}',
        '{"schedule": {"name": "cosine", "options": {"at": 3}}}',
        '{"schedule": {"name": "step", "options": {}}}',
        '{"augment": {"options": {"flip": -1}}}',
        '{"augment": {"options": {"flip": 1}}}',
        '{"augment": {"options": {"shift": true}}}',
        '{"optimizer": {"options": {"weight_decay": true}}}',
        '{"epochs": true}',
        '{"epochs": "3"}',
        '{"validation": true}',
        '{"deterministic": 1}',
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        read_settings(text)
