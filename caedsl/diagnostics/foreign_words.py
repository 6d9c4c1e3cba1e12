"""Words of Keras, PyTorch and everyday language, and their counterparts in a spec."""

from collections.abc import Mapping

from caedsl.diagnostics.foreign_layers import ACTIVATION_NOTES

FORMS: Mapping[str, str] = {
    "linear": "dense",
    "fc": "dense",
    "vae": "variational",
    "betavae": "variational",
    "vq": "quantized",
    "latent": "dense",
    "latentdim": "dense",
    "dim": "dense",
    "size": "dense",
    "z": "dense",
    "code": "dense",
    **dict.fromkeys(("units", "dims", "dimensions", "neurons", "nodes", "features", "numbers", "values"), "dense"),
    **dict.fromkeys(("channels", "filters", "maps"), "conv"),
    "vqvae": "quantized",
}
"""Forms of the bottleneck, without hyphens and underscores; as names of options, each takes the size of the code."""

_ENCODER_OUTPUT = "write `bottleneck` alone: the code is then the output of the encoder"
FORM_NOTES: Mapping[str, str] = {
    "none": _ENCODER_OUTPUT,
    "off": _ENCODER_OUTPUT,
    "identity": _ENCODER_OUTPUT,
    "ae": "write `bottleneck dense 64` for a vector, or `bottleneck conv 8` for a map",
    "flatten": "write `bottleneck dense 64`, which flattens the map first",
    "sparse": "write `bottleneck dense 64 topk=16`, or `l1=1e-4` on the line",
    "topk": "write `bottleneck dense 64 topk=16`",
    "fsq": "write `bottleneck quantized 512x64`: the language has quantisation with a codebook only",
    "denoising": "a denoiser has any bottleneck: write `corrupt gaussian=0.2` in `train`",
}
"""Words that are not forms of the bottleneck, and what to do instead."""

OPTIONS: Mapping[str, str] = {
    "kernel_size": "kernel",
    "ksize": "kernel",
    "dilate": "dilation",
    "pool_size": "kernel",
    "window": "kernel",
    "strides": "stride",
    "dilation_rate": "dilation",
    "groups": "channel_groups",
    "repeat": "times",
    "padding": "pad",
    "output_padding": "output_pad",
    "filters": "channels",
    "activation": "output",
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
    "l2": "weight_decay",
    "kl": "beta",
    "kl_weight": "beta",
    "beta": "commit",
    "final": "output",
    "last": "output",
    "beta_1": "beta1",
    "beta_2": "beta2",
    "epsilon": "eps",
    "gamma": "factor",
    "interpolation": "mode",
    "scale_factor": "factor",
    "size": "factor",
    "scale": "factor",
    "shape": "shape",
    "output_size": "to",
    "rotation": "rotate",
    "translate": "shift",
    "translation": "shift",
    "zoom": "scale",
    "eta_min": "min_lr",
    "weight_decay": "l2",
    "final_activation": "output",
    "class": "only",
    "classes": "only",
    "label": "only",
    "channels": "layout",
    "range": "in",
    "from": "in",
    "warm_up": "warmup",
    "noise": "gaussian",
}
"""Options, each with the option's own name."""

SHORT_OPTIONS: Mapping[str, str] = {"p": "pad"}
"""Letters before a number, as in ``p1``, each with the option's own name."""

WORDS: Mapping[str, str] = {
    "swish": "silu",
    "celu": "elu",
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
    "random_flip": "flip",
    "standardize": "normalize=standard",
    "standardise": "normalize=standard",
    "unet": "skips=concat",
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
    "on": ("standard",),
    "zscore": ("standard",),
    "mean_std": ("standard",),
    "standardize": ("standard",),
    "nhwc": ("last",),
    "hwc": ("last",),
    "channels_last": ("last",),
    "nchw": ("first",),
    "chw": ("first",),
    "channels_first": ("first",),
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
    "kaiming_normal": ("he",),
    "kaiming_uniform": ("he",),
    "xavier": ("glorot",),
    "xavier_normal": ("glorot",),
    "xavier_uniform": ("glorot",),
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
    **dict.fromkeys(("edge", "border"), ("replicate",)),
    **dict.fromkeys(("wrap", "periodic", "cyclic"), ("circular",)),
    "linear": ("polynomial",),
    "reduce_on_plateau": ("plateau",),
    "reducelronplateau": ("plateau",),
    **dict.fromkeys(("cosineannealinglr", "cosineannealing", "cosinedecay"), ("cosine",)),
    **dict.fromkeys(("exponentiallr", "exponentialdecay"), ("exponential",)),
    **dict.fromkeys(("polynomiallr", "polynomialdecay", "linearlr"), ("polynomial",)),
    **dict.fromkeys(("steplr", "multisteplr", "piecewiseconstantdecay"), ("milestones",)),
    "onecyclelr": ("onecycle",),
}
"""Values, each with the words that may correspond to it; the first that the option has is meant."""

