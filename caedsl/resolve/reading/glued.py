"""Words of a line that were written without the spaces between them: ``8k3``, ``k3s2``, ``conv8``."""

import re
from functools import cache

from caedsl.syntax import tree
from caedsl.vocabulary.activations import bare
from caedsl.vocabulary.bottlenecks import FIRST_WORDS
from caedsl.vocabulary.layers import KINDS
from caedsl.vocabulary.option import Type
from caedsl.vocabulary.sources import SOURCES
from caedsl.vocabulary.spelling import bare_words

_LONGEST = 40
_NUMBERED = re.compile(r"([A-Za-z_]*?[A-Za-z])_?(\d.*)")


def apart(text: str) -> str:
    """Return a value, short options and words with spaces between them, each once; empty if ``text`` is not that."""
    match = _pieces().fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        return ""
    pieces = [piece for piece in (match[1], *re.findall(_piece(), match[2])) if piece]
    return " ".join(dict.fromkeys(pieces)) if len(pieces) > 1 else ""


def words_apart(text: str) -> list[str]:
    """Return the short options and words in ``text``, which has nothing else; none if it has."""
    match = _pieces().fullmatch(text) if len(text) <= _LONGEST else None
    return [] if match is None or match[1] else list(dict.fromkeys(re.findall(_piece(), match[2])))


def apart_from_layer(text: str, owner: str) -> str:
    """Return ``reluconv`` as ``relu; conv``, and ``convrelu`` on a line of ``conv`` as ``relu``; else an empty text."""
    if text.startswith(owner) and (words := words_apart(text.removeprefix(owner))):
        return " ".join(words)
    layer = max((kind for kind in KINDS if text.endswith(kind) and kind not in bare()), key=len, default="")
    words = words_apart(text.removesuffix(layer)) if layer else []
    return f"{' '.join(words)}; {layer}" if words else ""


@cache
def _piece() -> str:
    """Return the pattern of a short option, an activation or another word that a layer can have."""
    options = (option for kind in KINDS.values() for option in kind.options if option.type is not Type.ACTIVATION)
    words = {*bare(), *(word for option in options for word in bare_words(option))}
    return "|".join((r"x\d+", r"[dgks]\d+(?:x\d+)*", *sorted(words, key=len, reverse=True)))


@cache
def _pieces() -> re.Pattern[str]:
    return re.compile(rf"(\d+)?((?:{_piece()})*)")


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
