"""Optimizers, with one declaration each, used by training, the emitted loop and the rules."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.option import FRACTION, NOT_NEGATIVE, POSITIVE, Option, Type, Written
from caedsl.vocabulary.words import Words

Options = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class OptimizerKind:
    """Optimizer with PyTorch's meaning of every option.

    - ``rate`` is the default of ``lr``, ``own`` are the other options.
    - ``torch`` returns the call of the class in ``torch.optim`` without parameters and ``lr``; ``fused`` states whether
      that class can update all weights in one pass on CPU and GPU.
    - ``states`` counts the numbers stored per weight.
    - ``adaptive``: a step is about as large as the rate, whatever the scale of the loss. ``scales``: a step is the rate
      times the gradient. Some optimizers are neither.
    - ``exclusive`` are pairs of options that exclude each other; ``needed`` are pairs of options of which the first
      needs the second.
    - ``decoupled``: weight decay shrinks the weights independently of the gradient (Loshchilov and Hutter 2019).
      Otherwise a decay d equals a penalty of d/2·Σw².
    """

    name: str
    rate: float
    own: tuple[Option, ...]
    torch: Callable[[Options], Call]
    fused: bool
    states: Callable[[Options], int]
    adaptive: bool
    scales: bool
    decoupled: bool
    exclusive: tuple[tuple[str, str], ...]
    needed: tuple[tuple[str, str], ...]

    @property
    def options(self) -> tuple[Option, ...]:
        """Options of the line."""
        return (_LR._replace(default=self.rate), *self.own)


_LARGEST = 3e38
"""Largest number, rounded down, that the 32 bits of PyTorch's optimizers can represent."""
_RATE = POSITIVE._replace(high=_LARGEST)
_SHARE = NOT_NEGATIVE._replace(high=_LARGEST)
_LR = Option("lr", Type.NUMBER, 1e-3, "learning rate; `auto` finds it by a range test", domain=_RATE, auto=True)
WEIGHT_DECAY = Option("weight_decay", Type.NUMBER, 0.0, "weight decay", domain=_SHARE)
MOMENTUM = Option("momentum", Type.NUMBER, 0.0, "momentum", domain=FRACTION)
_EPS = Option("eps", Type.NUMBER, 1e-8, "added to the square root of the second moment", domain=_RATE)
EPS_HAT = Option("eps_hat", Type.NUMBER, None, "Keras's epsilon, instead of `eps`", domain=_RATE)
BETA1 = Option("beta1", Type.NUMBER, 0.9, "decay of the first moment", domain=FRACTION)
BETA2 = Option("beta2", Type.NUMBER, 0.999, "decay of the second moment", domain=FRACTION)
_BETAS = (BETA1, BETA2)


def _moments(name: str) -> Callable[[Options], Call]:
    """Return the call of an optimizer with two moments, without PyTorch's ``eps`` if ``eps_hat`` replaces it."""

    def torch(options: Options) -> Call:
        eps = {} if options.get("eps_hat") is not None else {"eps": options["eps"]}
        betas = (options["beta1"], options["beta2"])
        return call(name, betas=betas, **eps, weight_decay=options["weight_decay"])

    return torch


def _named(name: str) -> Callable[[Options], Call]:
    """Return the call of an optimizer whose constructor names its options as the spec does."""
    return lambda options: call(name, **options)


ADAM = OptimizerKind(
    name="adam",
    rate=1e-3,
    own=(*_BETAS, _EPS, EPS_HAT, WEIGHT_DECAY),
    torch=_moments("Adam"),
    fused=True,
    states=lambda options: 2,
    adaptive=True,
    scales=False,
    decoupled=False,
    exclusive=(("eps", "eps_hat"),),
    needed=(),
)
ADAMW = OptimizerKind(
    name="adamw",
    rate=1e-3,
    own=(*_BETAS, _EPS, EPS_HAT, WEIGHT_DECAY._replace(default=0.01)),
    torch=_moments("AdamW"),
    fused=True,
    states=lambda options: 2,
    adaptive=True,
    scales=False,
    decoupled=True,
    exclusive=(("eps", "eps_hat"),),
    needed=(),
)
SGD = OptimizerKind(
    name="sgd",
    rate=1e-2,
    own=(MOMENTUM, Option("nesterov", Type.FLAG, False, "use Nesterov momentum", Written.BARE), WEIGHT_DECAY),
    torch=_named("SGD"),
    fused=True,
    states=lambda options: int(options["momentum"] > 0),
    adaptive=False,
    scales=True,
    decoupled=False,
    exclusive=(),
    needed=(("nesterov", "momentum"),),
)
RMSPROP = OptimizerKind(
    name="rmsprop",
    rate=1e-3,
    own=(
        Option("alpha", Type.NUMBER, 0.99, "decay of the average of squared gradients", domain=FRACTION),
        MOMENTUM,
        _EPS,
        WEIGHT_DECAY,
    ),
    torch=_named("RMSprop"),
    fused=False,
    states=lambda options: 1 + int(options["momentum"] > 0),
    adaptive=True,
    scales=False,
    decoupled=False,
    exclusive=(),
    needed=(),
)
ADADELTA = OptimizerKind(
    name="adadelta",
    rate=1.0,
    own=(
        Option("rho", Type.NUMBER, 0.9, "decay of the averages of squared gradients", domain=FRACTION),
        _EPS._replace(default=1e-6),
        WEIGHT_DECAY,
    ),
    torch=_named("Adadelta"),
    fused=False,
    states=lambda options: 2,
    adaptive=False,
    scales=False,
    decoupled=False,
    exclusive=(),
    needed=(),
)
ADAGRAD = OptimizerKind(
    name="adagrad",
    rate=1e-2,
    own=(
        Option("lr_decay", Type.NUMBER, 0.0, "divide the rate by 1 + lr_decay · step", domain=_SHARE),
        _EPS._replace(default=1e-10),
        WEIGHT_DECAY,
    ),
    torch=_named("Adagrad"),
    fused=False,
    states=lambda options: 1,
    adaptive=False,
    scales=False,
    decoupled=False,
    exclusive=(),
    needed=(),
)
ADAMAX = OptimizerKind(
    name="adamax",
    rate=2e-3,
    own=(*_BETAS, _EPS, WEIGHT_DECAY),
    torch=_moments("Adamax"),
    fused=False,
    states=lambda options: 2,
    adaptive=True,
    scales=False,
    decoupled=False,
    exclusive=(),
    needed=(),
)
NADAM = OptimizerKind(
    name="nadam",
    rate=2e-3,
    own=(*_BETAS, _EPS, WEIGHT_DECAY),
    torch=_moments("NAdam"),
    fused=False,
    states=lambda options: 2,
    adaptive=True,
    scales=False,
    decoupled=False,
    exclusive=(),
    needed=(),
)
RADAM = OptimizerKind(
    name="radam",
    rate=1e-3,
    own=(*_BETAS, _EPS, WEIGHT_DECAY),
    torch=_moments("RAdam"),
    fused=False,
    states=lambda options: 2,
    adaptive=True,
    scales=False,
    decoupled=False,
    exclusive=(),
    needed=(),
)

OPTIMIZERS = Words(__name__, OptimizerKind)
