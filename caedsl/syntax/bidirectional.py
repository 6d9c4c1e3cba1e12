"""Control characters that change the direction of text, so that it is displayed in another order than it is read."""

import re

from caedsl.diagnostics.finding import Finding, Label
from caedsl.source import Span

_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]+")
_MOST_PLACES = 5


def bidirectional_controls(text: str) -> tuple[Finding, ...]:
    """Return a finding at the first direction control of ``text``, with the next ones as related places."""
    if text.isascii():
        return ()
    places = [match.span() for match in _CONTROLS.finditer(text)]
    if not places:
        return ()
    first, *others = (Label(Span(*place)) for place in places)
    number = f"U+{ord(text[first.span.start]):04X}"
    return (
        Finding(
            "bidirectional-control",
            f"the invisible character {number} changes the direction in which this text is displayed",
            first,
            related=tuple(label._replace(text="another one") for label in others[:_MOST_PLACES]),
            help="delete it: an editor displays this line in another order than caedsl reads it",
        ),
    )
