"""Layers of Keras and PyTorch, and their counterparts in a spec."""

import re
from collections.abc import Mapping

LAYERS: Mapping[str, str] = {
    "conv": "conv",
    "convolution": "conv",
    "convtranspose": "deconv",
    "convtransposed": "deconv",
    "transposeconv": "deconv",
    "transposedconv": "deconv",
    "transposedconvolution": "deconv",
    "tconv": "deconv",
    "upconv": "deconv",
    "linear": "dense",
    "fc": "dense",
    "fullyconnected": "dense",
    "max": "maxpool",
    "maxpooling": "maxpool",
    "avg": "avgpool",
    "averagepool": "avgpool",
    "averagepooling": "avgpool",
    "mean": "avgpool",
    "meanpool": "avgpool",
    "meanpooling": "avgpool",
    "up": "upsample",
    "upsampling": "upsample",
    "interpolate": "upsample",
    "padding": "pad",
    "zeropad": "pad",
    "zeropadding": "pad",
    "cropping": "crop",
    "globalavgpool": "globalpool",
    "globalaveragepool": "globalpool",
    "globalaveragepooling": "globalpool",
    "adaptiveavgpool": "globalpool",
    "spatialdropout": "dropout",
    "view": "reshape",
    "unflatten": "reshape",
    "spacetodepth": "pixelunshuffle",
    "depthtospace": "pixelshuffle",
    "subpixel": "pixelshuffle",
    "attn": "attention",
    "selfattention": "attention",
    "multiheadattention": "attention",
    "squeezeexcitation": "se",
    "seblock": "se",
    "selayer": "se",
}
"""Layers, by their names as ``plain_layer`` returns them."""

_UNPOOLING = "`upsample 2` enlarges a map, but without the places of the maxima that an unpooling restores"
_LEAVE_OUT = "it changes nothing here: remove this line"
_INPUT = "the `input` line gives the input's shape: remove this line"
_JOIN = "name the layer's output with `as fine`, and join it later with `concat fine` or `add fine`"
_BRANCH = "name an output with `as fine`, continue a second time `from fine`, and join both with `concat` or `add`"
_NOISE = "write `corrupt gaussian=0.1` in `train` for a denoiser, or `noise=0.1` on the bottleneck"
_RESIDUAL = "write `residual { conv 32 relu; conv 32 }`"
_SEPARABLE = "write two lines: `conv 32 depthwise`, with as many channels as its input, then `conv 64 k1`"
SOFTMAX = "softmax makes all numbers sum to 1, which the pixels of an image do not: end with `sigmoid`"

LAYER_NOTES: Mapping[str, str] = {
    "flatten": "`dense` flattens what comes before it: remove this line",
    "maxunpool": _UNPOOLING,
    "pool": "write `maxpool 2`, or `avgpool 2` for the mean of each window",
    "pooling": "write `maxpool 2`, or `avgpool 2` for the mean of each window",
    **dict.fromkeys(("branch", "branches", "split", "fork", "parallel", "inception"), _BRANCH),
    "sequential": "lines already follow one another; `stage down { conv 16 relu }` names a group",
    "group": "write `stage down { conv 16 relu }`",
    "for": "write `repeat 3 { conv 16 relu }`",
    "loop": "write `repeat 3 { conv 16 relu }`",
    "nearest": "write `upsample 2`",
    "bilinear": "write `upsample 2 bilinear`",
    "activation": "write the activation alone: `relu`",
    "concatenate": _JOIN,
    "cat": _JOIN,
    "add": _JOIN,
    "input": _INPUT,
    "inputlayer": _INPUT,
    "identity": _LEAVE_OUT,
    "lambda": "a spec contains no code: use the layers of the language (docs/language.md)",
    "permute": "channels come first in a spec, and no layer moves an axis: remove this line",
    "transpose": "channels come first in a spec, and no layer moves an axis: remove this line",
    "squeeze": _LEAVE_OUT,
    "unsqueeze": _LEAVE_OUT,
    "skip": _JOIN,
    "downsample": "write `maxpool 2`, or `s2` on a convolution",
    "resize": "write `upsample to 14x14` to enlarge a map, `maxpool 2` to reduce it",
    "noise": _NOISE,
    "gaussiannoise": _NOISE,
    "res": _RESIDUAL,
    "resblock": _RESIDUAL,
    "resnet": _RESIDUAL,
    "residualblock": _RESIDUAL,
    "block": "a block is defined above the encoder: `block down width { conv width s2 relu }`",
    "sepconv": _SEPARABLE,
    "separableconv": _SEPARABLE,
    "depthwise": "write `conv 32 depthwise`, with as many channels as its input",
    "depthwiseconv": "write `conv 32 depthwise`, with as many channels as its input",
    "softmax": SOFTMAX,
    "logsoftmax": SOFTMAX,
    **{
        word: f"write `norm {norm}`, or add `norm={norm}` to the layer before it"
        for norm in ("batch", "layer", "instance", "group")
        for word in (f"{norm}norm", f"{norm}normalization", f"{norm}normalisation")
    },
    "bn": "write `norm batch`, or add `norm=batch` to the layer before it",
}
"""Layers of other libraries without a counterpart, by their plain names, and what to do instead."""


def plain_layer(word: str) -> str:
    """Return a layer's plain name without package and rank: ``nn.ConvTranspose2d`` → convtranspose."""
    name = re.sub(r"[\s_-]", "", word.rpartition(".")[2].lower())
    # Keras puts the rank in the middle: Conv2DTranspose.
    return re.sub(r"[123]d(?=$|transpose)", "", name)