_BINARISED = "a spec does not binarise images: save binarised ones, and read these"
_WEIGHT_NORM = "write the word `weight_norm` alone, which normalises the weights"
VALUE_NOTES: Mapping[str, tuple[str, str]] = {
    "same_lower": (
        "same_upper",
        "it adds an odd zero at the start: write the numbers of zeros before and after, as in `pad=1..0`",
    ),
    **dict.fromkeys(("binary", "binarize", "binarise"), ("minmax", _BINARISED)),
    **dict.fromkeys(("weight", "weightnorm", "weight_norm"), ("batch", _WEIGHT_NORM)),
    **dict.fromkeys(("spectral", "spectral_norm"), ("batch", f"this norm is not in the language: {_WEIGHT_NORM}")),
    "tied": ("mirror", "write `decoder mirror`, whose layers have weights of their own"),
}
"""Values that no word corresponds to: a word of the options that they may be meant for, and what to do instead."""

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
    "crossentropy": "the pixels of an image are not classes: write `loss bce` for values in 0..1, or `loss mse`",
    "bcewithlogits": "end the decoder with `sigmoid` and write `loss bce`, which is computed as stably",
    **dict.fromkeys(
        ("kl", "kld", "vae", "elbo"), "`bottleneck variational 32` has it, with the weight `beta=1`: write `loss mse`"
    ),
    "nll": "write `loss gaussian`, or `loss bce` for values in 0..1",
}
"""Losses that the language has no word for, and what to do instead."""

_OWN_WEIGHTS = "each layer has its own weights, which it cannot share with another: remove it"
_CLIPPED = "`corrupt awgn=0.1` adds noise without clipping; `clip 1.0`, a setting of its own, limits the gradient"
_NO_NOISE = 'save noisy samples, and read them in pairs: `data folder "noisy/" target="clean/"`'
_ONE_RATE = "all layers are trained with one learning rate: write `optimizer adam lr=1e-3` in `train`"
_CODEBOOK = "write the number of codes and their length as one size: `bottleneck quantized 512x64`"
OPTION_NOTES: Mapping[str, str] = {
    **dict.fromkeys(("tied", "tie", "tie_weights", "tied_weights", "weight_tying"), _OWN_WEIGHTS),
    **dict.fromkeys(("shared", "share", "share_weights", "shared_weights", "weight_sharing"), _OWN_WEIGHTS),
    **dict.fromkeys(("lr", "lr_mult", "lr_scale"), _ONE_RATE),
    **dict.fromkeys(("binarize", "binarise", "binary", "binarization"), _BINARISED),
    **{f"bottleneck quantized {word}": _CODEBOOK for word in ("codes", "dim", "embeddings", "num_embeddings", "k")},
    "decoder with": "options have no `with`: write `decoder mirror skips=concat` for a mirror with skips",
    "decoder encoder": "delete `encoder`: a mirror is always that of the encoder",
    "decay": "it lowers the learning rate in Keras: use `schedule cosine`; for weight decay write `weight_decay=1e-4`",
    "clipnorm": "write `clip 1.0` as a setting of its own",
    "grad_clip": "write `clip 1.0` as a setting of its own",
    "t_max": "a schedule lasts as long as the run: remove this option",
    "warmup_steps": "write the share of the run: `warmup=5%`",
    "betas": "write `beta1=0.9` and `beta2=0.999`",
    **dict.fromkeys(("clip", "clipped", "unclipped", "no_clip"), _CLIPPED),
    **dict.fromkeys(("poisson", "shot", "speckle"), _NO_NOISE),
    **dict.fromkeys(("corrupt mu", "corrupt loc"), "write `mean=0.5`, the mean of the noise"),
    "kl_tolerance": "write `free_nats=16`, which is the tolerance times the numbers of the code",
    "sparse": "write `topk=16` to keep the 16 largest numbers, or `sigmoid sparsity=0.05` for a small mean",
    "amsgrad": "this variant is not supported: remove it",
    **ACTIVATION_NOTES,
    "max_lr": "the highest rate is that of the optimizer: write `optimizer adam lr=1e-3`",
    "step_size": "`schedule exponential` lowers the rate after each epoch, `schedule milestones 30 60` at certain ones",
    "milestones": "write `schedule milestones 30 60`",
    "every": "`schedule exponential` lowers the rate after each epoch, `schedule milestones 30 60` at certain ones",
}
"""Options that the language has no single word for, some with the word of their line before them."""

