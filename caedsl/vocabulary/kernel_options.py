"""Options of every kernel: bias, initialisation and weight penalties."""

from caedsl.vocabulary import initialisations
from caedsl.vocabulary.initialisations import AUTO, INITIALISATIONS, TORCH
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import NOT_NEGATIVE, LayerOption, Options, Type, Written

NO_BIAS_CHOSEN = None
"""Default of ``bias``: on, unless a normalisation follows."""

BIAS: LayerOption[bool] = LayerOption(
    "bias", Type.SWITCH, NO_BIAS_CHOSEN, "whether to add a bias; on, unless a normalisation follows"
)
INIT: LayerOption[str] = LayerOption(
    "init",
    Type.CHOICE,
    AUTO,
    "initialisation of the weights: by default He before rectifiers and Glorot otherwise, with zero biases; `torch` "
    "is PyTorch's default",
    choices=(AUTO, *INITIALISATIONS),
)
L1: LayerOption[float] = LayerOption(
    "l1", Type.NUMBER, 0.0, "λ of λ·Σ|w| over the kernel, added to the loss", domain=NOT_NEGATIVE, off=0.0
)
L2: LayerOption[float] = LayerOption(
    "l2", Type.NUMBER, 0.0, "λ of λ·Σw² over the kernel, added to the loss", domain=NOT_NEGATIVE, off=0.0
)
WEIGHT_NORM: LayerOption[bool] = LayerOption(
    "weight_norm", Type.FLAG, False, "learn the direction and the length of each kernel separately", Written.BARE
)
ZEROS = "zeros"
BIAS_INIT: LayerOption[str] = LayerOption(
    "bias_init",
    Type.CHOICE,
    None,
    "initialisation of the biases: `torch` is PyTorch's default; zeros unless `init=torch`",
    choices=(ZEROS, TORCH.name),
)
INITIALISATION_OPTIONS = (INIT, BIAS_INIT, *initialisations.OPTIONS)
"""Options of the initialisation."""
WEIGHTS = (BIAS, *INITIALISATION_OPTIONS, WEIGHT_NORM, L1, L2)


def kernel_misfit(options: Options) -> Misfit | None:
    """Return why the options of a kernel cannot be combined, or None."""
    if not options[WEIGHT_NORM] or not options.get(L1, 0.0):
        return None
    return Misfit(
        "contradicting-options",
        "`weight_norm` learns the length of each kernel separately from its direction, but `l1=` would shrink both",
        help="use `l2=`, which shrinks the lengths, or remove `weight_norm`",
        option=L1.name,
    )
