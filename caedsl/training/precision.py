"""The number format of the forward pass; weights, gradients of weights and losses stay in 32 bits."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from caedsl.backends.torch.modules import Normalise, SampleNormalise
from caedsl.runs.errors import TrainingError
from caedsl.vocabulary.activations import FUNCTIONS, Activation
from caedsl.vocabulary.option import REQUIRED
from caedsl.vocabulary.precisions import BF16, FP32, PRECISIONS, PrecisionKind


@dataclass(frozen=True)
class Precision:
    """Number format on a device type (``cpu``, ``cuda``)."""

    name: str
    device_type: str

    @property
    def kind(self) -> PrecisionKind:
        """Declaration of the number format."""
        return PRECISIONS[self.name]

    @property
    def dtype(self) -> torch.dtype:
        """Type in which convolutions and matrices are multiplied."""
        dtype: torch.dtype = getattr(torch, self.kind.dtype)
        return dtype

    def autocast(self) -> torch.autocast:
        """Return a context in which convolutions and matrix products use this format."""
        # Even a context that is not enabled has to name a type that autocast accepts.
        dtype = torch.bfloat16 if self.kind.exact else self.dtype
        return torch.autocast(self.device_type, dtype, enabled=not self.kind.exact)

    def scaler(self) -> torch.amp.GradScaler:
        """Return the gradient scaler, which is enabled only for formats in which gradients would underflow."""
        return torch.amp.GradScaler(self.device_type, enabled=self.kind.scaled)

    @contextmanager
    def products(self) -> Iterator[None]:
        """Multiply 32-bit numbers exactly within the block, on CUDA as TensorFloat-32 unless the format is exact.

        The program may have chosen otherwise, for example with ``torch.set_float32_matmul_precision``; its choice is
        restored after the block.
        """
        backends: Any = torch.backends
        on_cuda = (backends.cuda.matmul, backends.cudnn.conv, backends.cudnn.rnn)
        switches = (*on_cuda, backends.mkldnn.matmul, backends.mkldnn.conv)
        exact = self.kind.exact
        before, older = [switch.fp32_precision for switch in switches], _older_precision()
        try:
            # The older settings are set too, since reading them raises if the newer ones disagree.
            _set_older("highest" if exact else "high", not exact)
            for switch in switches:
                switch.fp32_precision = "tf32" if switch in on_cuda and not exact else "ieee"
            yield
        finally:
            _set_older(older, before[1] == "tf32")
            for switch, value in zip(switches, before, strict=True):
                switch.fp32_precision = value


def _older_precision() -> str:
    """Return PyTorch's older setting for matrix products; "highest" if the program has contradicted it."""
    try:
        return torch.get_float32_matmul_precision()
    except RuntimeError:
        return "highest"


def _set_older(matmul: str, tf32_convolutions: bool) -> None:
    torch.set_float32_matmul_precision(matmul)
    torch.backends.cudnn.allow_tf32 = tf32_convolutions


def choose_precision(wanted: str, device: torch.device) -> Precision:
    """Return the format ``wanted`` on the device; ``auto`` is bf16 if that is fast on the device, else fp32.

    Fast means tensor cores on CUDA (Ampere and later), AVX-512 BF16 or AMX on a CPU. Raise ``TrainingError`` for fp16
    on a device other than CUDA.
    """
    if wanted == "auto":
        return Precision((BF16 if _has_fast_bf16(device) else FP32).name, device.type)
    if PRECISIONS[wanted].scaled and device.type != "cuda":
        raise TrainingError(
            f"precision {wanted} needs a CUDA device, but this run is on {device.type}: use bf16, fp32 or auto"
        )
    return Precision(wanted, device.type)


def _has_fast_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # PyTorch exposes these processor features only through private functions.
    return any(getattr(torch.cpu, name, bool)() for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))


@contextmanager
def exact_output(module: nn.Module) -> Iterator[None]:
    """Compute the last activation of the decoder in 32 bits within the block, if it saturates.

    bf16 has no number between 0.996 and 1, so a sigmoid saturates there and its gradient vanishes.
    """
    handle = output_in(torch.float32, module)
    try:
        yield
    finally:
        if handle is not None:
            handle.remove()


def output_in(dtype: torch.dtype, module: nn.Module) -> RemovableHandle | None:
    """Make ``module`` compute the last activation of the decoder in ``dtype``, if it saturates; return the hook."""

    def convert(activation: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(x.to(dtype) if isinstance(x, Tensor) else x for x in inputs)

    # Functions that require an option (`clip`) share their module with one that does not (`hardtanh`).
    named = [
        f.name for f in FUNCTIONS.values() if f.saturates and (f.option is None or f.option.default is not REQUIRED)
    ]
    saturating = {call.name for name in named for call in Activation(name).calls(1)}
    decoder = module.get_submodule("decoder").modules()
    last = [part for part in decoder if not isinstance(part, Normalise | SampleNormalise)][-1]
    return last.register_forward_pre_hook(convert) if type(last).__name__ in saturating else None
