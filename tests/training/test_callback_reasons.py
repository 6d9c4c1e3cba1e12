"""Reasons to stop and states that callbacks return."""

from pathlib import Path
from typing import Any

import pytest
import torch

import caedsl
from caedsl.runs.errors import TrainingError
from caedsl.training.loop import Callback, Training
from caedsl.training.train import train

from .tiny import model_of

pytestmark = pytest.mark.torch
SPEC = """autoencoder stopped
input 1x8x8
data digits limit=40
encoder { conv 2; maxpool 2 }
bottleneck dense 2
decoder mirror
train { batch 8; epochs 2; threads 1; precision fp32 }
"""


class AtOnce(Callback):
    def on_start(self, training: Training) -> str:
        return "enough"


class Returning(Callback):
    """Callback that returns the wrong value from one of its methods."""

    def __init__(self, hook: str, value: Any) -> None:
        setattr(self, hook, lambda *arguments: value)


class Keeping(Callback):
    def __init__(self, kept: dict[Any, Any]) -> None:
        self.kept = kept

    def state(self) -> dict[Any, Any]:
        return self.kept


@pytest.mark.parametrize(
    ("kept", "problem"),
    [
        ({"best": [1.0, torch.tensor(2.0)]}, r"Keeping.state\(\)\['best'\]\[1\], tensor\(2.\) of type Tensor"),
        ({"seen": {3: "a"}}, r"the key 3 in Keeping.state\(\)\['seen'\], which is not a string"),
        ({"path": Path("x" * 99)}, r"Keeping.state\(\)\['path'\], PosixPath\('x+… of type PosixPath"),
    ],
)
def test_a_state_that_json_cannot_hold_is_an_error_with_its_place(
    kept: dict[Any, Any], problem: str, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match=f"a checkpoint cannot hold {problem}: return JSON values from"):
        train(model_of(SPEC), spec_text=SPEC, out=tmp_path / "run", callbacks=[Keeping(kept)])


@pytest.mark.parametrize("value", [True, False, 0.01, ""])
@pytest.mark.parametrize("hook", ["on_start", "on_step", "on_epoch"])
def test_a_reason_that_is_no_text_is_an_error_with_its_place(hook: str, value: object, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=f"Returning.{hook} returned {value!r}: return None to continue"):
        train(model_of(SPEC), spec_text=SPEC, out=tmp_path / "run", callbacks=[Returning(hook, value)])


@pytest.mark.parametrize(
    ("callbacks", "message"),
    [
        (AtOnce(), r"callbacks is one AtOnce: pass a list, \[AtOnce\(…\)\]"),
        ([AtOnce], r"callbacks has the class AtOnce: pass an object, AtOnce\(…\)"),
        ([len], r"callbacks has a builtin_function_or_method: derive its class from caedsl.Callback"),
    ],
)
def test_anything_but_a_list_of_callbacks_is_an_error_with_its_remedy(
    callbacks: Any, message: str, tmp_path: Path
) -> None:
    for start in (caedsl.train, caedsl.resume):
        with pytest.raises(TypeError, match=message):
            start(SPEC, callbacks=callbacks)


def test_a_reason_before_the_first_step_is_an_error_and_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="before its first step, with the reason 'enough'"):
        train(model_of(SPEC), spec_text=SPEC, out=tmp_path / "run", callbacks=[AtOnce()])
    assert not (tmp_path / "run").exists()
