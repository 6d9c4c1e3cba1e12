"""Network compiled by PyTorch for training steps on whole batches."""

from typing import Any

import torch
from torch import Tensor, nn


class CompiledNetwork(nn.Module):
    """Network that is compiled for training on whole batches.

    Other inputs, and all inputs after a failed compilation, go to ``network`` itself.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.encoder, self.decoder = network.get_submodule("encoder"), network.get_submodule("decoder")
        self.bottleneck = network.get_submodule("bottleneck")
        self.failure: str | None = None
        self._shape: torch.Size | None = None
        self._compiled: Any = torch.compile(network, dynamic=False)

    def forward(self, x_bchw: Tensor) -> Tensor:
        """Return the output of ``network``."""
        if self._shape is None and self.training:
            self._shape = x_bchw.shape
            self._rehearse(x_bchw)
        if self.failure is not None or not self.training or x_bchw.shape != self._shape:
            return self._plain(x_bchw)
        image: Tensor = self._compiled(x_bchw)
        return image

    def _rehearse(self, x_bchw: Tensor) -> None:
        """Compile both passes and record a failure; buffers and random state are left unchanged.

        PyTorch compiles the backward pass only when gradients are computed, after ``forward`` has returned.
        """
        buffers = {name: buffer.clone() for name, buffer in self.network.named_buffers()}
        device = x_bchw.device
        try:
            with torch.random.fork_rng([device] if device.type == "cuda" else []), torch.enable_grad():
                weights = [weight for weight in self.network.parameters() if weight.requires_grad]
                torch.autograd.grad(self._compiled(x_bchw).float().sum(), weights, allow_unused=True)
        except torch.OutOfMemoryError:
            raise
        except (
            Exception
        ) as error:  # the compiler raises whatever its parts do; training without it is slower, not wrong
            self.failure = (str(error).strip() or type(error).__name__).splitlines()[0]
        finally:
            with torch.no_grad():
                for name, buffer in self.network.named_buffers():
                    buffer.copy_(buffers[name])

    def _plain(self, x_bchw: Tensor) -> Tensor:
        image: Tensor = self.network(x_bchw)
        return image
