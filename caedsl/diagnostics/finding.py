"""What a finding is: everything that a renderer needs and nothing that a renderer decides."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import NamedTuple

from caedsl.source import Source, Span


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
    """How a fix is found where changes must be tried for it; ``otherwise`` is the help where there is none."""

    find: Callable[[], Fix | None]
    otherwise: str = ""


@dataclass(frozen=True)
class Finding:
    """One thing found in a spec.

    ``message`` is the headline and stands alone: it says what is wrong with the numbers that matter. ``primary`` is the
    place, ``related`` the other places that explain it, ``notes`` the arithmetic, ``help`` what to write instead.
    ``code`` and ``severity`` are the rule's own (see ``caedsl.rules``) and are filled in from there by name.
    ``proposal`` stands for the fix until somebody wants it: who only judges a text does without.
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

    def proposed(self) -> "Finding":
        """The same with the fix that its proposal finds."""
        if self.proposal is None:
            return self
        fix = self.proposal.find()
        return replace(self, fix=fix, help=self.help or ("" if fix else self.proposal.otherwise), proposal=None)

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
