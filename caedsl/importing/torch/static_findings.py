"""Findings of ``caedsl check`` about a module that caedsl did not build."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from caedsl.diagnostics.finding import Finding
from caedsl.importing.errors import ImportFailure
from caedsl.importing.torch.modules import module_network
from caedsl.importing.writing import write
from caedsl.model.data import InputRange
from caedsl.model.settings import Settled
from caedsl.vocabulary.shape import Shape
from caedsl.vocabulary.spelling import number_text


def findings_of(
    module: nn.Module, settings: Callable[[int], Settled]
) -> Callable[[Shape, InputRange, int], Sequence[Finding]]:
    """Return a function from the shape and range of samples, and the batch, to the static findings of a module.

    There are none if a spec cannot express the module.
    """

    def found(shape: Shape, values: InputRange, batch: int) -> Sequence[Finding]:
        present = settings(batch)
        kind = present.optimizer
        others = {"momentum": kind.momentum, "weight_decay": kind.weight_decay}
        numbers = {"lr": kind.lr, **{name: value for name, value in others.items() if name in kind.options}}
        options = " ".join(f"{name}={number_text(value, exact=True)}" for name, value in numbers.items())
        train = {"optimizer": f"{kind.name} {options}", "batch": str(present.batch)}
        try:
            with torch.random.fork_rng([]), np.errstate(all="ignore"):  # weights may be huge or non-finite
                network = module_network(module, shape, values)
            return write(replace(network, train=train)).checked.findings
        except ImportFailure:
            return ()

    return found
