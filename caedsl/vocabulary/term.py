"""Terms of the training loss: reconstruction losses, penalties on weights, and what a code adds."""

from typing import NamedTuple


class Term(NamedTuple):
    """Named part of the training loss.

    ``source`` is the path of the module that it is computed from: of its output for a penalty on the code, of its input
    where the module itself has a loss (``divergence`` of a variational code).
    """

    name: str
    weight: float
    source: str
