"""The number format of the forward pass; weights, gradients of weights and losses stay in 32 bits."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from caedsl.runs.errors import TrainingError
from caedsl.vocabulary.activations import FUNCTIONS, Activation
from caedsl.vocabulary.option import REQUIRED

_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Precision:
    """``fp32``, ``bf16`` or ``fp16`` on a type of device (``cpu``, ``cuda``)."""

    name: str
    device_type: str

    def autocast(self) -> torch.autocast:
        """Inside, convolutions and matrix products run in this format."""
        return torch.autocast(self.device_type, _DTYPES.get(self.name, torch.bfloat16), enabled=self.name != "fp32")

    def scaler(self) -> torch.amp.GradScaler:
        """Scales the loss so that gradients do not underflow in fp16; passes everything through otherwise."""
        return torch.amp.GradScaler(self.device_type, enabled=self.name == "fp16")

    @contextmanager
    def products(self) -> Iterator[None]:
        """Inside, CUDA multiplies what stays in 32 bits as TensorFloat-32, but in full where the spec says ``fp32``."""
        # Both names are set, and to the same: PyTorch's readers of the older ones raise where the newer ones disagree.
        older: tuple[Any, ...] = (torch.backends.cuda.matmul, torch.backends.cudnn)
        newer: tuple[Any, ...] = (torch.backends.cuda.matmul, torch.backends.cudnn.conv)  # type: ignore[attr-defined]
        before = [switch.fp32_precision for switch in newer]
        try:
            for switch, named in zip(older, newer, strict=True):
                switch.allow_tf32 = self.name != "fp32"
                named.fp32_precision = "ieee" if self.name == "fp32" else "tf32"
            yield
        finally:
            for switch, named, value in zip(older, newer, before, strict=True):
                switch.allow_tf32 = value == "tf32"
                named.fp32_precision = value


def choose_precision(wanted: str, device: torch.device) -> Precision:
    """``auto`` is bf16 where the device computes it fast, fp32 elsewhere.

    Fast means tensor cores on CUDA (Ampere and later), AVX-512 BF16 or AMX on a CPU. fp16 needs CUDA.
    """
    if wanted == "auto":
        return Precision("bf16" if _has_fast_bf16(device) else "fp32", device.type)
    if wanted == "fp16" and device.type != "cuda":
        raise TrainingError(
            f"precision fp16 needs a CUDA device, and this run is on {device.type}: use bf16, fp32 or auto"
        )
    return Precision(wanted, device.type)


def _has_fast_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # PyTorch asks the processor only through private functions.
    return any(getattr(torch.cpu, name, bool)() for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))


@contextmanager
def exact_output(module: nn.Module) -> Iterator[None]:
    """Inside, the last activation of the decoder computes in 32 bits.

    A sigmoid in bf16 has no number between 0.996 and 1, and its gradient vanishes there.
    """

    def to_float(activation: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(x.float() if isinstance(x, Tensor) else x for x in inputs)

    # One that needs a number (`clip`) is the module of one that does not (`hardtanh`).
    named = [
        f.name for f in FUNCTIONS.values() if f.saturates and (f.option is None or f.option.default is not REQUIRED)
    ]
    saturating = {call.name for name in named for call in Activation(name).calls()}
    last = list(module.get_submodule("decoder").modules())[-1]
    handle = last.register_forward_pre_hook(to_float) if type(last).__name__ in saturating else None
    try:
        yield
    finally:
        if handle is not None:
            handle.remove()
