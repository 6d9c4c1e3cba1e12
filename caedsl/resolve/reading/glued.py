"""Words of a line that were written without the spaces between them: ``8k3``, ``k3s2``, ``conv8``."""

import re

from caedsl.syntax import tree
from caedsl.vocabulary.activations import bare
from caedsl.vocabulary.bottlenecks import FIRST_WORDS
from caedsl.vocabulary.layers import KINDS
from caedsl.vocabulary.sources import SOURCES

_LONGEST = 40
_PIECES = re.compile(r"(\d+)?((?:[dgksx]\d+)*)([a-z_]\w*)?")
_SHORT = re.compile(r"x\d+|[dgks]\d+(?:x\d+)*")
_NUMBERED = re.compile(r"([A-Za-z_]*?[A-Za-z])_?(\d.*)")


def apart(text: str) -> str:
    """Return a value, short options and an activation with spaces between them; empty if ``text`` is not that."""
    match = _PIECES.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None or (match[3] is not None and match[3] not in bare()):
        return ""
    pieces = [piece for piece in (match[1], *_SHORT.findall(match[2]), match[3]) if piece]
    return " ".join(pieces) if len(pieces) > 1 else ""


def layer_apart(word: str) -> str:
    """Return ``conv8k3`` as ``conv 8 k3``, and an empty text for a word that does not start with a layer."""
    match = _NUMBERED.fullmatch(word) if len(word) <= _LONGEST else None
    if match is None or match[1] not in KINDS:
        return ""
    values = match[2] if match[2].isdigit() else apart(match[2])
    return f"{match[1]} {values}" if values else ""


def statement_apart(word: str) -> tuple[str, str] | None:
    """Return ``blockhalf`` as its statement and the word after it, and None for another word."""
    for statement, following in _FOLLOWING.items():
        rest = word.removeprefix(statement)
        if rest != word and re.fullmatch(following, rest):
            return statement, rest
    return None


_FOLLOWING = {
    "block": r"[a-z_]\w{2,}",  # a name, and not the end of `blocks`
    "bottleneck": "|".join(map(re.escape, FIRST_WORDS)),
    "data": "|".join(SOURCES),
    "decoder": "mirror",
    "input": r"\d{1,6}(x\d{1,6}){1,3}",
}
"""Match the first value of a statement."""


def starts_with_value(items: tuple[tree.Item, ...]) -> bool:
    """Return whether a line already has a number or a size in the first place."""
    return bool(items) and isinstance(items[0], tree.Number | tree.Size | tree.Operation | tree.Parenthesised)
