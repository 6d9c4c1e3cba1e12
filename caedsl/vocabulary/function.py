"""Activation functions: the properties that the compiler needs, and common ways to state them."""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log1p, pi, sqrt, tanh
from typing import Any

from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.option import Option

Number = Callable[[Any], float]
"""Property that may depend on the value of the activation's option."""
Torch = Callable[[Any, int], tuple[Call, ...]]
"""Calls for the value of an activation's option and the number of channels."""


@dataclass(frozen=True, kw_only=True)
class Function:
    """Activation function.

    ``option`` is the number or range that it takes, with the name of the argument in its torch module's constructor.
    ``torch`` returns that module's call for a value of the option and a number of channels, and ``formula`` the output
    for that value and an input. The other fields are properties; those that are functions take the value of the
    option, unless stated otherwise:

    - ``low`` and ``high`` bound the output.
    - ``rectifier``: it passes about half of a centred signal, so He initialisation keeps the variance
      (He et al. 2015, arXiv 1502.01852). ``leak`` is the slope below zero of a rectifier that is linear there.
    - ``slope`` is the largest slope, and ``saturates`` states whether the function is flat at both -5 and 5.
    - ``dies``: the slope is exactly 0 below zero.
    - ``passed`` is the power of the output for a standard normal input: E[f(x)²] for rectifiers and Var f(x) for
      softplus. For saturating functions it is the squared slope, their maximum.
    - ``faint`` is the factor on the power of a weak input: the squared slope at 0, or the mean of the squared slopes on
      both sides.
    - ``ceiling`` is the largest power of its output for any input.
    - ``learned`` returns the number of its parameters for a number of channels.
    """

    name: str
    option: Option | None
    torch: Torch
    formula: Callable[[Any, float], float]
    low: Number
    high: Number
    rectifier: bool
    leak: Number | None
    slope: Number
    saturates: bool
    dies: bool
    passed: Number
    faint: Number
    ceiling: Number
    learned: Callable[[int], int]


def always(number: float) -> Number:
    """Return a property that does not depend on the value of the option."""
    return lambda value: number


def nothing(channels: int) -> int:
    """Return 0, the number of parameters of a function that learns nothing."""
    return 0


def plain(module: str) -> Torch:
    """Return the call of a module without arguments."""
    return lambda value, channels: (call(module),)


def with_option(module: str, option: Option, counted: bool = False) -> Torch:
    """Return the call of a module with its option, which is omitted if it has the default.

    If ``counted``, the number of channels is the first argument.
    """

    def calls(value: Any, channels: int) -> tuple[Call, ...]:
        given = {} if value == option.default else {option.name: value}
        return (call(module, *([channels] if counted else []), **given),)

    return calls


def capped_power(cap: float) -> float:
    """Return E[f(x)²] of cap · tanh(x / cap) for a standard normal x, by the trapezoidal rule."""
    places = [step / 10 for step in range(-80, 81)]
    return sum((cap * tanh(x / cap)) ** 2 * exp(-x * x / 2) for x in places) / 10 / sqrt(2 * pi)


def sigmoid(x: float) -> float:
    """Return 1 / (1 + exp(-x)) without overflow."""
    return (1 + tanh(x / 2)) / 2


def softplus(x: float) -> float:
    """Return log(1 + exp(x)) without overflow."""
    return max(x, 0.0) + log1p(exp(-abs(x)))
