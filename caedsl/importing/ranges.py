"""Range of the samples' values: from Python numbers, and as a spec writes it."""

from collections.abc import Sequence
from math import isfinite

import numpy as np

from caedsl.importing.errors import ImportFailure
from caedsl.model.data import InputRange
from caedsl.vocabulary.spelling import number_text


def range_of(ends: tuple[float, float] | None) -> InputRange:
    """Return the range with these ends; None stands for numbers without bounds."""
    if ends is None:
        return InputRange(None, None)
    if not isinstance(ends, Sequence) or len(ends) != 2 or not all(map(_is_finite, ends)):
        raise ImportFailure(
            f"range={ends!r} is not a range: give the smallest and the largest value of the samples, such as (0, 1), "
            "or None if they have no bounds"
        )
    return InputRange(*map(float, ends))


def range_text(values: InputRange) -> str:
    """Return a range as a spec writes it, with every digit."""
    return "real" if values.ends is None else "..".join(number_text(end, exact=True) for end in values.ends)


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float | np.number) and isfinite(float(value))
