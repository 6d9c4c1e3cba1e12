"""Apply the edits of fixes to a text."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence

from caedsl.diagnostics.finding import Edit, Fix
from caedsl.source import Span


def apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """Return ``text`` with ``edits`` applied; they must be sorted by place and must not overlap.

    Raise ``ValueError`` if they are not sorted, overlap or lie outside the text: that is a bug in a fix.
    """
    pieces = []
    done = 0
    for edit in edits:
        if not done <= edit.span.start <= edit.span.end <= len(text):
            raise ValueError(f"{edit} overlaps the edit before it, or lies outside a text of {len(text)} characters")
        pieces += [text[done : edit.span.start], edit.text]
        done = edit.span.end
    return "".join([*pieces, text[done:]])


def removal(text: str, span: Span) -> Edit:
    """Return the edit that removes a statement with its line, or with its `;` if others share the line."""
    line_start = max(text.rfind("\n", 0, span.start), text.rfind("\r", 0, span.start)) + 1
    start, end = span
    while end < len(text) and text[end] in " \t":
        end += 1
    alone = not text[line_start:start].strip()
    if text[end : end + 1] == ";":
        end += 1
        while end < len(text) and text[end] in " \t":
            end += 1
    elif end == len(text) or text[end] in "\r\n#}":
        if alone:
            followed = text[end : end + 1] in ("#", "}")  # they stay, where the statement was
            return Edit(Span(start, end) if followed else Span(line_start, end + len(_line_end(text, end))), "")
        before = text[:start].rstrip(" \t")
        start, end = (len(before[:-1].rstrip(" \t")), span.end) if before.endswith(";") else (start, span.end)
    return Edit(Span(start, end), "")


def part_removal(text: str, span: Span) -> Edit:
    """Return the edit that removes a part of a line, such as an option, and the space before it."""
    return Edit(Span(len(text[: span.start].rstrip(" \t")), span.end), "")


def removals(text: str, spans: Iterable[Span]) -> list[Edit]:
    """Return the edits that remove statements; neighbours with only a `;` between them are removed together."""
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and text[joined[-1].end : span.start].strip(" \t") == ";":
            joined[-1] = Span(joined[-1].start, span.end)
        else:
            joined.append(span)
    return [removal(text, span) for span in joined]


def _line_end(text: str, place: int) -> str:
    return "\r\n" if text.startswith("\r\n", place) else text[place : place + 1]


def merge_fixes(fixes: Iterable[Fix]) -> tuple[tuple[Fix, ...], tuple[Edit, ...]]:
    """Return the fixes that can be applied together, and their edits as one sequence for ``apply_edits``.

    Fixes are taken in the order of their places. A fix that touches what an earlier one changes waits for the next run.
    Fixes with the same edits are applied once.
    """
    chosen: list[Fix] = []
    made: set[tuple[Edit, ...]] = set()
    taken: list[Edit] = []
    for fix in sorted((fix for fix in fixes if fix.edits), key=lambda fix: fix.edits[0].span):
        if fix.edits not in made:
            if any(_is_taken(edit, taken) for edit in fix.edits):
                continue
            made.add(fix.edits)
            for edit in fix.edits:
                insort(taken, edit, key=_place)
        chosen.append(fix)
    return tuple(chosen), tuple(taken)


def _is_taken(edit: Edit, taken: Sequence[Edit]) -> bool:
    """Return whether ``edit`` clashes with one of ``taken``, sorted and disjoint: only its neighbours matter."""
    place = bisect_left(taken, _place(edit), key=_place)
    return any(_clash(edit, other) for other in taken[max(place - 1, 0) : place + 2])


def _place(edit: Edit) -> Span:
    return edit.span


def _clash(one: Edit, other: Edit) -> bool:
    """Return whether two edits overlap, or an insertion touches the other edit, where their order would matter."""
    if one.span.start == one.span.end or other.span.start == other.span.end:
        return one.span.start <= other.span.end and other.span.start <= one.span.end
    return one.span.start < other.span.end and other.span.start < one.span.end