SPARSE_CODES: Mapping[str, str] = {"topk": "topk={}", "kl": "sigmoid sparsity={}", "l1": "l1={}"}
"""Ways to make a code sparse, and the options for them with a placeholder for the author's value."""

SETTINGS: Mapping[str, tuple[str, str]] = {
    "lr": ("optimizer adam lr={}", "1e-3"),
    "learningrate": ("optimizer adam lr={}", "1e-3"),
    "momentum": ("optimizer sgd momentum={}", "0.9"),
    "weightdecay": ("optimizer adamw weight_decay={}", "0.01"),
    "batchsize": ("batch {}", "128"),
    "bs": ("batch {}", "128"),
    "accumulate": ("batch 128 accumulate={}", "4"),
    "gradaccumulation": ("batch 128 accumulate={}", "4"),
    "minibatch": ("batch {}", "128"),
    "warmup": ("schedule constant warmup={}", "5%"),
    "earlystop": ("stop patience={}", "10"),
    "earlystopping": ("stop patience={}", "10"),
    "patience": ("stop patience={}", "10"),
    "noise": ("corrupt gaussian={}", "0.2"),
    "scheduler": ("schedule {}", "cosine"),
    "optim": ("optimizer {}", "adam"),
    "gradientclip": ("clip {}", "1.0"),
    "gradclip": ("clip {}", "1.0"),
    "clipnorm": ("clip {}", "1.0"),
    "gradientclipping": ("clip {}", "1.0"),
    "valsplit": ("validation {}", "10%"),
    "validationsplit": ("validation {}", "10%"),
    "trouble": ("on trouble {}", "stop"),
    **dict.fromkeys(("criterion", "lossfn", "lossfunction"), ("loss {}", "mse")),
}
"""Settings by their plain names, each with its line, a placeholder in it for the author's value, and an example."""

SETTING_NOTES: Mapping[str, str] = {
    **dict.fromkeys(
        ("beta", "kl", "klweight"), "it is the weight of a variational code: `bottleneck variational 32 beta=1`"
    ),
    **dict.fromkeys(("pinmemory", "compile", "tf32", "prefetch"), "caedsl chooses this itself: remove this line"),
    "init": "an initialisation belongs to a layer: `conv 64 init=he`, or `defaults conv init=he` for all",
    "device": "the device is chosen on the command line: `caedsl train SPEC --device cuda`",
    "gpu": "the device is chosen on the command line: `caedsl train SPEC --device cuda`",
    "workers": "data are prefetched automatically: remove this line",
    "numworkers": "data are prefetched automatically: remove this line",
    "shuffle": "the images are shuffled in every epoch: remove this line",
    "verbose": "use `--quiet` on the command line, and remove this line",
    "steps": "a run is measured in epochs, each of which sees every image once: write `epochs 20`",
    "maxsteps": "a run is measured in epochs, each of which sees every image once: write `epochs 20`",
    "iterations": "a run is measured in epochs, each of which sees every image once: write `epochs 20`",
    "l1": "a penalty belongs to a layer: `conv 64 l1=1e-4`",
    "l2": "a penalty belongs to a layer: `conv 64 l2=1e-4`",
    "dropout": "dropout belongs to a layer: `conv 64 dropout=10%`",
    "deterministic": "write `seed 0 deterministic`",
    "resume": "an interrupted run is resumed on the command line: `caedsl train --resume RUN`",
    "tensorboard": "TensorBoard files are written by `caedsl train SPEC --tensorboard`",
    "save": "a run saves its state and its best weights automatically: remove this line",
    "metric": "the metrics are computed after every run: remove this line",
    "amp": "write `precision bf16`, or `precision auto` for the fastest format of the machine",
    "metrics": "the metrics are computed after every run: remove this line",
    "checkpoint": "a run saves its state and its best weights automatically: remove this line",
    "callbacks": "callbacks belong to Python: `caedsl.train(spec, callbacks=[...])`",
}
"""Settings that belong elsewhere by their plain names, and where."""


