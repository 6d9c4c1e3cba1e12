"""Numbers in the sentences of a diagnosis."""

from collections.abc import Iterable

from caedsl.vocabulary.spelling import number_text


def rounded(value: float) -> str:
    """Return a number with two digits, in its shortest spelling: ``0.0038``, ``1e-6``."""
    return number_text(float(f"{value:.1e}"))


def percents(shares: Iterable[float]) -> str:
    """Return the smallest and the largest share in percent, once if they read the same: ``0.04% to 2%``."""
    found = sorted(shares)
    return " to ".join(dict.fromkeys((percent(found[0]), percent(found[-1]))))


def percent(share: float) -> str:
    """Return a share in percent with two digits, whatever its size: ``0.02%``, ``12%``."""
    return f"{rounded(100 * share)}%"
