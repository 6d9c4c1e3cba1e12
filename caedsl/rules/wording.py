"""Numbers as findings write them."""

_UNITS = (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3))


def counted(count: int, what: str) -> str:
    """``1 channel``, ``3 channels``."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def readable_bytes(count: float) -> str:
    """Bytes in decimal units, as a spec's ``2G`` counts them: ``3.1 GB``."""
    for unit, size in _UNITS:
        if count >= size:
            return f"{count / size:,.3g} {unit}" if count < 1000 * size else f"{count / size:,.0f} {unit}"
    return counted(int(count), "byte")
