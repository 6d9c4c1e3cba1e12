"""Characters from word processors, web pages and other languages, and their meaning."""

import unicodedata
from typing import NamedTuple


class Character(NamedTuple):
    """Name of a character, its plain replacement, and the reason."""

    name: str
    meant: str
    reason: str


_QUOTES = ("a typographic quotation mark", '"', "paths are written in plain double quotes")
_SINGLE_QUOTE = ("a single quotation mark", '"', "paths are written in double quotes")
_TIMES = ("a multiplication sign", "x", "sizes are joined by the letter x")
_SPACE = ("an invisible space from another program", " ", "only plain spaces and tabs separate words")
_NOTHING = ("an invisible character", "", "it has no meaning in a spec")
_DASH = ("a typographic dash", "-", "minus is the plain hyphen")

_KNOWN = {
    **dict.fromkeys("“”„‟«»″", _QUOTES),
    **dict.fromkeys("'‘’‚‛‹›′", _SINGLE_QUOTE),
    **dict.fromkeys("×✕✖⨯х", _TIMES),  # the last is the Cyrillic letter
    **dict.fromkeys("\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a", _SPACE),
    **dict.fromkeys("\u202f\u205f\u3000\x0b\x0c\x1c\x1d\x1e\x1f", _SPACE),
    **dict.fromkeys("\u2028\u2029\x85", ("a line end from another program", "\n", "lines end with a plain line end")),
    **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad", _NOTHING),
    **dict.fromkeys("‐‑‒–—−", _DASH),
    "…": ("an ellipsis", "..", "a range is written with two dots"),
    "≤": ("a typographic comparison", "<=", "it is written `<=`"),
    "≥": ("a typographic comparison", ">=", "it is written `>=`"),
    "÷": ("a division sign", "/", "division is written `/`"),
    "·": ("a centred dot", "*", "multiplication is written `*`"),
    "∗": ("an asterisk operator", "*", "multiplication is written `*`"),
}


def meant_by(character: str) -> Character | None:
    """Return what ``character`` stands for, or None if it is unknown."""
    if known := _KNOWN.get(character):
        return Character(*known)
    if unicodedata.decomposition(character).startswith("<wide>"):
        plain = unicodedata.normalize("NFKC", character)
        return Character("a full-width character", plain, "the language uses the plain ones")
    return None


def in_words(character: str) -> str:
    """Return a name of ``character``: itself, its Unicode name, or its number if it has neither."""
    if character == "`":
        return "a backtick"
    if character.isascii() and character.isprintable():
        return f"`{character}`"
    name = unicodedata.name(character, "")
    number = f"U+{ord(character):04X}"
    return f"`{character}` ({name.lower()})" if name and character.isprintable() else f"the character {number}"
