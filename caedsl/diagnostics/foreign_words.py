"""Words of Keras, PyTorch and everyday language, and their counterparts in a spec."""

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
    "pool": "maxpool",
    "up": "upsample",
    "upsampling": "upsample",
    "interpolate": "upsample",
    "sequential": "stage",
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
    "selfattention": "attention",
    "multiheadattention": "attention",
    "squeezeexcitation": "se",
}
"""Layers, by their names as ``plain_layer`` returns them."""

_UNPOOLING = "`upsample 2` enlarges a map, but without the places of the maxima that an unpooling restores"
_LEAVE_OUT = "it changes nothing here: leave this line out"
_INPUT = "the input's shape stands in the `input` line: leave this line out"
_NOISE = "write `corrupt gaussian=0.1` in `train` for a denoiser, or `noise=0.1` on the bottleneck"
_RESIDUAL = "write `residual { conv 32 relu; conv 32 }`"
_SEPARABLE = "write two lines: `conv 32 depthwise`, with the channels that come in, then `conv 64 k1`"
_SOFTMAX = "softmax makes all numbers sum to 1, which the pixels of an image do not: end with `sigmoid`"

LAYER_NOTES: Mapping[str, str] = {
    "flatten": "`dense` flattens what comes before it: leave this line out",
    "maxunpool": _UNPOOLING,
    "input": _INPUT,
    "inputlayer": _INPUT,
    "identity": _LEAVE_OUT,
    "lambda": "a spec holds no code: use the layers that `caedsl rule` and the documentation list",
    "permute": "channels stand first here, and no layer moves an axis: leave this line out",
    "transpose": "channels stand first here, and no layer moves an axis: leave this line out",
    "squeeze": _LEAVE_OUT,
    "unsqueeze": _LEAVE_OUT,
    "skip": "name the layer's output with `as fine`, and join it later with `concat fine` or `add fine`",
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
    "depthwise": "write `conv 32 depthwise`, with the channels that come in",
    "depthwiseconv": "write `conv 32 depthwise`, with the channels that come in",
    "softmax": _SOFTMAX,
    "logsoftmax": _SOFTMAX,
    **{
        word: f"write `norm {norm}`, or add `norm={norm}` to the layer before it"
        for norm in ("batch", "layer", "instance", "group")
        for word in (f"{norm}norm", f"{norm}normalization", f"{norm}normalisation")
    },
    "bn": "write `norm batch`, or add `norm=batch` to the layer before it",
}
"""Layers of other libraries without a counterpart, by their plain names, and what to do instead."""

FORMS: Mapping[str, str] = {
    "linear": "dense",
    "fc": "dense",
    "vae": "variational",
    "vq": "quantized",
    "vqvae": "quantized",
}
"""Forms of the bottleneck."""

OPTIONS: Mapping[str, str] = {
    "kernel_size": "kernel",
    "pool_size": "kernel",
    "window": "kernel",
    "strides": "stride",
    "dilation_rate": "dilation",
    "groups": "channel_groups",
    "repeat": "times",
    "padding": "pad",
    "output_padding": "output_pad",
    "filters": "channels",
    "out_channels": "channels",
    "features": "units",
    "out_features": "units",
    "use_bias": "bias",
    "batchnorm": "norm",
    "normalization": "norm",
    "normalisation": "norm",
    "act": "activation",
    "nonlinearity": "activation",
    "rate": "dropout",
    "drop": "dropout",
    "p": "rate",
    "kernel_initializer": "init",
    "initializer": "init",
    "kernel_regularizer": "l2",
    "learning_rate": "lr",
    "wd": "weight_decay",
    "beta_1": "beta1",
    "beta_2": "beta2",
    "epsilon": "eps",
    "gamma": "factor",
    "interpolation": "mode",
    "scale_factor": "factor",
    "size": "factor",
    "scale": "factor",
    "shape": "shape",
    "rotation": "rotate",
    "noise": "gaussian",
}
"""Options, each with the option's own name."""

