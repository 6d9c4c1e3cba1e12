"""Checking a spec: syntax, then the model, then every rule; the findings in the order of their places."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from caedsl.diagnostics.finding import Finding, Proposal, Report, Severity
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine import catalogue
from caedsl.rules.engine.allowances import apply_allowances
from caedsl.rules.engine.compiling import compiled
from caedsl.source import Source
from caedsl.syntax.tree import Spec

_CHANNELS_LAST = "channels-last"


class Selection(NamedTuple):
    """Which rules speak: those in ``select`` (all where it is None) without those in ``ignore``. Errors always speak."""

    select: frozenset[str] | None = None
    ignore: frozenset[str] = frozenset()

    def takes(self, name: str) -> bool:
        """Whether a finding of that name that is no error is wanted."""
        return name not in self.ignore and (self.select is None or name in self.select)


class Checked(NamedTuple):
    """A checked spec: ``model`` is None where there was nothing to build on."""

    source: Source
    spec: Spec
    model: Autoencoder | None
    findings: tuple[Finding, ...]

    @property
    def report(self) -> Report:
        """What a renderer wants."""
        return Report(self.source, self.findings)

    @property
    def has_errors(self) -> bool:
        """Whether the model cannot be built."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)


def check_source(source: Source, selection: Selection = Selection()) -> Checked:
    """Everything that can be said of a spec before training; text of any kind is answered with findings, never raised.

    A fix that a finding carries has been tried: it cures the finding and brings no other.
    """
    checked = examine(source, selection)
    checked = checked._replace(findings=tuple(finding.proposed() for finding in checked.findings))
    if all(finding.fix is None for finding in checked.findings):
        return checked
    from caedsl.rules.engine.verification import verified

    wide = Selection(None, selection.ignore)  # a rule that was not asked for still judges what a fix does
    before = checked.findings if selection.select is None else examine(source, wide).findings
    findings = verified(
        source, checked.findings, before, lambda text: examine(text, wide).findings, checked.spec.complete
    )
    return checked._replace(findings=findings)


def examine(source: Source, selection: Selection = Selection()) -> Checked:
    """What ``check_source`` finds; fixes that must be tried first are left as proposals, for who only judges a text."""
    spec, model, faults = compiled(source.text, source.path)
    findings = [_repairable(identified(finding), model) for finding in faults]
    has_errors = any(finding.severity is Severity.ERROR for finding in findings)
    if model:
        findings += _rule_findings(source, model, findings)
    if any(finding.name == _CHANNELS_LAST and finding.severity is Severity.ERROR for finding in findings):
        findings = [finding for finding in findings if not _is_misfit(finding)]
    wanted = [f for f in findings if f.severity is Severity.ERROR or selection.takes(f.name)]
    ran = frozenset(name for name in catalogue.all_names() if selection.takes(name))
    if has_errors:
        ran -= {entry.rule.name for entry in catalogue.checks()}  # kept from all or some of the spec
    allowed = [identified(finding) for finding in apply_allowances(source, model, wanted, ran)]
    ordered = sorted(allowed, key=lambda finding: (finding.primary.span.start, finding.code, finding.message))
    return Checked(source, spec, model, tuple(ordered))


def identified(finding: Finding) -> Finding:
    """A finding of the compiler with the code and the severity of its rule."""
    if finding.code:
        return finding
    entry = catalogue.find(finding.name)
    assert entry is not None, f"{finding.name} has no rule file"
    return replace(finding, code=entry.rule.code, severity=entry.rule.severity)


def _repairable(finding: Finding, model: Autoencoder | None) -> Finding:
    """A finding of the compiler with what its rule proposes."""
    entry = catalogue.find(finding.name)
    if model is None or finding.fix or entry is None or entry.repair is None:
        return finding
    return replace(finding, proposal=Proposal(partial(entry.repair, model, finding)))


def _is_misfit(finding: Finding) -> bool:
    """Whether the compiler found that sizes do not fit: where the channels stand last, it is their fault."""
    entry = catalogue.find(finding.name)
    return entry is not None and entry.family == "shapes" and entry.check is None


def _rule_findings(source: Source, model: Autoencoder, faults: Sequence[Finding]) -> list[Finding]:
    """What the rules find; on a line that the compiler has faulted they stay silent, for the cause is likely the same."""
    faulted = {
        source.position(finding.primary.span.start).line for finding in faults if finding.severity is Severity.ERROR
    }
    findings = (
        finding
        for entry in catalogue.checks()
        if entry.check is not None and (model.complete or entry.rule.partial)
        for finding in entry.check(model)
    )
    return [f for f in findings if source.position(f.primary.span.start).line not in faulted]
