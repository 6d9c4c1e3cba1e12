"""What ``caedsl check`` says of a module that caedsl did not build."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from caedsl.diagnostics.finding import Finding
from caedsl.importing.errors import ImportFailure
from caedsl.importing.spelling import number
from caedsl.importing.torch_modules import module_network
from caedsl.importing.writing import write
from caedsl.model.settings import Settled
from caedsl.vocabulary.shape import Shape


def findings_of(
    module: nn.Module, settings: Callable[[int], Settled]
) -> Callable[[Shape, str, int], Sequence[Finding]]:
    """Return what finds the static findings of a module from the shape and the range of its samples, and the batch.

    There are none where the module has no equal in a spec.
    """

    def found(shape: Shape, range_: str, batch: int) -> Sequence[Finding]:
        present = settings(batch)
        optimizer = f"optimizer {present.optimizer.name} lr={number(present.optimizer.lr)}"
        try:
            with torch.random.fork_rng([]), np.errstate(all="ignore"):  # weights may have exploded
                network = module_network(module, shape, range_)
            return write(replace(network, train=(optimizer, f"batch {present.batch}"))).checked.findings
        except ImportFailure:
            return ()

    return found