SHORT_OPTIONS: Mapping[str, str] = {"p": "pad"}
"""Letters before a number, as in ``p1``, each with the option's own name."""

WORDS: Mapping[str, str] = {
    "swish": "silu",
    "lrelu": "leaky_relu",
    "leakyrelu": "leaky_relu",
    "leaky": "leaky_relu",
    "logistic": "sigmoid",
    "identity": "linear",
    "bn": "norm=batch",
    "batchnorm": "norm=batch",
    "batch_norm": "norm=batch",
    "batchnormalization": "norm=batch",
    "layernorm": "norm=layer",
    "instancenorm": "norm=instance",
    "groupnorm": "norm=group",
    "same": "pad=same",
    "valid": "pad=valid",
    "no_bias": "bias=off",
    "nobias": "bias=off",
    "hflip": "flip",
    "horizontal_flip": "flip",
    "grayscale": "gray",
    "grey": "gray",
    "nesterov": "momentum=0.9",
}
"""Words that are statements of their own elsewhere, and what a line of the language says instead."""

VALUES: Mapping[str, tuple[str, ...]] = {
    "true": ("on",),
    "yes": ("on",),
    "1": ("on",),
    "false": ("off", "none"),
    "no": ("off", "none"),
    "0": ("off",),
    "none": ("off", "linear", "constant"),
    "off": ("none", "constant"),
    "bn": ("batch",),
    "batchnorm": ("batch",),
    "batch_norm": ("batch",),
    "ln": ("layer",),
    "layernorm": ("layer",),
    "gn": ("group",),
    "groupnorm": ("group",),
    "in": ("instance",),
    "instancenorm": ("instance",),
    "swish": ("silu",),
    "lrelu": ("leaky_relu",),
    "leakyrelu": ("leaky_relu",),
    "identity": ("linear",),
    "kaiming": ("he",),
    "he_normal": ("he",),
    "he_uniform": ("he",),
    "xavier": ("glorot",),
    "glorot_uniform": ("glorot",),
    "glorot_normal": ("glorot",),
    "half": ("fp16",),
    "16": ("fp16",),
    "32": ("fp32",),
    "float16": ("fp16",),
    "bfloat16": ("bf16",),
    "float32": ("fp32",),
    "mixed": ("auto",),
    "amp": ("auto",),
    "zeros": ("same",),
    "zero": ("same",),
    "mirror": ("reflect",),
    "reduce_on_plateau": ("plateau",),
    "reducelronplateau": ("plateau",),
}
"""Values, each with the words that may correspond to it; the first that the option has is meant."""

LOSSES: Mapping[str, str] = {
    "l2": "mse",
    "meansquarederror": "mse",
    "l1": "mae",
    "meanabsoluteerror": "mae",
    "smoothl1": "huber",
    "binarycrossentropy": "bce",
}
"""Losses, by their names as ``plain_loss`` returns them."""

LOSS_NOTES: Mapping[str, str] = {
    "rmse": "`mse` has its minimum at the same place, and gradients that do not vanish there: write `loss mse`",
    "crossentropy": "the pixels of an image are no classes: write `loss bce` for values in 0..1, or `loss mse`",
    "bcewithlogits": "end the decoder with `sigmoid` and write `loss bce`, which is computed as stably",
    "kl": "`bottleneck variational 32` has it, with the weight `beta=1`",
}
"""Losses that the language has no word for, and what to do instead."""

OPTION_NOTES: Mapping[str, str] = {
    "decay": "it lowers the learning rate in Keras: use `schedule cosine`; for weight decay write `weight_decay=1e-4`",
    "betas": "write `beta1=0.9 beta2=0.999`",
    "sparse": "write `topk=16` to keep the 16 largest numbers, or `sigmoid sparsity=0.05` for a small mean",
    "amsgrad": "this variant is not supported: leave it out",
    "softmax": _SOFTMAX,
    "max_lr": "the highest rate is that of the optimizer: write `optimizer adam lr=1e-3`",
    "step_size": "`schedule exponential` lowers the rate all along; `schedule step at=50` lowers it once",
    "every": "`schedule exponential` lowers the rate all along; `schedule step at=50` lowers it once",
}
"""Options that the language has no single word for."""

