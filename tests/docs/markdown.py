"""The fenced blocks of the project's Markdown, and how each is tested.

The words after a fence's language define the test:

- ``cae`` alone is a whole spec; ``cae encoder``, ``cae decoder``, ``cae train``, ``cae require`` are lines of that block and
  ``cae statements`` are top-level statements, which replace those of a small healthy spec.
- ``# error: [name]`` (or ``warning``, ``info``) at the end of a line expects that finding there.
- ``file=NAME`` writes the block to a file, for the commands that follow; ``append=NAME`` adds it to the end of one.
- ``console`` blocks are run, ``python`` blocks executed, in the order of the page. What is shown after a command, or in a
  ``text`` block right after the Python, is compared; ``…`` stands for anything. ``exit=N`` is the exit code expected.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *(path for path in sorted((ROOT / "docs").glob("*.md")) if path.name != "why-it-fails.md"),
    *sorted((ROOT / "docs" / "journeys").glob("*.md")),
]
"""The pages that these tests execute; the pages of rules and monitors have tests of their own."""

_FENCE = re.compile(r"^(?P<fence>`{3,})(?P<info>[^`\n]*)\n(?P<text>.*?)^(?P=fence)[ ]*$", re.MULTILINE | re.DOTALL)
_WORD = re.compile(r'(\w+)=("[^"]*"|\S+)|(\S+)')


@dataclass(frozen=True)
class Block:
    """A fenced block: ``words`` and ``values`` follow its language, ``end`` is the offset after it."""

    page: Path
    line: int
    language: str
    words: tuple[str, ...]
    values: dict[str, str]
    text: str
    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a page, in its order."""
    text = page.read_text("utf-8")
    for match in _FENCE.finditer(text):
        language, *rest = match["info"].split(maxsplit=1)
        found = _WORD.findall(rest[0]) if rest else []
        yield Block(
            page,
            text.count("\n", 0, match.start()) + 1,
            language,
            tuple(word for _, _, word in found if word),
            {name: value.strip('"') for name, value, _ in found if name},
            match["text"],
            match.start(),
            match.end(),
        )


def matches(shown: str, actual: str) -> bool:
    """Return whether ``actual`` is what a page shows.

    ``…`` on a line of its own matches any lines, within a line any text.
    """
    wanted = [re.escape(line.rstrip()) for line in shown.strip("\n").split("\n")]
    lines = ["(?:.*\n)*" if line == "…" else line.replace("…", ".*") + "\n" for line in wanted]
    got = "".join(f"{line.rstrip()}\n" for line in actual.strip("\n").split("\n"))
    return re.fullmatch("".join(lines), got) is not None
