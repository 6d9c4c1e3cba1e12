"""Formatting of numbers in findings, and the words for samples."""

import re

from caedsl.diagnostics.finding import Finding
from caedsl.diagnostics.text import counted
from caedsl.vocabulary.shape import Shape, a_sample, noun, places

_IMAGES = re.compile(r"`[^`]*`|\"[^\"]*\"|\b(an image|images?|pixel values?|pixels?)\b")
"""Quotes, and the words for samples and their numbers outside quotes."""
_UNITS = (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3))


def plain(value: float, digits: int = 6) -> str:
    """Return a number rounded to this many digits, with powers of ten as a spec writes them: ``470``, ``1e-6``."""
    rounded = float(f"{value:.{digits}g}")
    return re.sub(r"e([+-])0*", lambda power: "e" + power[1].strip("+"), f"{rounded:.{max(digits, 6)}g}")


def readable_bytes(count: float) -> str:
    """Return bytes in decimal units, as ``2G`` in a spec: ``3.1 GB``."""
    for unit, size in _UNITS:
        if count >= size:
            return f"{count / size:,.3g} {unit}" if count < 1000 * size else f"{count / size:,.0f} {unit}"
    return counted(int(count), "byte")


def in_words_of(shape: Shape, finding: Finding) -> Finding:
    """Return a finding that a rule phrased for images in the words for a sample of ``shape``: signals, volumes."""
    return finding if noun(shape) == "image" else finding.rephrased(lambda text: for_samples_of(shape, text))


def for_samples_of(shape: Shape, text: str) -> str:
    """Return a text that is phrased for images in the words for a sample of ``shape``."""
    if noun(shape) == "image":
        return text
    number = places(shape)
    words = {
        "an image": a_sample(shape),
        "image": noun(shape),
        "images": f"{noun(shape)}s",
        "pixel value": number.removesuffix("s"),
        "pixel values": number,
        "pixel": number.removesuffix("s"),
        "pixels": number,
    }
    return _IMAGES.sub(lambda found: words.get(found[1], found[0]), text)
