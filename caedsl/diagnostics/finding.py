"""Findings: everything that a renderer needs and nothing that a renderer decides."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import NamedTuple

from caedsl.source import Source, Span

_LONGEST_QUOTE = 120
_LONGEST_TEXT = 2000
_MOST_RELATED = 12
_QUOTES = (
    re.compile(r"(`[^`]{80})[^`]{40,}(`)"),
    re.compile(r'("[^"]{80})[^"]{40,}(")'),
    re.compile(r"(\S{100})\S{100,}()"),
)


Datum = str | float | bool | None | Sequence["Datum"]
"""Value behind the words of a finding, as JSON represents it."""


class Severity(Enum):
    """Certainty that something goes wrong.

    ``ERROR`` is reserved for what arithmetic proves, ``WARNING`` is likely to hurt, and ``INFO`` is worth knowing.
    """

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Applicability(Enum):
    """Who may apply a fix.

    ``SAFE`` is beyond doubt what the author meant. ``UNSAFE`` changes the model. ``DISPLAY`` is shown, never applied.
    """

    SAFE = "safe"
    UNSAFE = "unsafe"
    DISPLAY = "display"


class Label(NamedTuple):
    """Place in the source with the few words that are written under it."""

    span: Span
    text: str = ""


class Edit(NamedTuple):
    """Replacement of what ``span`` covers by ``text``; an empty span inserts."""

    span: Span
    text: str


class Fix(NamedTuple):
    """Edits, sorted and disjoint, that together fix a finding."""

    title: str
    edits: tuple[Edit, ...]
    applicability: Applicability


class Proposal(NamedTuple):
    """Search for a fix that must be tried; the first candidate that fixes the finding is offered.

    ``otherwise`` is the help if none of them does. ``searches`` is how many places are searched: each search may read
    the whole spec again.
    """

    find: Callable[[], Fix | Iterable[Fix] | None]
    otherwise: str = ""
    searches: int = 1

    def candidates(self) -> Iterable[Fix]:
        """Return the candidates of the search, the best first."""
        found = self.find()
        return () if found is None else (found,) if isinstance(found, Fix) else found


def shortened(text: str) -> str:
    """Return ``text`` with long quotes and long words cut, so that a message stays readable whatever it quotes."""
    if len(text) <= _LONGEST_QUOTE:
        return text
    for pattern in _QUOTES:
        text = pattern.sub(r"\1…\2", text)
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"


@dataclass(frozen=True)
class Finding:
    """One finding of a spec.

    ``message`` is the headline and makes sense alone: it says what is wrong, with the numbers that matter. ``primary``
    is the place, ``related`` the other places that explain it, ``notes`` the arithmetic, and ``help`` what to write
    instead. ``code`` and ``severity`` are those of the rule (see ``caedsl.rules``), filled in by name. ``data`` holds
    the numbers behind the words, by name. ``proposal`` is the search for a fix that has not run yet. ``path`` names the
    file of the places if that is not the checked file: a base that it extends.
    """

    name: str
    message: str
    primary: Label
    related: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str = ""
    fix: Fix | None = None
    code: str = ""
    severity: Severity = Severity.ERROR
    proposal: Proposal | None = field(default=None, compare=False, repr=False)
    data: Mapping[str, Datum] = field(default_factory=dict, compare=False)
    path: str = ""

    @property
    def searches(self) -> int:
        """Number of places that are searched for the fixes that may be offered."""
        return self.proposal.searches if self.proposal and not self.fix else 0

    def candidates(self) -> Iterable[Fix]:
        """Return the fixes that may be offered, the best first."""
        return (self.fix,) if self.fix else self.proposal.candidates() if self.proposal else ()

    def offering(self, fix: Fix | None) -> "Finding":
        """Return the same finding with ``fix``, or with the help that replaces it."""
        otherwise = self.proposal.otherwise if self.proposal and fix is None else ""
        return replace(self, fix=fix, help=self.help or otherwise, proposal=None)

    def shortened(self) -> "Finding":
        """Return the same finding with long quotes cut and only the first of very many related places."""
        few = replace(self, related=self.related[:_MOST_RELATED], notes=self.notes[:_MOST_RELATED])
        return few.rephrased(shortened)

    def rephrased(self, phrase: Callable[[str], str]) -> "Finding":
        """Return the same finding with ``phrase`` applied to each of its texts."""
        proposal = self.proposal and self.proposal._replace(otherwise=phrase(self.proposal.otherwise))
        return replace(
            self,
            message=phrase(self.message),
            primary=Label(self.primary.span, phrase(self.primary.text)),
            related=tuple(Label(label.span, phrase(label.text)) for label in self.related),
            notes=tuple(map(phrase, self.notes)),
            help=phrase(self.help),
            fix=self.fix and self.fix._replace(title=phrase(self.fix.title)),
            proposal=proposal,
        )

    @property
    def rule(self) -> str:
        """Code and name together, as every human-readable format prints them: ``CAE201 output-shape``."""
        return f"{self.code} {self.name}".strip()

    @property
    def summary(self) -> str:
        """The headline and the label of its place."""
        return f"{self.message}: {self.primary.text}" if self.primary.text else self.message

    @property
    def advice(self) -> str:
        """Advice to the author: the help, or else what the fix does."""
        return self.help or (self.fix.title if self.fix else "")

    @property
    def explanation(self) -> str:
        """All that the finding says, one line each: for formats that have one text per finding."""
        return "\n".join([self.summary, *self.notes, *([f"help: {self.advice}"] if self.advice else [])])


class Report(NamedTuple):
    """Findings of one source, in the order of their places."""

    source: Source
    findings: tuple[Finding, ...]


class RuleText(NamedTuple):
    """Texts of a rule: ``summary`` in one line, ``documentation`` in Markdown, ``url`` where to read it."""

    code: str
    name: str
    severity: Severity
    summary: str
    documentation: str
    url: str = ""


def in_order(reports: Iterable[Report]) -> list[tuple[Source, Finding]]:
    """Return every finding with its source, sorted by path, then by place, then by code."""
    pairs = [(report.source, finding) for report in reports for finding in report.findings]
    return sorted(pairs, key=lambda pair: (pair[0].path, pair[1].primary.span.start, pair[1].code, pair[1].name))
