"""Explanations for powers: ``10^-3``, ``2**4`` and ``1x16^3``."""

import re

from caedsl.diagnostics.finding import Finding
from caedsl.syntax.errors.wording import rewritten, size_text
from caedsl.syntax.heads import Fault
from caedsl.syntax.tokens import span_of


def power(fault: Fault) -> Finding | None:
    """Explain ``10^-3`` and ``2**4``."""
    if fault.found not in ("^", "*"):
        return None
    place = span_of(fault.found).start
    if (size := _power_of_size(fault, place)) is not None:
        return size
    powers = (match for match in _POWERS.finditer(fault.text, fault.span.start) if match.end() > place)
    match = next(powers, None)
    if match is None or match.start() > place:
        return None
    factor, base, exponent = match[1] or "1", int(match[2]), int(match[3])
    if base != 10 and (match[1] or exponent < 0 or exponent * base.bit_length() > _LARGEST_POWER):
        return None
    written = f"{factor}e{exponent}" if base == 10 else str(base**exponent)
    return rewritten(match, written, f"is a power; write the number, `{written}`")


def _power_of_size(fault: Fault, place: int) -> Finding | None:
    """Explain ``1x16^3``: a side with the number of axes as its power."""
    of_input = fault.tokens[0] in ("input", "target")
    for match in _POWERS_IN_SIZES.finditer(fault.text, fault.span.start, fault.span.end):
        if match.start() < place < match.end() and (match[1] or of_input):
            sides = [*filter(None, match[1].split("x")), *[match[2]] * int(match[3])]
            size = size_text(sides, is_input=of_input)
            return rewritten(match, size, "has a power; write each side of the size")
    return None


_POWERS_IN_SIZES = re.compile(r"(?<![\w.])((?:\d{1,7}x){0,4})(\d{1,7})[ \t]*(?:\^|\*\*)[ \t]*([23])(?![\w.])")
"""Match ``1x16^3``: channels, and a side with the number of axes."""
_POWERS = re.compile(
    r"(?:(\d+(?:\.\d+)?)[ \t]*\*[ \t]*)?(?<![\w.])(\d{1,4})[ \t]*(?:\^|\*\*)[ \t]*(-?\d{1,2})(?![\w.])"
)
_LARGEST_POWER = 60
"""Largest number of bits of a power that is written as one number."""
