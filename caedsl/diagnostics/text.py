"""Text on a terminal: what is safe to print, how wide it is, where it breaks."""

import os
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

TAB_STOP = 4

_JOINERS = "\u200c\u200d"


def printable(text: str) -> str:
    """Return ``text`` with every character made visible that would move the cursor, reorder or hide text."""
    return text if text.isprintable() else "".join(map(_visible, text))


def text_of_path(path: str | os.PathLike[str]) -> str:
    """Return a path, or a command with paths, as UTF-8 text: bytes that are not UTF-8 are escaped as ``\\xff``."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def safe(text: str) -> str:
    """Return ``text`` as ``printable`` does, but with tabs, form feeds and line ends kept."""
    return text if text.isprintable() else "".join(c if c in "\t\f\r\n" else _visible(c) for c in text)


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return a count with its noun: ``1 parameter``, ``12,193 parameters``."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def in_backticks(names: Iterable[str]) -> str:
    """Return names in backticks, separated by commas."""
    return ", ".join(f"`{name}`" for name in names)


def one_line(text: str) -> str:
    """Return ``text`` on a single line, safe to print."""
    return printable(" ".join(text.split()))


def markdown(text: str) -> str:
    """Return ``text`` on a single line of Markdown, where none of it is markup or HTML, nor ends a table's cell."""
    return re.sub(r"[\\`*\[|<]", r"\\\g<0>", one_line(text))


def _visible(character: str) -> str:
    if character.isprintable() or character in _JOINERS or unicodedata.category(character) == "Zs":
        return character
    if character < " ":
        return chr(0x2400 + ord(character))
    return "\u2421" if character == "\x7f" else "\ufffd"


def width(text: str) -> int:
    """Return the columns that ``text`` takes on a terminal (Unicode's East Asian width; combining marks take none)."""
    return len(text) if text.isascii() else sum(map(_character_width, text))


def _character_width(character: str) -> int:
    if character in _JOINERS or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def wrap(text: str, room: int) -> list[str]:
    """Return ``text`` in lines of at most ``room`` columns, broken at spaces; keep its own line breaks and indents."""
    return [piece for line in text.split("\n") for piece in _wrap_line(printable(line), room)]


def _wrap_line(line: str, room: int) -> list[str]:
    indent = line[: len(line) - len(line.lstrip(" "))]
    pieces: list[str] = []
    current = ""
    for gap, word in re.findall(r"( *)([^ ]+)", line):
        if not current:
            current = indent + word
        elif width(current + gap + word) <= room:
            current += gap + word
        else:
            pieces.append(current)
            current = indent + word
    return [*pieces, current]


class LaidOutLine(NamedTuple):
    """Source line laid out in columns.

    ``characters`` are drawn for each of the source's characters (nothing for a tab), and ``columns`` are their
    positions; the last column is the one after the line. Where every character takes one column, ``characters`` is a
    string.
    """

    characters: Sequence[str]
    columns: Sequence[int]

    @property
    def width(self) -> int:
        """Number of columns of the whole line."""
        return self.columns[-1]

    def column(self, index: int) -> int:
        """Return the column of character ``index``, or the column of the line's end if the line is shorter."""
        return self.columns[min(index, len(self.columns) - 1)]

    def begins_at(self, index: int) -> bool:
        """Return whether only blanks precede character ``index``."""
        return all(character in ("", " ") for character in self.characters[:index])

    def between(self, left: int, right: int) -> Iterator[tuple[int, str]]:
        """Yield the text that lies wholly within the columns ``left..right``, in pieces with their columns."""
        if isinstance(self.characters, str):
            yield left, self.characters[left : max(left, right)]
            return
        for index in range(bisect_left(self.columns, left), len(self.characters)):
            if self.columns[index + 1] > right:
                break
            yield self.columns[index], self.characters[index]

    def scroll(self, focus: int, end: int, room: int) -> int:
        """Return how far the line must move left to show the columns ``focus`` to ``end`` in ``room`` columns."""
        if self.width <= room or end < room:
            return 0
        return max(0, min(focus - room // 4, self.width + 1 - room))


@lru_cache(maxsize=16)
def lay_out(text: str) -> LaidOutLine:
    """Lay a source line out in columns: tabs to the next stop of 4, wide characters on two columns."""
    if text.isascii() and text.isprintable():
        return LaidOutLine(text, range(len(text) + 1))
    characters = ["" if character == "\t" else _visible(character) for character in text]
    columns = [0]
    for character in characters:
        column = columns[-1]
        columns.append(column + (width(character) if character else TAB_STOP - column % TAB_STOP))
    return LaidOutLine(characters, columns)
