"""What a rule is.

A rule is one file: its docstring is its documentation (see ``CONTRIBUTING.md`` for the headings), ``RULE`` its
identity, and ``check`` a function from a model to findings. A file with ``repair`` in place of ``check`` proposes the
fix of what the compiler reports under that name. What needs neither is explained in
``caedsl/diagnostics/explanations/``.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from caedsl.diagnostics.finding import Datum, Finding, Fix, Label, Proposal, Severity
from caedsl.model.autoencoder import Autoencoder
from caedsl.source import Span


class Rule(NamedTuple):
    """The identity of a rule.

    ``name`` names the bad pattern, read as "allow NAME"; ``severity`` is the usual one. ``partial`` says that the
    rule can be decided on a model whose shapes are not all known.
    """

    code: str
    name: str
    severity: Severity
    partial: bool = False

    def found(
        self,
        span: Span,
        message: str,
        *,
        label: str = "",
        related: tuple[Label, ...] = (),
        notes: tuple[str, ...] = (),
        help: str = "",
        fix: Fix | Proposal | None = None,
        severity: Severity | None = None,
        data: Mapping[str, Datum] | None = None,
    ) -> Finding:
        """Return a finding of this rule at ``span``; a fix that must be tried first is proposed."""
        ready, proposal = (None, fix) if isinstance(fix, Proposal) else (fix, None)
        return Finding(
            self.name,
            message,
            Label(span, label),
            related,
            notes,
            help,
            ready,
            self.code,
            severity or self.severity,
            proposal,
            data or {},
        )


Check = Callable[[Autoencoder], Iterable[Finding]]
Repair = Callable[[Autoencoder, Finding], Fix | Iterable[Fix] | None]


class Entry(NamedTuple):
    """A rule as the catalogue holds it: ``family`` is its folder, ``documentation`` its docstring.

    ``check`` finds, and ``repair`` mends what the compiler found: a rule has one of them at most.
    """

    rule: Rule
    family: str
    documentation: str
    check: Check | None
    repair: Repair | None = None
