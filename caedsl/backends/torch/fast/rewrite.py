"""Rewrite a module into its faster form: the same weights, the same values up to rounding, computed another way."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from caedsl.backends.torch.fast.convolutions import FastTransposed, PlainConvolution, ToFew
from caedsl.backends.torch.fast.kernels import Convolution, is_plain, is_single, transposed_window
from caedsl.backends.torch.fast.patches import Pair
from caedsl.backends.torch.modules import Residual
from caedsl.vocabulary.shape import Shape, rank

FEW = 4
LEAST_RATIO = 10
"""Least ratio of input to output channels for which patches pay, given at most ``FEW`` output channels, which leave
most of oneDNN's blocks of 16 channels empty. Measured at 28x28 in bf16 and fp32 with kernels of 3 and 5: with one
output channel, patches gain nothing with 8 input channels, 54 to 126 % with 16, and 124 to 228 % with 64; with three
output channels they lose with 16 input channels and gain 37 to 42 % with 32."""
LARGEST_PATCH = 64
"""Products per pixel beyond which patches cost more memory traffic than empty channels cost time (a heuristic)."""
LEAST_PRODUCT = 64
"""Least product of input and output channels for which a merged upsampling pays. Measured with kernels of 3 and 5: it
loses 14 % at 4·8 and gains 11 to 118 % from 8·8 to 64·64."""

Ratios = Mapping[nn.Module, Pair]
"""Factor of each upsampling of a module that is a whole number."""


class FastForm(nn.Module):
    """Autoencoder in a form that is faster on a CPU: a view of another module's weights and running statistics.

    ``encoder``, ``bottleneck`` and ``decoder`` compute what those of the other module do. Save the ``state_dict`` of
    the other module.
    """

    def __init__(self, encoder: nn.Module, bottleneck: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.bottleneck = bottleneck
        self.decoder = decoder

    def forward(self, x_bchw: Tensor) -> Tensor:
        """Return the reconstructions of images, in the same shape."""
        image: Tensor = self.decoder(self.bottleneck(self.encoder(channels_last(x_bchw))))
        return image


def channels_last(x_bchw: Tensor) -> Tensor:
    """Return the images in channels-last layout, even with one channel.

    With one channel both layouts hold the same numbers in the same order, so PyTorch keeps the strides as they are; but
    its convolutions choose the layout of all that follows by the strides.
    """
    _, c, h, w = x_bchw.shape
    return x_bchw.contiguous(memory_format=torch.channels_last).as_strided(x_bchw.shape, (h * w * c, 1, w * c, c))


def fast_form(module: nn.Module, in_shape: Shape, dtype: torch.dtype = torch.float32) -> nn.Module:
    """Return the form of ``module``, for samples of ``in_shape``, that trains fastest on a CPU.

    ``dtype`` is the type in which convolutions multiply. Signals and volumes stay as they are: the faster forms were
    measured on images. So do networks whose layers read named outputs: a map that joins an upsampled one before its
    convolution keeps the two from merging, and without that the other forms gained nothing on U-Nets.
    """
    if rank(in_shape) != 2 or getattr(module, "linked", False):
        return module
    rewriting = _Rewriting(_ratios(module, in_shape), adds_patches=not _multiplies_tiles(dtype))
    parts = (rewriting.rewritten(module.get_submodule(part)) for part in ("encoder", "bottleneck", "decoder"))
    return FastForm(*parts).train(module.training)


def _multiplies_tiles(dtype: torch.dtype) -> bool:
    """Return whether the processor multiplies tiles of ``dtype`` (AMX): products then cost less than adding patches."""
    return dtype is torch.bfloat16 and torch.cpu._is_amx_tile_supported()


def _ratios(module: nn.Module, in_shape: Shape) -> Ratios:
    """Return the factors of upsampling layers, found by passing an image through the module."""
    ratios: dict[nn.Module, Pair] = {}

    def look(enlargement: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        (rows, no_row), (columns, no_column) = (
            divmod(after, before) for before, after in zip(inputs[0].shape[2:], output.shape[2:], strict=True)
        )
        if not no_row and not no_column:
            ratios[enlargement] = rows, columns

    nearest = [part for part in module.modules() if isinstance(part, nn.Upsample) and part.mode == "nearest"]
    handles = [part.register_forward_hook(look) for part in nearest]
    training = module.training
    try:
        with torch.no_grad():
            like = next(module.parameters(), torch.empty(0))
            module.eval()(like.new_zeros(1, *in_shape))
    finally:
        module.train(training)
        for handle in handles:
            handle.remove()
    return ratios


@dataclass(frozen=True)
class _Rewriting:
    """Rewriting of a module; ``adds_patches`` allows convolutions to few channels to be computed by patches."""

    ratios: Ratios
    adds_patches: bool

    def rewritten(self, module: nn.Module) -> nn.Module:
        """Return the faster form of a module, or the module itself."""
        if isinstance(module, nn.Sequential):
            return nn.Sequential(*self._joined(list(module)))
        if isinstance(module, Residual):
            return Residual(self.rewritten(module.body), self.rewritten(module.shortcut))
        return self._convolution(module) or module

    def _joined(self, modules: Sequence[nn.Module]) -> Iterator[nn.Module]:
        """Yield the modules of a sequence rewritten, merged or reordered where that is faster."""
        rest = deque(modules)
        while rest:
            module = rest.popleft()
            if isinstance(module, nn.ReLU) and rest and isinstance(rest[0], nn.MaxPool2d):
                # Max pooling commutes with ReLU, and there are fewer values to rectify after it.
                yield from (rest.popleft(), module)
                continue
            ratio = self._merged_ratio(module, rest[0] if rest else None)
            layer = module if ratio is None else rest.popleft()
            form = self._convolution(layer, ratio or (1, 1))
            yield self.rewritten(layer) if form is None else form

    def _merged_ratio(self, module: nn.Module, layer: nn.Module | None) -> Pair | None:
        """Return the factor of an upsampling that is merged with ``layer`` after it; None if both are left separate."""
        ratio = self.ratios.get(module)
        if ratio is None or not is_single(layer) or ratio == (1, 1):
            return None
        pays = layer.in_channels * layer.out_channels >= LEAST_PRODUCT and max(layer.kernel_size) > 1
        return ratio if pays or self._by_patches(layer, ratio) else None

    def _convolution(self, layer: nn.Module, ratio: Pair = (1, 1)) -> nn.Module | None:
        """Return the faster form of a convolution after an upsampling by ``ratio``; None if there is none."""
        if not is_plain(layer):
            return None
        transposed = isinstance(layer, nn.ConvTranspose2d)
        if (transposed or is_single(layer)) and self._by_patches(layer, ratio):
            return ToFew(layer, ratio)
        if ratio != (1, 1) or (transposed and not is_single(layer)):
            return FastTransposed(layer, ratio)
        return PlainConvolution(layer) if isinstance(layer, nn.ConvTranspose2d) else None

    def _by_patches(self, layer: Convolution, ratio: Pair) -> bool:
        """Return whether the layer is faster computed by patches: it has few output channels, but many inputs."""
        rows, columns = transposed_window(layer, ratio).kernel
        inputs, outputs, area = layer.in_channels, layer.out_channels, rows * columns
        few = area > 1 and outputs <= FEW and LEAST_RATIO * outputs <= inputs and outputs * area <= LARGEST_PATCH
        return few and self.adds_patches
