"""Options of every kernel: bias, initialisation and weight penalties."""

from caedsl.vocabulary import initialisations
from caedsl.vocabulary.initialisations import AUTO, INITIALISATIONS
from caedsl.vocabulary.option import NOT_NEGATIVE, LayerOption, Type

NO_BIAS_CHOSEN = None
"""The default of ``bias``: on, unless a normalisation follows."""

BIAS: LayerOption[bool] = LayerOption(
    "bias", Type.SWITCH, NO_BIAS_CHOSEN, "whether a bias is added; on, unless a normalisation follows"
)
INIT: LayerOption[str] = LayerOption(
    "init",
    Type.CHOICE,
    AUTO,
    "how weights start: He before rectifiers and Glorot elsewhere, with zero biases; `torch` is PyTorch's own default",
    choices=(AUTO, *INITIALISATIONS),
)
L1: LayerOption[float] = LayerOption(
    "l1", Type.NUMBER, 0.0, "λ of λ·Σ|w| over the kernel, added to the loss", domain=NOT_NEGATIVE
)
L2: LayerOption[float] = LayerOption(
    "l2", Type.NUMBER, 0.0, "λ of λ·Σw² over the kernel, added to the loss", domain=NOT_NEGATIVE
)
START = (INIT, *initialisations.OPTIONS)
"""Options that say how the weights start."""
WEIGHTS = (BIAS, *START, L1, L2)
