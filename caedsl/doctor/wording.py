"""Numbers in the sentences of a diagnosis."""

from caedsl.vocabulary.spelling import number_text


def rounded(value: float) -> str:
    """Return a number with two digits, in its shortest spelling: ``0.0038``, ``1e-6``."""
    return number_text(float(f"{value:.1e}"))


def percent(share: float) -> str:
    """Return a share in percent with two digits, whatever its size: ``0.02%``, ``12%``."""
    return f"{rounded(100 * share)}%"
