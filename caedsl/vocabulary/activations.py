"""Activation of a layer: a function and the value of its option; and the option with which lines set one."""

from functools import cache, lru_cache
from math import isinf
from typing import Any, NamedTuple

from caedsl.vocabulary.call import Call
from caedsl.vocabulary.function import Function
from caedsl.vocabulary.functions import FUNCTIONS as FUNCTIONS
from caedsl.vocabulary.option import REQUIRED, LayerOption, Type, Written


class Activation(NamedTuple):
    """Activation of a layer: its name and the value of its option (``leaky_relu=0.1``), None for the default."""

    name: str = "linear"
    parameter: Any = None

    @property
    def function(self) -> Function:
        """Declaration with that name."""
        return FUNCTIONS[self.name]

    @property
    def value(self) -> Any:
        """Value of the option, or its default."""
        option = self.function.option
        return option.default if self.parameter is None and option is not None else self.parameter

    @property
    def low(self) -> float:
        """Lowest value of the output (some functions only approach it)."""
        return self.function.low(self.value)

    @property
    def high(self) -> float:
        """Highest value of the output (some functions only approach it)."""
        return self.function.high(self.value)

    @lru_cache(maxsize=256)  # noqa: B019  # an activation is a value, and few bounds occur in a spec
    def bounds(self, low: float, high: float) -> tuple[float, float]:
        """Return bounds of the output for inputs from ``low`` to ``high``."""
        lowest, highest = _extremes(self, low, high)
        return self.low if isinf(low) else lowest, self.high if isinf(high) else highest

    def keeps(self, low: float, high: float) -> bool:
        """Return whether every input from ``low`` to ``high`` is returned unchanged."""
        unbounded = (not isinf(low) or isinf(self.low)) and (not isinf(high) or isinf(self.high))
        return unbounded and all(self.function.formula(self.value, x) == x for x in _between(low, high))

    @property
    def leak(self) -> float | None:
        """Slope below zero of a rectifier that is linear there."""
        return None if self.function.leak is None else self.function.leak(self.value)

    @property
    def slope(self) -> float:
        """Largest slope."""
        return self.function.slope(self.value)

    @property
    def passed(self) -> float:
        """Factor by which the power of a signal changes (see ``Function``)."""
        return self.function.passed(self.value)

    @property
    def faint(self) -> float:
        """Factor by which the power of a weak signal changes."""
        return self.function.faint(self.value)

    @property
    def ceiling(self) -> float:
        """Largest power of the output."""
        return self.function.ceiling(self.value)

    def parameters(self, channels: int) -> int:
        """Return the number of learned parameters for an input with this many channels."""
        return self.function.learned(channels)

    def __str__(self) -> str:
        option = self.function.option
        if option is None or self.value == option.default:
            return self.name
        text = "..".join(f"{end:g}" for end in self.value) if isinstance(self.value, tuple) else f"{self.value:g}"
        return f"{self.name}={text}"

    def calls(self, channels: int) -> tuple[Call, ...]:
        """Return the calls of the torch module for an input with this many channels; none for ``linear``."""
        return self.function.torch(self.value, channels)


_PARTS = 64
_BEYOND = 20.0  # beyond this, every function is constant or linear


def _between(low: float, high: float) -> list[float]:
    """Return numbers from ``low`` to ``high``; of an infinite range, the part where the functions bend."""
    start = min(high, 0.0) - _BEYOND if isinf(low) else low
    stop = max(low, 0.0) + _BEYOND if isinf(high) else high
    return [start + (stop - start) * part / _PARTS for part in range(_PARTS)] + [stop]


@lru_cache(maxsize=1024)
def _extremes(activation: Activation, low: float, high: float) -> tuple[float, float]:
    """Return the lowest and the highest output for inputs from ``low`` to ``high``: many layers ask for the same."""
    outputs = [activation.function.formula(activation.value, x) for x in _between(low, high)]
    return min(outputs), max(outputs)


LINEAR = Activation()

ACTIVATION: LayerOption[Activation] = LayerOption(
    "activation",
    Type.ACTIVATION,
    LINEAR,
    "applied after the normalisation; some take a number (`leaky_relu=0.1`)",
    Written.BARE,
)


@cache
def bare() -> tuple[str, ...]:
    """Return the names of the activations that need no value."""
    return tuple(f.name for f in FUNCTIONS.values() if f.option is None or f.option.default is not REQUIRED)


def fitting(low: float | None, high: float | None) -> Activation:
    """Return the activation for an output with values in ``low..high``; linear if none has that range.

    If several functions have the range, the first declared is used.
    """
    candidates = (Activation(name) for name in bare() if FUNCTIONS[name].saturates)
    return next((each for each in candidates if (each.low, each.high) == (low, high)), LINEAR)
