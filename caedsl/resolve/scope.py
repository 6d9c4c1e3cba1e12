"""What is known while a spec is resolved: its constants, its defaults, and the findings so far."""

from collections.abc import Container, Iterable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Label
from caedsl.source import Source, Span

_MOST_SUGGESTIONS = 20


class Constant(NamedTuple):
    """The value of a ``let`` and the place of its name."""

    value: Fraction
    span: Span


class Defaults(NamedTuple):
    """The options of a ``defaults`` line for one kind, and where the line is written."""

    kind: str
    values: Mapping[str, Any]
    at: Span


class Scope:
    """The state of one resolution; findings are collected here so that every step can go on with its best result."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.constants: dict[str, Constant] = {}
        self.used: set[str] = set()
        self.defaults: tuple[Defaults, ...] = ()
        self.used_defaults: set[Span] = set()
        self.findings: list[Finding] = []
        self.layers_placed = 0
        self._meant: dict[tuple[str, tuple[str, ...]], str | None] = {}

    def inherited(self, kind: str, given: Container[str]) -> dict[str, Any]:
        """Return the options that ``defaults`` lines in force give a line of ``kind``, apart from those ``given`` on it."""
        values: dict[str, Any] = {}
        for line in reversed(self.defaults):
            if line.kind == kind:
                taken = {name: value for name, value in line.values.items() if name not in values and name not in given}
                values |= taken
                if taken:
                    self.used_defaults.add(line.at)
        return values

    def nearest(self, word: str, candidates: Iterable[str], aliases: Mapping[str, str] = {}) -> str | None:
        """What ``did_you_mean`` says; of very many unknown words only the first are looked into."""
        key = word, tuple(candidates)
        if key not in self._meant and len(self._meant) < _MOST_SUGGESTIONS:
            # Imported on the way to an error alone: a spec without errors does without.
            from caedsl.diagnostics.suggest import did_you_mean

            self._meant[key] = did_you_mean(word, key[1], aliases)
        return self._meant.get(key)

    def report(
        self,
        name: str,
        span: Span,
        message: str,
        *,
        label: str = "",
        related: tuple[Label, ...] = (),
        notes: tuple[str, ...] = (),
        help: str = "",
        meant: str | None = None,
        fix: Fix | None = None,
    ) -> None:
        """Adds a finding of the rule ``name`` at ``span``; ``meant`` is the word that was likely meant there."""
        if meant is not None:
            help = f"did you mean `{meant}`?"
            # The names of an author lie close together: there a near one may still be another.
            applicability = Applicability.UNSAFE if meant in self.constants else Applicability.SAFE
            fix = Fix(f"write `{meant}`", (Edit(span, meant),), applicability)
        self.findings.append(Finding(name, message, Label(span, label), related, notes, help, fix))
