"""Applying the edits of fixes to a text."""

from collections.abc import Iterable, Sequence

from caedsl.diagnostics.finding import Edit, Fix


def apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """``text`` with ``edits`` made, which are sorted by place and do not overlap.

    Raises ``ValueError`` where they are not sorted, overlap or lie outside the text: that is a bug in a fix.
    """
    pieces = []
    done = 0
    for edit in edits:
        if not done <= edit.span.start <= edit.span.end <= len(text):
            raise ValueError(f"{edit} overlaps the edit before it, or lies outside a text of {len(text)} characters")
        pieces += [text[done : edit.span.start], edit.text]
        done = edit.span.end
    return "".join([*pieces, text[done:]])


def merge_fixes(fixes: Iterable[Fix]) -> tuple[tuple[Fix, ...], tuple[Edit, ...]]:
    """The fixes that can be made together, and their edits as one sequence for ``apply_edits``.

    They are taken in the order of their places; one that touches what an earlier one changes is left for the next run.
    Fixes with the same edits are made once.
    """
    chosen: list[Fix] = []
    taken: list[Edit] = []
    for fix in sorted((fix for fix in fixes if fix.edits), key=lambda fix: fix.edits[0].span):
        same = any(fix.edits == other.edits for other in chosen)
        if same or not any(_clash(edit, other) for edit in fix.edits for other in taken):
            chosen.append(fix)
            taken += () if same else fix.edits
    return tuple(chosen), tuple(sorted(taken, key=lambda edit: edit.span))


def _clash(one: Edit, other: Edit) -> bool:
    """Whether two edits overlap, or an insertion stands at the border of the other, where their order would matter."""
    if one.span.start == one.span.end or other.span.start == other.span.end:
        return one.span.start <= other.span.end and other.span.start <= one.span.end
    return one.span.start < other.span.end and other.span.start < one.span.end
