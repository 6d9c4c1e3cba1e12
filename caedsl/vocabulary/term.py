"""Terms of the training loss: reconstruction losses, weight penalties, and terms of the code."""

from typing import NamedTuple

from caedsl.vocabulary.schedules import warm_up


class Term(NamedTuple):
    """Named term of the training loss.

    ``source`` is the path of the module from which it is computed: from its output for a penalty on the code, or from
    its input with ``method`` if the module itself has a loss. The weight rises from 0 over ``warmup``, a share of all
    steps. With a ``capacity``, the term is the distance from it, and the capacity rises instead. ``averaged`` is True
    if the method returns a mean over the code's values, and not a sum for each sample.
    """

    name: str
    weight: float
    source: str
    warmup: float = 0.0
    method: str = "divergence"
    averaged: bool = False
    capacity: float = 0.0

    def factor(self, step: int, steps: int) -> float:
        """Return the factor on the weight at ``step`` (counted from 0) of ``steps``."""
        rising = self.rising(steps)
        return warm_up(step, rising, 0.0) if step < rising else 1.0

    def rising(self, steps: int) -> int:
        """Return the number of ``steps`` over which the weight rises."""
        return round(self.warmup * steps)