SETTINGS: Mapping[str, tuple[str, str]] = {
    "lr": ("optimizer adam lr={}", "1e-3"),
    "learning_rate": ("optimizer adam lr={}", "1e-3"),
    "momentum": ("optimizer sgd momentum={}", "0.9"),
    "weight_decay": ("optimizer adamw weight_decay={}", "0.01"),
    "batch_size": ("batch {}", "128"),
    "bs": ("batch {}", "128"),
    "accumulate": ("batch 128 accumulate={}", "4"),
    "grad_accumulation": ("batch 128 accumulate={}", "4"),
    "early_stopping": ("stop patience={}", "10"),
    "earlystop": ("stop patience={}", "10"),
    "patience": ("stop patience={}", "10"),
    "noise": ("corrupt gaussian={}", "0.2"),
    "scheduler": ("schedule {}", "cosine"),
    "optim": ("optimizer {}", "adam"),
    "gradient_clip": ("clip {}", "1.0"),
    "grad_clip": ("clip {}", "1.0"),
    "clip_norm": ("clip {}", "1.0"),
    "val_split": ("validation {}", "10%"),
    "validation_split": ("validation {}", "10%"),
    "trouble": ("on trouble {}", "stop"),
}
"""Settings, each with the line that says it, a placeholder in it for the author's value, and an example value."""

SETTING_NOTES: Mapping[str, str] = {
    "device": "the machine is chosen on the command line: `caedsl train SPEC --device cuda`",
    "gpu": "the machine is chosen on the command line: `caedsl train SPEC --device cuda`",
    "workers": "data is loaded ahead of the steps by itself: leave this line out",
    "num_workers": "data is loaded ahead of the steps by itself: leave this line out",
    "shuffle": "the images are shuffled in every epoch: leave this line out",
    "verbose": "`--quiet` on the command line says less: leave this line out",
    "amp": "write `precision bf16`, or `precision auto` for what the machine does best",
    "metrics": "the metrics are computed after every run: leave this line out",
    "checkpoint": "a run saves its state after every epoch, and its best weights: leave this line out",
    "callbacks": "callbacks belong to Python: `caedsl.train(spec, callbacks=[...])`",
}
"""Settings that belong elsewhere, and where."""

NEGATIVE = ("off", "none", "no", "false", "never")
"""Words that turn a setting off."""

POSITIVE = ("on", "yes", "true", "1")
"""Words that turn a setting on."""

UNITS: Mapping[str, tuple[int, str]] = {
    "mins": (1, "min"),
    "minute": (1, "min"),
    "minutes": (1, "min"),
    "sec": (1, "s"),
    "secs": (1, "s"),
    "seconds": (1, "s"),
    "hr": (1, "h"),
    "hrs": (1, "h"),
    "hours": (1, "h"),
    "d": (24, "h"),
    "days": (24, "h"),
    "b": (1, "G"),
    "gb": (1, "G"),
    "mb": (1, "M"),
    "kb": (1, "k"),
}
"""Units, each with a factor and the unit of the language."""

STATEMENTS: Mapping[str, str] = {"latent": "bottleneck", "model": "autoencoder", "training": "train"}
"""Statements."""


def plain_layer(word: str) -> str:
    """Return a layer's name without package, case, underscores and rank: ``nn.ConvTranspose2d`` → convtranspose."""
    name = word.rpartition(".")[2].lower().replace("_", "").replace("-", "")
    # Keras puts the rank in the middle: Conv2DTranspose.
    return re.sub(r"[123]d(?=$|transpose)", "", name)


def plain_loss(word: str) -> str:
    """Return a loss's name without package, case, underscores and ``loss``: ``nn.MSELoss`` → mse."""
    return word.rpartition(".")[2].lower().replace("_", "").removesuffix("loss")
