"""Numbers as findings write them."""

import re

_UNITS = (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3))


def counted(count: int, what: str) -> str:
    """``1 channel``, ``3 channels``."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def plain(value: float, digits: int = 6) -> str:
    """Return a number in so many digits, its power of ten as a spec writes it: ``0.001``, ``1e-6``."""
    return re.sub(r"e([+-])0*", lambda power: "e" + power[1].strip("+"), f"{value:.{digits}g}")


def readable_bytes(count: float) -> str:
    """Bytes in decimal units, as a spec's ``2G`` counts them: ``3.1 GB``."""
    for unit, size in _UNITS:
        if count >= size:
            return f"{count / size:,.3g} {unit}" if count < 1000 * size else f"{count / size:,.0f} {unit}"
    return counted(int(count), "byte")
