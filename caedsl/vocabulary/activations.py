"""Activations: one table that the language, the rules, the initialisation and the backend read."""

from math import inf
from typing import NamedTuple

from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.option import Option, Type, Written


class Function(NamedTuple):
    """An activation function.

    ``module`` is its class in ``torch.nn``; ``argument`` the constructor's name for its one parameter, and ``parameter`` that
    parameter's default. ``low`` and ``high`` bound its output. ``rectifier`` says that it passes about half of a centred
    signal, so that He initialisation keeps the variance (He et al. 2015, arXiv 1502.01852).
    """

    module: str
    low: float = -inf
    high: float = inf
    rectifier: bool = False
    argument: str = ""
    parameter: float | None = None


FUNCTIONS: dict[str, Function] = {
    "relu": Function("ReLU", low=0.0, rectifier=True),
    "leaky_relu": Function("LeakyReLU", rectifier=True, argument="negative_slope", parameter=0.01),
    "elu": Function("ELU", low=-1.0, rectifier=True, argument="alpha", parameter=1.0),
    "selu": Function("SELU", low=-1.7581),
    "gelu": Function("GELU", low=-0.17, rectifier=True),
    "silu": Function("SiLU", low=-0.2785, rectifier=True),
    "mish": Function("Mish", low=-0.3089, rectifier=True),
    "prelu": Function("PReLU", rectifier=True, argument="init", parameter=0.25),
    "softplus": Function("Softplus", low=0.0),
    "tanh": Function("Tanh", low=-1.0, high=1.0),
    "sigmoid": Function("Sigmoid", low=0.0, high=1.0),
    "linear": Function(""),
}


class Activation(NamedTuple):
    """An activation as a layer has it: its name and, where it takes one, its parameter (``leaky_relu=0.1``)."""

    name: str = "linear"
    parameter: float | None = None

    @property
    def function(self) -> Function:
        """What the name means."""
        return FUNCTIONS[self.name]

    @property
    def low(self) -> float:
        """The lowest value it can return (not reached by some)."""
        if self.name == "elu" and self.parameter is not None:
            return -self.parameter
        return self.function.low

    @property
    def high(self) -> float:
        """The highest value it can return (not reached by some)."""
        return self.function.high

    @property
    def parameters(self) -> int:
        """How many parameters it learns: one for ``prelu``."""
        return int(self.name == "prelu")

    def __str__(self) -> str:
        default = self.function.parameter
        return self.name if self.parameter in (None, default) else f"{self.name}={self.parameter:g}"

    def calls(self) -> tuple[Call, ...]:
        """Its module; nothing for ``linear``."""
        function = self.function
        if not function.module:
            return ()
        if self.parameter in (None, function.parameter):
            return (call(function.module),)
        return (call(function.module, **{function.argument: self.parameter}),)


LINEAR = Activation()

ACTIVATION = Option(
    "activation",
    Type.ACTIVATION,
    LINEAR,
    "applied after the normalisation; `leaky_relu`, `elu` and `prelu` take a number (`leaky_relu=0.1`)",
    Written.BARE,
    choices=tuple(FUNCTIONS),
)
