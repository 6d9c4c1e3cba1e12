"""Compiling the network where that pays for its start-up.

On a CPU it does not: the faster form is ahead of what the compiler makes (``benchmarks/training.py``).
"""

from typing import Any

import torch
from torch import Tensor, nn

SECONDS_TO_COMPILE = 60.0
PAYS_FROM = 3 * SECONDS_TO_COMPILE
"""How long an uncompiled run must be: compiled steps are some 1.5 times faster or more, which then makes good the start."""
SHORTEST_STEP = 2e-3
OPERATIONS_A_SECOND = 2e13
"""An uncompiled step on a GPU takes the longer of launching its kernels and of its arithmetic. These three are estimates
for a current GPU, rough on purpose: they decide whether to compile, never what is computed."""


class Compiled(nn.Module):
    """``network`` compiled for training on whole batches; all else, and all after a failure, goes to ``network`` itself.

    Steps that launching dominates are replayed as CUDA graphs.
    """

    def __init__(self, network: nn.Module, graphs: bool) -> None:
        super().__init__()
        self.network = network
        self.graphs = graphs
        self.encoder, self.decoder = network.get_submodule("encoder"), network.get_submodule("decoder")
        self.failure: str | None = None
        self._shape: torch.Size | None = None
        self._compiled: Any = torch.compile(network, mode="reduce-overhead" if graphs else "default", dynamic=False)

    def forward(self, x_bchw: Tensor) -> Tensor:
        """What ``network`` gives."""
        if self._shape is None and self.training:
            self._shape = x_bchw.shape
        if self.failure is not None or not self.training or x_bchw.shape != self._shape:
            return self._plain(x_bchw)
        try:
            if self.graphs:
                torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
            image: Tensor = self._compiled(x_bchw)
        except torch.OutOfMemoryError:
            raise
        except (
            Exception
        ) as error:  # the compiler raises whatever its parts do; without it training is slower, not wrong
            self.failure = str(error).strip().splitlines()[0]
            return self._plain(x_bchw)
        return image

    def _plain(self, x_bchw: Tensor) -> Tensor:
        image: Tensor = self.network(x_bchw)
        return image


def compiled(network: nn.Module, device: torch.device, steps: int, operations: float) -> nn.Module:
    """``network``, compiled if it will train on CUDA for so many ``steps`` of so many ``operations`` that it pays."""
    arithmetic = operations / OPERATIONS_A_SECOND
    if device.type != "cuda" or steps * max(SHORTEST_STEP, arithmetic) < PAYS_FROM:
        return network
    return Compiled(network, graphs=arithmetic < SHORTEST_STEP)
