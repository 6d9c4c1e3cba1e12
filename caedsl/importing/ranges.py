"""Range of the samples' values, from Python numbers."""

from collections.abc import Sequence
from math import isfinite

import numpy as np

from caedsl.importing.errors import ImportFailure
from caedsl.vocabulary.spelling import number_text


def range_text(range_: tuple[float, float] | None) -> str:
    """Return the range of the input as a spec writes it; None stands for numbers without bounds."""
    if range_ is None:
        return "real"
    if not isinstance(range_, Sequence) or len(range_) != 2 or not all(map(_is_finite, range_)):
        raise ImportFailure(
            f"range={range_!r} is not a range: give the smallest and the largest value of the samples, such as (0, 1), "
            "or None if they have no bounds"
        )
    return "..".join(number_text(end, exact=True) for end in range_)


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float | np.number) and isfinite(float(value))
