"""Where the words of a merged text were written: in a variant, or in the spec that it extends."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from caedsl.diagnostics.finding import Finding, Label, Report
from caedsl.source import Source, Span
from caedsl.syntax import tree


class Place(NamedTuple):
    """A span and the source that it is in."""

    source: Source
    span: Span


class Origin(NamedTuple):
    """A word or a value of the merged text, and the place where it was written."""

    span: Span
    written: Place


class Origins:
    """The origins of a merged text, in the order of the text; ``variant`` is the spec that extends another."""

    def __init__(self, variant: Source, origins: Sequence[Origin]) -> None:
        self.variant = variant
        self._origins = origins
        self._starts = [origin.span.start for origin in origins]

    def locate(self, span: Span) -> Place:
        """Return where the words that ``span`` covers were written.

        Of words from several files, those of the variant count: they changed the others. A span without words stands
        behind the word before it, and behind the last word at the end of the variant.
        """
        first = max(bisect_right(self._starts, span.start) - 1, 0)
        last = max(bisect_right(self._starts, max(span.end - 1, span.start)), first + 1)
        covered = [origin for origin in self._origins[first:last] if origin.span.end > span.start]
        if not covered:
            end = len(self.variant.text)
            before = self._origins[first].written
            is_last = first == len(self._origins) - 1
            return (
                Place(self.variant, Span(end, end)) if is_last else Place(before.source, Span(*[before.span.end] * 2))
            )
        places = [_part(origin, span) for origin in covered]
        source = self.variant if any(place.source is self.variant for place in places) else places[0].source
        spans = [place.span for place in places if place.source is source]
        return Place(source, Span(min(span.start for span in spans), max(span.end for span in spans)))

    def reports(self, findings: Iterable[Finding]) -> tuple[Report, ...]:
        """Return the findings by the file that they are in, the variant first."""
        by_source: dict[Source, list[Finding]] = {self.variant: []}
        for finding in findings:
            source, located = self._located(finding)
            by_source.setdefault(source, []).append(located)
        return tuple(Report(source, tuple(located)) for source, located in by_source.items())

    def _located(self, finding: Finding) -> tuple[Source, Finding]:
        """Return a finding with its places where they were written; a fix of the merged text stays as help."""
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
        primary = Label(span, finding.primary.text)
        path = "" if source is self.variant else source.path
        moved = replace(finding, primary=primary, related=tuple(related), notes=tuple(notes), path=path)
        return source, replace(moved, help=finding.advice, fix=None, proposal=None)


def _part(origin: Origin, span: Span) -> Place:
    """Return what ``span`` covers of a word, or all of a word that is spelled differently where it was written."""
    source, written = origin.written
    if written.end - written.start != origin.span.end - origin.span.start:
        return origin.written
    shift = written.start - origin.span.start
    start = max(span.start, origin.span.start)
    return Place(source, Span(start + shift, max(min(span.end, origin.span.end), start) + shift))


def words(spec: tree.Spec) -> Iterator[Span]:
    """Yield the places of the words and values of a spec, in the order of the statements."""
    for statement in spec.walk():
        yield statement.head.span
        for item in statement.items:
            if isinstance(item, tree.Option):
                yield item.name.span
                yield item.value.span
            else:
                yield item.span
