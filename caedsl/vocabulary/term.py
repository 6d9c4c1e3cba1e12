"""Terms of the training loss: reconstruction losses, penalties on weights, and what a code adds."""

from typing import NamedTuple

from caedsl.vocabulary.schedules import warm_up


class Term(NamedTuple):
    """Named part of the training loss.

    ``source`` is the path of the module that it is computed from: of its output for a penalty on the code, of its input
    where the module itself has a loss, in the ``method`` of that name. The weight rises from 0 over ``warmup``, a share
    of all steps.
    """

    name: str
    weight: float
    source: str
    warmup: float = 0.0
    method: str = "divergence"

    def factor(self, step: int, steps: int) -> float:
        """Return what the weight is multiplied by at ``step`` (counted from 0) of ``steps``."""
        rising = self.rising(steps)
        return warm_up(step, rising, 0.0) if step < rising else 1.0

    def rising(self, steps: int) -> int:
        """Return over how many of ``steps`` the weight rises."""
        return round(self.warmup * steps)
