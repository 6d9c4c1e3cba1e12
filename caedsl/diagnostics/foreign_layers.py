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
    "alphadropout": "dropout",
    "dropblock": "dropout",
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
_GATE = "name the gate's output, `conv 32 k1 sigmoid as gate`, and multiply by it later with `multiply gate`"
_NOISE = "write `corrupt gaussian=0.1` in `train` for a denoiser, or `noise=0.1` on the bottleneck"
_RESIDUAL = "write `residual { conv 32 relu; conv 32 }`"
_SEPARABLE = "write two lines: `conv 32 depthwise`, with as many channels as its input, then `conv 64 k1`"
SOFTMAX = "softmax makes all numbers sum to 1, which the pixels of an image do not: end with `sigmoid`"

_GATED = (
    "it halves the channels, which no activation of this language does: write `silu` or `gelu`, or two branches that "
    "`multiply gate` joins"
)
ACTIVATION_NOTES: Mapping[str, str] = {
    "softmax": SOFTMAX,
    "logsoftmax": SOFTMAX,
    **dict.fromkeys(("glu", "swiglu", "geglu", "maxout"), _GATED),
    "crelu": "it doubles the channels, which no activation of this language does: write `relu`, and more channels",
    "softsign": "write `tanh`, which has the same range and a similar shape",
    "exponential": "write `softplus` for numbers above 0",
    "exp": "write `softplus` for numbers above 0",
    "rrelu": "write `leaky_relu=0.2`, whose slope is fixed",
}
"""Activations that the language does not have, and what to write instead."""

_DILATED = "write `conv 32 d2`: a dilation is an option"
_ONE_CODE = "a model has one such code, which is a form of the bottleneck: write `bottleneck {}`"
LAYER_NOTES: Mapping[str, str] = {
    **dict.fromkeys(
        ("quantized", "quantize", "quantizer", "vectorquantizer", "vq"), _ONE_CODE.format("quantized 512x64")
    ),
    **dict.fromkeys(("variational", "reparameterize"), _ONE_CODE.format("variational 32")),
    **dict.fromkeys(("mul", "product", "gate", "mask"), _GATE),
    **ACTIVATION_NOTES,
    **dict.fromkeys(("dilatedconv", "atrousconv", "atrous"), _DILATED),
    "globalmaxpool": "write `globalpool`, which returns the mean of each channel",
    "globalmaxpooling": "write `globalpool`, which returns the mean of each channel",
    "mirror": "write `decoder mirror`, without braces",
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
    **{
        word: f"write `norm {norm}`, or add `norm={norm}` to the layer before it"
        for norm in ("batch", "layer", "instance", "group")
        for word in (f"{norm}norm", f"{norm}normalization", f"{norm}normalisation")
    },
    "bn": "write `norm batch`, or add `norm=batch` to the layer before it",
    "batchnormalization": "write `norm batch`, or add `norm=batch` to the layer before it; Keras has `eps=1e-3` "
    "and `momentum=0.01`",
}
"""Layers of other libraries without a counterpart, by their plain names, and what to do instead."""


def is_layer(word: str) -> bool:
    """Return whether ``word`` most likely names a layer that is a line of its own."""
    plain = plain_layer(word)
    return plain in LAYERS or plain in LAYERS.values()


_RANK = re.compile(r"([123])d(?=$|transpose)")
"""Match the number of axes; Keras puts it in the middle: ``Conv2DTranspose``."""


def plain_layer(word: str) -> str:
    """Return a layer's plain name without package and rank: ``nn.ConvTranspose2d`` → convtranspose."""
    return _RANK.sub("", _joined(word))


def rank_in(word: str) -> int | None:
    """Return the number of axes in the name of a layer: 1 in ``Conv1D``; None in ``conv``."""
    found = _RANK.search(_joined(word))
    return int(found[1]) if found else None


def _joined(word: str) -> str:
    return re.sub(r"[\s_-]", "", word.rpartition(".")[2].lower())
