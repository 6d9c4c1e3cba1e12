"""Origins of the words of a merged text: a variant, or the spec that it extends."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from caedsl.diagnostics.edits import removal
from caedsl.diagnostics.finding import Edit, Finding, Fix, Label, Report
from caedsl.source import Source, Span
from caedsl.syntax import tree


class SourcePlace(NamedTuple):
    """Span and its source."""

    source: Source
    span: Span


class WrittenOrigin(NamedTuple):
    """Word or value of the merged text, and the place where it was written."""

    span: Span
    written: SourcePlace


class Origins:
    """Origins of a merged text, in the order of the text; ``variant`` is the spec that was merged into others.

    ``own`` are the sources that belong to the variant. If words of several sources are combined, the first of these
    determines the place.
    """

    def __init__(
        self, variant: Source, text: str, origins: Sequence[WrittenOrigin], own: Sequence[Source] = ()
    ) -> None:
        self.variant = variant
        self._text = text
        self._own = own or (variant,)
        self._origins = origins
        self._starts = [origin.span.start for origin in origins]

    def locate(self, span: Span) -> SourcePlace:
        """Return where the words that ``span`` covers were written.

        If the words come from several files, those of the variant determine the place, because they changed the others.
        A span without words is placed after the word before it, and after the last word at the end of the variant.
        """
        first = max(bisect_right(self._starts, span.start) - 1, 0)
        last = max(bisect_right(self._starts, max(span.end - 1, span.start)), first + 1)
        covered = [origin for origin in self._origins[first:last] if origin.span.end > span.start]
        if not covered:
            end = len(self.variant.text)
            before = self._origins[first].written
            is_last = first == len(self._origins) - 1
            return (
                self._place(self.variant, *[end] * 2) if is_last else self._place(before.source, *[before.span.end] * 2)
            )
        places = [_part(origin, span) for origin in covered]
        there = {id(place.source) for place in places}
        source = next((source for source in self._own if id(source) in there), places[0].source)
        spans = [place.span for place in places if place.source is source]
        return self._place(source, min(span.start for span in spans), max(span.end for span in spans))

    def _place(self, source: Source, start: int, end: int) -> SourcePlace:
        return SourcePlace(self.variant if any(source is own for own in self._own) else source, Span(start, end))

    def reports(self, findings: Iterable[Finding]) -> tuple[Report, ...]:
        """Return findings that have been ``moved``, grouped by file, the variant first."""
        sources = {"": self.variant} | {o.written.source.path: o.written.source for o in self._origins}
        by_path: dict[str, list[Finding]] = {"": []}
        for finding in findings:
            by_path.setdefault(finding.path, []).append(finding)
        return tuple(Report(sources[path], tuple(found)) for path, found in by_path.items())

    def moved(self, finding: Finding) -> Finding:
        """Return a finding with its places where they were written.

        A fix of the merged text becomes a fix of the variant if it changes nothing else; otherwise it stays as help.
        """
        source, span = self.locate(finding.primary.span)
        related: list[Label] = []
        notes = list(finding.notes)
        for label in finding.related:
            place = self.locate(label.span)
            if place.source is source:
                related.append(Label(place.span, label.text))
            else:
                line, column = place.source.position(place.span.start)
                notes.append(f"{label.text or 'see'}: {place.source.path}:{line}:{column}")
        fix = self._rewritten(finding.fix) if finding.fix and source is self.variant else None
        search = finding.proposal
        proposal = None
        if search is not None and source is self.variant:
            proposal = search._replace(find=lambda: filter(None, map(self._rewritten, search.candidates())))
        return replace(
            finding,
            primary=Label(span, finding.primary.text),
            related=tuple(related),
            notes=tuple(notes),
            path="" if source is self.variant else source.path,
            help=finding.help if fix else self._advice(finding),
            fix=fix,
            proposal=proposal,
        )

    def _advice(self, finding: Finding) -> str:
        """Return the remedy, with the name of the file if that is another one."""
        if finding.fix is None:
            return finding.help
        files = dict.fromkeys(self.locate(edit.span).source.path for edit in finding.fix.edits)
        others = " and ".join(path for path in files if path != self.variant.path)
        return f"{finding.advice}, in {others}" if others else finding.advice

    def _rewritten(self, fix: Fix) -> Fix | None:
        """Return a fix of the merged text as a fix of the variant, or None if it changes more than that."""
        edits = [self._edit(edit) for edit in fix.edits]
        known = tuple(sorted((edit for edit in edits if edit is not None), key=lambda edit: edit.span))
        disjoint = all(one.span.end <= other.span.start for one, other in pairwise(known))
        return fix._replace(edits=known) if len(known) == len(edits) and disjoint else None

    def _edit(self, edit: Edit) -> Edit | None:
        start, end = self._point(edit.span.start, False), self._point(edit.span.end, edit.span.end > edit.span.start)
        if start is not None and end is not None and self.variant.text[start:end] == self._text[slice(*edit.span)]:
            return Edit(Span(start, end), edit.text)
        place = self.locate(edit.span)
        if edit.text or place.source is not self.variant:
            return None
        return removal(self.variant.text, place.span)

    def _point(self, place: int, is_end: bool) -> int | None:
        """Return the position in the variant of a position in the merged text, relative to the nearest word."""
        index = bisect_left(self._starts, place) - 1 if is_end else bisect_right(self._starts, place) - 1
        if index < 0:
            return None
        span, written = self._origins[index]
        begin, end = written.span
        if (
            not any(written.source is own for own in self._own)
            or self.variant.text[begin:end] != self._text[slice(*span)]
        ):
            return None
        beyond = max(place - span.end, 0)
        if self.variant.text[end : end + beyond] != self._text[span.end : span.end + beyond]:
            return None
        return begin + (place - span.start)


def _part(origin: WrittenOrigin, span: Span) -> SourcePlace:
    """Return the part of a word that ``span`` covers, or the whole word if its original spelling differs."""
    source, written = origin.written
    if written.end - written.start != origin.span.end - origin.span.start:
        return origin.written
    shift = written.start - origin.span.start
    start = max(span.start, origin.span.start)
    return SourcePlace(source, Span(start + shift, max(min(span.end, origin.span.end), start) + shift))


def words(spec: tree.Spec) -> Iterator[Span]:
    """Yield the places of the words and values of a spec, in the order of the statements."""
    for statement in spec.walk():
        yield statement.head.span
        for item in statement.items:
            if isinstance(item, tree.WrittenOption):
                yield item.name.span
                yield item.value.span
            else:
                yield item.span