LISTS = frozenset(
    ("layers", "filters", "channels", "widths", "features", "hidden", "hiddenlayers", "hiddendims", "encoderlayers")
)
"""Names of lists with an entry for each layer, without underscores."""

_NO_CODE = "a spec contains no code: remove this line"
CALL_NOTES: Mapping[str, str] = {
    "summary": "`caedsl show` prints the layers with their shapes: remove this line",
    "predict": "`caedsl reconstruct` applies a trained model: remove this line",
    "evaluate": "`caedsl evaluate` measures a trained model: remove this line",
    **dict.fromkeys(("save", "save_weights", "load_weights", "load_state_dict"), _NO_CODE),
    **dict.fromkeys(
        ("eval", "train", "to", "cuda", "cpu", "build", "print", "append", "backward", "zero_grad"), _NO_CODE
    ),
    **dict.fromkeys(("step", "show", "manual_seed", "DataLoader", "Model"), _NO_CODE),
}
"""Functions and methods of Python, and what a spec has instead."""


def plain_setting(word: str) -> str:
    """Return the name of a setting without case and underscores: ``warm_up`` → warmup."""
    return word.lower().replace("_", "")


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
    "second": (1, "s"),
    "seconds": (1, "s"),
    "hr": (1, "h"),
    "hour": (1, "h"),
    "hrs": (1, "h"),
    "hours": (1, "h"),
    "d": (24, "h"),
    "day": (24, "h"),
    "days": (24, "h"),
    "b": (1, "G"),
    "gb": (1, "G"),
    "mb": (1, "M"),
    "kb": (1, "k"),
    "gib": (1, "G"),
    "mib": (1, "M"),
    "kib": (1, "k"),
    "bytes": (1, ""),
    "thousand": (1, "k"),
    "million": (1, "M"),
    "billion": (1, "G"),
    "percent": (1, "%"),
}
"""Units, each with a factor and the unit of the language."""

NOUNS = frozenset(("filters", "channels", "maps", "units", "neurons", "nodes", "features", "dim", "dims")) | frozenset(
    ("images", "samples", "epochs", "steps", "times", "px", "pixel", "pixels", "numbers", "values", "deg", "degrees")
)
"""Words that say what the number before them counts."""

STATEMENTS: Mapping[str, str] = {"latent": "bottleneck", "model": "autoencoder", "training": "train"}
"""Statements by the words of other tools."""

_CODE = ("bottleneck dense {}", "32")
_INPUT = ("input {}", "1x28x28")
STATEMENT_LINES: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("latent", "latent_dim", "latent_size", "code", "code_size", "embedding", "z"), _CODE),
    **dict.fromkeys(("shape", "size", "image", "image_size", "input_shape", "input_size"), _INPUT),
    "output": ("target {}", "1x28x28"),
    "output_shape": ("target {}", "1x28x28"),
    "name": ("autoencoder {}", "NAME"),
    **dict.fromkeys(("extends", "import", "include"), ("autoencoder NAME extends {}", '"base.cae"')),
    "mirror": ("decoder mirror", ""),
}
"""Statements, each with the line that says it, a placeholder in it for the author's value, and an example value."""

SECOND_NAMES: Mapping[str, str] = {"from": "concat"}
"""What reads a second output on a line of its own, if that is not the same word."""

STATEMENT_NOTES: Mapping[str, str] = {"else": "write `data mnist else digits`"}
"""Words that belong to another statement, and what to write instead."""


def plain_loss(word: str) -> str:
    """Return a loss's name without package, case, underscores and ``loss``: ``nn.MSELoss`` → mse."""
    return word.rpartition(".")[2].lower().replace("_", "").removesuffix("loss")
