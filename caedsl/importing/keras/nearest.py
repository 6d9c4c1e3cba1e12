"""Keras layers that the language does not have, with the closest alternative."""

_SEQUENCES = (
    "a spec has convolutions, not recurrence",
    "the closest is a signal (`input CxL`) with `conv` and `attention`",
)
_AUGMENTS = ("it changes samples at random", "remove it and use `augment` in the `train` block")
_SCALES = ("it scales the data", "remove it: `input ... in 0..1` is the range that data are scaled to")
_TIMES = ("it applies a layer to each step", "use the layer for maps itself: `conv` with a kernel of 1")
_JOINS = (
    "a spec joins outputs only by `add`, `multiply` and `concat`",
    "rewrite the model with Add, Multiply or Concatenate",
)
_SHAPES = ("it moves axes", "a spec always orders channels before space; remove it, or use Reshape next to Dense")

OWN_CLASS = (
    "a class of the author's own, whose Python is not run",
    "build it from Keras's layers; if it samples the code of a variational autoencoder, write "
    "`bottleneck variational N` in a spec",
)

NEAREST = {
    "Lambda": (
        "it holds Python code, which is not run",
        "use a layer that says what it does, such as Activation, Add or Reshape",
    ),
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "ConvLSTM1D", "ConvLSTM2D"), _SEQUENCES),
    **dict.fromkeys(("Embedding", "RepeatVector", "Masking", "MultiHeadAttention", "Attention"), _SEQUENCES),
    "TimeDistributed": _TIMES,
    **dict.fromkeys(("Rescaling", "Normalization"), _SCALES),
    **dict.fromkeys(
        ("RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation", "RandomContrast", "RandomBrightness"),
        _AUGMENTS,
    ),
    "RandomCrop": _AUGMENTS,
    **dict.fromkeys(("Subtract", "Average", "Maximum", "Minimum", "Dot"), _JOINS),
    "Permute": _SHAPES,
    "GaussianDropout": ("its noise multiplies", "the closest is `dropout`, or GaussianNoise on the code"),
    "AlphaDropout": ("it keeps mean and variance of `selu`", "the closest is `dropout`"),
    "Softmax": ("its outputs depend on one another", "the closest is `sigmoid`"),
    "ThresholdedReLU": ("its threshold is not supported", "the closest is `relu`"),
    "UnitNormalization": ("it divides by a norm", "the closest is `norm rms`"),
    "SpectralNormalization": ("it changes weights while training", "the closest is `l2=` on the layer"),
    "LocallyConnected2D": ("its kernels differ between positions", "the closest is `conv`"),
    **dict.fromkeys(
        ("GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D"),
        ("it takes the maximum of a map", "the closest are `globalpool`, the mean, and `maxpool` of the map's size"),
    ),
}
"""What each class does and the closest alternative, by the name of the class."""
