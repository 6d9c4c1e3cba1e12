"""Rules and their entries in the catalogue.

A rule is one file: its docstring is its documentation (see ``CONTRIBUTING.md`` for the headings), ``RULE`` is its
identity, and ``check`` is a function from a model to findings. A file with ``repair`` instead of ``check`` proposes the
fix for what the compiler reports under that name. Findings that need neither are explained in
``caedsl/diagnostics/explanations/``.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from caedsl.diagnostics.finding import Datum, Finding, Fix, Label, Proposal, Severity
from caedsl.model.autoencoder import Autoencoder
from caedsl.source import Span


class Rule(NamedTuple):
    """Identity of a rule.

    ``name`` describes the bad pattern, so that "allow NAME" reads well; ``severity`` is the default. ``partial`` marks
    a rule that can check a model with unknown shapes, ``of_images`` one whose words are about images even if the input
    is not one, and ``escalates`` one that by default warns, but also has findings that are errors.
    """

    code: str
    name: str
    severity: Severity
    partial: bool = False
    of_images: bool = False
    escalates: bool = False

    @property
    def may_be_error(self) -> bool:
        """Whether a finding of this rule can be an error."""
        return self.escalates or self.severity is Severity.ERROR

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
        """Return a finding of this rule at ``span``; a fix that must be verified first is a proposal."""
        assert severity is not Severity.ERROR or self.may_be_error, f"{self.name} reports an error: set `escalates`"
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
    """Rule in the catalogue: ``family`` is its folder, ``documentation`` its docstring.

    A rule has at most one of ``check``, which finds mistakes, and ``repair``, which fixes what the compiler found.
    """

    rule: Rule
    family: str
    documentation: str
    check: Check | None
    repair: Repair | None = None
