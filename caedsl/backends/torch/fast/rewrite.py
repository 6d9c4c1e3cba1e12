"""Rewrite a module into its faster form: the same weights, the same values up to rounding, computed another way."""

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from caedsl.backends.torch.fast.convolutions import FastTransposed, ToFew, Untransposed
from caedsl.backends.torch.fast.kernels import Convolution, is_plain, is_single, transposed_window
from caedsl.backends.torch.fast.patches import Pair
from caedsl.backends.torch.fast.rectifier import Rectifier
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

MADE_ANEW = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.BatchNorm2d)
"""Layers whose output no gradient needs: a ReLU may overwrite it."""

Ratios = Mapping[nn.Module, Pair]
"""Factor of each upsampling of a module, where it is a whole number."""


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
    """Return the images in channels-last layout, also with one channel.

    With one channel both layouts hold the same numbers in the same order, so PyTorch keeps the strides as they are; but
    its convolutions choose the layout of all that follows by the strides.
    """
    _, c, h, w = x_bchw.shape
    return x_bchw.contiguous(memory_format=torch.channels_last).as_strided(x_bchw.shape, (h * w * c, 1, w * c, c))


def fast_form(module: nn.Module, in_shape: Shape) -> nn.Module:
    """Return the form of ``module``, for samples of ``in_shape``, that trains fastest on a CPU.

    Signals, volumes and networks whose layers read named outputs stay as they are: the faster forms were measured on
    images, in chains.
    """
    if rank(in_shape) != 2 or getattr(module, "linked", False):
        return module
    ratios = _ratios(module, in_shape)
    parts = (_rewritten(module.get_submodule(part), ratios) for part in ("encoder", "bottleneck", "decoder"))
    return FastForm(*parts).train(module.training)


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


def _rewritten(module: nn.Module, ratios: Ratios) -> nn.Module:
    if isinstance(module, nn.Sequential):
        return nn.Sequential(*_joined(list(module), ratios))
    if isinstance(module, Residual):
        return Residual(_rewritten(module.body, ratios), _rewritten(module.shortcut, ratios))
    return _faster(module)


def _joined(modules: Sequence[nn.Module], ratios: Ratios) -> Iterator[nn.Module]:
    """Yield the modules of a sequence rewritten, merged or reordered where that is faster."""
    before: nn.Module | None = None
    remaining = iter(zip(modules, [*modules, None][1:], strict=True))
    for module, following in remaining:
        enlarging = _enlarging(following, ratios.get(module))
        if enlarging is not None:
            before, _ = next(remaining)
            yield enlarging
        elif isinstance(module, nn.ReLU) and isinstance(following, nn.MaxPool2d):
            # Max pooling commutes with ReLU, and there are fewer values to rectify after it.
            next(remaining)
            before = module  # a second ReLU must not overwrite what this one keeps for its gradient
            yield from (following, nn.ReLU(inplace=True))
        elif isinstance(module, nn.ReLU) and isinstance(before, MADE_ANEW):
            before = module
            yield Rectifier() if isinstance(following, Convolution) else nn.ReLU(inplace=True)
        else:
            before = module
            yield _rewritten(module, ratios)


def _enlarging(layer: nn.Module | None, ratio: Pair | None) -> nn.Module | None:
    """Return ``layer`` merged with the upsampling before it; None if the two are better left separate."""
    if ratio is None or not is_single(layer) or ratio == (1, 1):
        return None
    if _has_few_outputs(layer, ratio):
        return ToFew(layer, ratio)
    pays = layer.in_channels * layer.out_channels >= LEAST_PRODUCT and max(layer.kernel_size) > 1
    return FastTransposed(layer, ratio) if pays else None


def _faster(module: nn.Module) -> nn.Module:
    if is_single(module):
        if _has_few_outputs(module):
            return ToFew(module)
        return Untransposed(module) if isinstance(module, nn.ConvTranspose2d) else module
    if is_plain(module) and isinstance(module, nn.ConvTranspose2d):
        return ToFew(module) if _has_few_outputs(module) else FastTransposed(module)
    return module


def _has_few_outputs(layer: Convolution, ratio: Pair = (1, 1)) -> bool:
    rows, columns = transposed_window(layer, ratio).kernel
    inputs, outputs, area = layer.in_channels, layer.out_channels, rows * columns
    return area > 1 and outputs <= FEW and LEAST_RATIO * outputs <= inputs and outputs * area <= LARGEST_PATCH
