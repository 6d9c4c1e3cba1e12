"""What a finding is: everything that a renderer needs and nothing that a renderer decides."""

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
"""One value behind the words of a finding, as JSON has it."""


class Severity(Enum):
    """How sure a finding is that something goes wrong.

    ``ERROR`` is kept for what arithmetic proves; ``WARNING`` is likely to hurt; ``INFO`` is worth knowing.
    """

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Applicability(Enum):
    """Who may apply a fix.

    ``SAFE`` is what the author meant, beyond doubt. ``UNSAFE`` changes the model. ``DISPLAY`` is shown, never applied.
    """

    SAFE = "safe"
    UNSAFE = "unsafe"
    DISPLAY = "display"


class Label(NamedTuple):
    """A place in the source with the few words that are written under it."""

    span: Span
    text: str = ""


class Edit(NamedTuple):
    """Replace what ``span`` covers by ``text``; an empty span inserts."""

    span: Span
    text: str


class Fix(NamedTuple):
    """Edits, sorted and not overlapping, that cure a finding together."""

    title: str
    edits: tuple[Edit, ...]
    applicability: Applicability


class Proposal(NamedTuple):
    """Search for a fix that must be tried: one, or several of which the first that cures is offered.

    ``otherwise`` is the help where none of them does.
    """

    find: Callable[[], Fix | Iterable[Fix] | None]
    otherwise: str = ""

    def candidates(self) -> Iterable[Fix]:
        """Return what the search finds, the best first."""
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
    """One thing found in a spec.

    ``message`` is the headline and stands alone: it says what is wrong with the numbers that matter. ``primary`` is the
    place, ``related`` the other places that explain it, ``notes`` the arithmetic, ``help`` what to write instead.
    ``code`` and ``severity`` are the rule's own (see ``caedsl.rules``) and are filled in from there by name.
    ``data`` holds the numbers behind the words, by name. ``proposal`` stands for a fix that has not been looked for.
    ``path`` names the file that the places are in where that is another than the checked one: a base that it extends.
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

    def candidates(self) -> Iterable[Fix]:
        """Return the fixes that may be offered, the best first."""
        return (self.fix,) if self.fix else self.proposal.candidates() if self.proposal else ()

    def offering(self, fix: Fix | None) -> "Finding":
        """Return the same finding with ``fix``, or with the help that stands for one."""
        otherwise = self.proposal.otherwise if self.proposal and fix is None else ""
        return replace(self, fix=fix, help=self.help or otherwise, proposal=None)

    def shortened(self) -> "Finding":
        """Return the same finding with long quotes cut and with the first of very many related places."""
        fix = self.fix and self.fix._replace(title=shortened(self.fix.title))
        return replace(
            self,
            message=shortened(self.message),
            primary=Label(self.primary.span, shortened(self.primary.text)),
            related=tuple(Label(label.span, shortened(label.text)) for label in self.related[:_MOST_RELATED]),
            notes=tuple(map(shortened, self.notes[:_MOST_RELATED])),
            help=shortened(self.help),
            fix=fix,
        )

    @property
    def rule(self) -> str:
        """Code and name together, as every human-readable format prints them: ``CAE201 output-shape``."""
        return f"{self.code} {self.name}".strip()

    @property
    def summary(self) -> str:
        """The headline and what is written under its place."""
        return f"{self.message}: {self.primary.text}" if self.primary.text else self.message

    @property
    def advice(self) -> str:
        """What to do: the help, or else what the fix does."""
        return self.help or (self.fix.title if self.fix else "")

    @property
    def explanation(self) -> str:
        """All that the finding says, a line each: for formats that have one text a finding."""
        return "\n".join([self.summary, *self.notes, *([f"help: {self.advice}"] if self.advice else [])])


class Report(NamedTuple):
    """The findings of one source, in the order of their places."""

    source: Source
    findings: tuple[Finding, ...]


class RuleText(NamedTuple):
    """What a rule says of itself: ``summary`` in one line, ``documentation`` in Markdown, ``url`` where to read it."""

    code: str
    name: str
    severity: Severity
    summary: str
    documentation: str
    url: str = ""


def in_order(reports: Iterable[Report]) -> list[tuple[Source, Finding]]:
    """Every finding beside its source, by path, then by place, then by code."""
    pairs = [(report.source, finding) for report in reports for finding in report.findings]
    return sorted(pairs, key=lambda pair: (pair[0].path, pair[1].primary.span.start, pair[1].code, pair[1].name))
