"""Canonical layout of a spec: spaces, line breaks and spellings; statements, their order and comments do not change."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from caedsl.diagnostics.finding import Finding
from caedsl.source import Source
from caedsl.syntax.extent import TRIVIA, closing, end, opening
from caedsl.syntax.parser import parse
from caedsl.syntax.printer import INDENT, head_width, print_head
from caedsl.syntax.spelling import canonical_spec
from caedsl.syntax.tree import Spec, Statement

MAX_WIDTH = 100
"""Keep a block on one line up to this many columns."""

_OFF, _ON = "# fmt: off", "# fmt: on"
_LINE_END = re.compile(r"\r\n|\n|\r")


class FormatterBug(Exception):
    """Bug in caedsl: the formatted text would have another meaning, so the file stays unchanged."""


def format_source(source: Source) -> tuple[str | None, tuple[Finding, ...]]:
    """Return the text of ``source`` in canonical layout, or None and the findings if it has syntax errors.

    Lines between ``# fmt: off`` and ``# fmt: on`` (or the end of the block) are not changed. Raise ``FormatterBug`` if
    the result has another meaning, has lost a comment or would be formatted differently again.
    """
    spec, findings = parse(source)
    if findings:
        return None, findings
    spec = canonical_spec(spec)
    text = _laid_out(source.text, spec)
    again, errors = parse(Source(text))
    again = canonical_spec(again)
    if errors or again != spec:
        raise FormatterBug("formatting would change the meaning of the spec")
    if again.comments != spec.comments:
        raise FormatterBug("formatting would change a comment")
    if _laid_out(text, again) != text:
        raise FormatterBug("formatting twice would give another text than formatting once")
    return text, ()


def _laid_out(text: str, spec: Spec) -> str:
    """Return ``text`` with the statements of its canonical ``spec``."""
    layout = _Layout(text)
    layout.body(spec.statements, depth=0, width=0)
    lines = layout.lines
    while lines and not lines[-1].strip():
        lines.pop()
    first_line_end = _LINE_END.search(text)
    line_end = first_line_end[0] if first_line_end else "\n"
    return "".join(line + line_end for line in lines)


@dataclass
class _Layout:
    """Traversal of the text: statements come from the tree, the text between them from the source at ``place``."""

    text: str
    place: int = 0
    lines: list[str] = field(default_factory=list)
    opened: bool = True  # whether the last line opens a block, or nothing has been written: no blank line follows

    def __post_init__(self) -> None:
        self.place = int(self.text.startswith("\ufeff"))

    def body(self, statements: Sequence[Statement], depth: int, width: int) -> None:
        """Lay out the statements of a block and the comments around them.

        ``place`` ends at its ``}`` or the text's end.
        """
        index = 0
        off, blank = self._between(depth, after_line_end=not self.lines)
        while off or index < len(statements):
            if off:
                index = self._keep_lines(statements, index)
            else:
                self._statement(statements[index], depth, width, blank)
                index += 1
            off, blank = self._between(depth, after_line_end=off)

    def _statement(self, statement: Statement, depth: int, width: int, blank: bool) -> None:
        head = print_head(statement, width)
        if statement.block is None:
            self._write(depth, head, blank)
            self.place = statement.span.end
            return
        close = closing(self.text, statement)
        flat = head + _flat_block(statement.block)
        written = self.text[statement.span.start : close]
        empty = not statement.block and "#" not in self.text[statement.span.end : close]
        on_one_line = not _LINE_END.search(written) and len(INDENT * depth + flat) <= MAX_WIDTH
        if empty or on_one_line:
            self._write(depth, flat, blank)
        else:
            self._write(depth, f"{head} {{", blank)
            self.opened = True
            self.place = opening(self.text, statement) + 1
            self.body(statement.block, depth + 1, head_width(statement))
            self._write(depth, "}", blank=False)
        self.place = close + 1

    def _write(self, depth: int, text: str, blank: bool) -> None:
        if blank and not self.opened:
            self.lines.append("")
        self.lines.append(INDENT * depth + text)
        self.opened = False

    def _between(self, depth: int, after_line_end: bool) -> tuple[bool, bool]:
        """Write the comments up to the next statement or brace.

        Return whether they switch formatting off, and whether a blank line comes before the next part.
        """
        line_ends = int(after_line_end)
        while match := TRIVIA.match(self.text, self.place):
            self.place = match.end()
            if match["line_end"]:
                line_ends += 1
            elif match["comment"]:
                comment = match["comment"].rstrip(" \t")
                if line_ends == 0:
                    self.lines[-1] += f"  {comment}"
                    continue
                self._write(depth, comment, blank=line_ends > 1)
                if comment == _OFF:
                    return True, False
                line_ends = 0
        return False, line_ends > 1

    def _keep_lines(self, statements: Sequence[Statement], index: int) -> int:
        """Copy the lines after ``# fmt: off``; return the index of the first statement after them."""
        if line_end := _LINE_END.match(self.text, self.place):
            self.place = line_end.end()
        start = self.place
        own_line = True
        while True:
            match = TRIVIA.match(self.text, self.place)
            if match is None and index == len(statements):
                break
            if match is None:
                self.place = end(self.text, statements[index])
                index += 1
                own_line = False
            elif own_line and match["comment"] and match["comment"].rstrip(" \t") == _ON:
                self.place = match.start()
                break
            else:
                self.place = match.end()
                own_line = own_line or match["line_end"] is not None
        *kept, rest = _LINE_END.split(self.text[start : self.place])
        self.lines += [*kept, rest] if rest.strip() else kept
        self.opened = False
        return index


def _flat_block(block: Sequence[Statement]) -> str:
    return f" {{ {'; '.join(map(_flat, block))} }}" if block else " {}"


def _flat(statement: Statement) -> str:
    head = print_head(statement)
    return head if statement.block is None else head + _flat_block(statement.block)
