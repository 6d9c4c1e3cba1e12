"""Checks of a spec: syntax, then the model, then every rule; findings are sorted by position."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import NamedTuple

from caedsl.diagnostics.finding import Finding, Label, Proposal, Report, Severity, shortened
from caedsl.model.autoencoder import Autoencoder
from caedsl.resolve.statement_words import EXTENDS
from caedsl.rules.engine import catalogue
from caedsl.rules.engine.allowances import apply_allowances
from caedsl.rules.engine.compiling import CompiledSpec, compiled
from caedsl.rules.engine.merged_findings import merged
from caedsl.rules.engine.rule import Entry
from caedsl.rules.engine.wording import in_words_of
from caedsl.source import Source
from caedsl.syntax.statements import StatementIndex
from caedsl.syntax.tree import Spec

_CHANNELS_LAST = "channels-last"
_SEVERITIES = tuple(Severity)
_LAYERS_OF_A_SPEC = 200
"""Count this many placed layers as the effort of reading one plain spec."""
MOST_FINDINGS = 100
"""Show at most this many findings per spec."""


class Selection(NamedTuple):
    """Rules to report: those in ``select`` (None for all) without those in ``ignore``. Errors are always reported."""

    select: frozenset[str] | None = None
    ignore: frozenset[str] = frozenset()

    def takes(self, name: str) -> bool:
        """Return whether a finding of that name that is not an error should be reported."""
        return name not in self.ignore and (self.select is None or name in self.select)


_NOTHING_BUT_ERRORS = Selection(select=frozenset())


class Checked(NamedTuple):
    """Checked spec; ``model`` is None if the text was too broken to build one."""

    source: Source
    spec: Spec
    model: Autoencoder | None
    findings: tuple[Finding, ...]
    failures: tuple[str, ...] = ()
    """Rules that failed on this spec, with their exceptions; their findings are missing."""
    reports: tuple[Report, ...] = ()
    """Findings grouped by file, for renderers."""

    @property
    def texts(self) -> int:
        """Number of specs that were checked: the spec itself and each variant of its sweep."""
        return 1 + (self.model.sweep.variants if self.model and self.model.sweep else 0)

    @property
    def effort(self) -> int:
        """Effort of the check in plain specs; variants and repeated layers count."""
        layers = sum(1 for _ in self.model.layers()) if self.model else 0
        return self.texts * (1 + layers // _LAYERS_OF_A_SPEC)

    @property
    def has_errors(self) -> bool:
        """Whether there are errors."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)

    @property
    def can_be_built(self) -> bool:
        """Whether the model can be built and trained; errors may still say that it will not learn."""
        model = self.model
        return model is not None and self.spec.complete and model.complete and model.out_shape == model.target.shape


def check_source(source: Source, selection: Selection = Selection()) -> Checked:
    """Return everything that can be found in a spec before training; any text gives findings, never an exception.

    Every fix of a finding has been verified: it removes the finding and adds no other. A spec that extends another one
    is checked together with it, and ``source`` is its text.
    """
    if EXTENDS not in source.text:
        checked = _check_whole(source, selection)
        return checked._replace(reports=(Report(source, checked.findings),))
    # Imported only for a variant, so that other specs are checked faster.
    from caedsl.resolve.merging.extending import expand

    expansion = expand(source)
    if expansion.findings:
        faults = tuple(map(identified, expansion.findings))
        return Checked(source, Spec((), complete=False), None, faults, reports=(Report(source, faults),))
    checked = _check_whole(expansion.source, selection)
    if expansion.origins is None:
        return checked._replace(reports=(Report(source, checked.findings),))
    located = tuple(map(expansion.origins.moved, _with_fixes_of_compiler(expansion.source, checked, selection)))
    if any(finding.fix for finding in located):
        from caedsl.rules.engine.verification import verified

        before = examine_file(source, selection)
        own = verified(source, located, before, lambda text: examine_file(text, selection), parsed=True)
        located = tuple(replace(new, help=old.help or old.advice) for new, old in zip(own, located, strict=True))
    reports = expansion.origins.reports(located)
    return checked._replace(reports=reports, findings=tuple(f for report in reports for f in report.findings))


def _with_fixes_of_compiler(source: Source, checked: Checked, selection: Selection) -> Iterator[Finding]:
    """Yield the findings with the fixes that the compiler knows, which may work only in the file with the mistake."""
    known = {f.primary.span: f.fix for f in examine(source, selection).findings if f.fix} if checked.has_errors else {}
    for finding in checked.findings:
        is_error = finding.severity is Severity.ERROR and not finding.fix
        yield replace(finding, fix=known.get(finding.primary.span)) if is_error else finding


def examine_file(source: Source, selection: Selection = Selection()) -> tuple[Finding, ...]:
    """Return the findings of ``examine``, each located in its file: ``source``, or a file that it extends."""
    if EXTENDS not in source.text:
        return examine(source, selection).findings
    from caedsl.resolve.merging.extending import expand

    expansion = expand(source)
    if expansion.findings:
        return tuple(map(identified, expansion.findings))
    findings = examine(expansion.source, selection).findings
    return findings if expansion.origins is None else tuple(map(expansion.origins.moved, findings))


def _check_whole(source: Source, selection: Selection) -> Checked:
    checked = examine(source, selection)
    failures = list(checked.failures)
    shown = _most_serious(checked.findings)
    if any(finding.fix or finding.proposal for finding in shown):
        from caedsl.rules.engine.verification import verified

        wide = Selection(None, selection.ignore)  # a rule that was not selected still checks what a fix does
        before = checked.findings if selection.select is None else examine(source, wide).findings
        failed = partial(_record, failures)
        shown = list(
            verified(
                source,
                shown,
                before,
                lambda text: examine(text, wide).findings,
                parsed=checked.spec.complete,
                failed=failed,
                texts=checked.effort,
                errors=lambda text: examine(text, _NOTHING_BUT_ERRORS).findings,
            )
        )
    findings = (*(finding.shortened() for finding in shown), *_left_out(checked.findings, shown))
    return checked._replace(findings=findings, failures=tuple(dict.fromkeys(failures)))


def _most_serious(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings to show, in their order; if there are too many, errors first, then warnings."""
    if len(findings) <= MOST_FINDINGS:
        return list(findings)
    ranked = sorted(range(len(findings)), key=lambda place: (_SEVERITIES.index(findings[place].severity), place))
    return [findings[place] for place in sorted(ranked[:MOST_FINDINGS])]


def _left_out(findings: Sequence[Finding], shown: Sequence[Finding]) -> Iterator[Finding]:
    """Yield the finding that counts those not shown."""
    count = len(findings) - len(shown)
    if count:
        places = {(finding.name, finding.primary.span) for finding in shown}
        first = next((f for f in findings if (f.name, f.primary.span) not in places), findings[-1])
        yield identified(
            Finding(
                "too-many-findings",
                f"{count:,} more finding{'s are' if count > 1 else ' is'} not shown",
                Label(first.primary.span, "the first one not shown"),
                help="correct the findings that are shown, then check again",
            )
        )


def _record(failures: list[str], rule: str, error: Exception) -> None:
    """Record that a rule failed; raise its exception if ``CAEDSL_DEBUG`` is set."""
    if os.environ.get("CAEDSL_DEBUG"):
        raise error
    failures.append(f"the rule `{rule}` failed ({type(error).__name__}: {shortened(str(error))})")


def examine(source: Source, selection: Selection = Selection()) -> Checked:
    """Return what ``check_source`` finds, with fixes that are not verified yet as proposals."""
    return examined(source.text, source.path, selection)


@lru_cache(maxsize=8)
def examined(text: str, path: str, selection: Selection) -> Checked:
    """Return the result of ``examine``, cached: fixes are verified, compared and made in the same texts."""
    source = Source(text, path)
    failures: list[str] = []
    spec, index, model, findings = _found(source, selection, failures)
    if model is not None and model.sweep is not None and spec.complete:
        # Imported only for a sweep, so that other specs are checked faster.
        from caedsl.rules.engine.sweeping import with_findings_of_variants

        findings = tuple(
            with_findings_of_variants(
                source, spec, model.sweep, findings, lambda text: _found(text, selection, failures)
            )
        )
    wanted = [f for f in findings if f.severity is Severity.ERROR or selection.takes(f.name)]
    ran = _ran(selection, any(finding.severity is Severity.ERROR for finding in findings))
    allowed = [identified(finding) for finding in apply_allowances(source, model, wanted, index, ran)]
    ordered = sorted(merged(allowed), key=lambda finding: (finding.primary.span.start, finding.code, finding.message))
    return Checked(source, spec, model, tuple(ordered), tuple(failures))


@lru_cache(maxsize=8)
def _ran(selection: Selection, has_errors: bool) -> frozenset[str]:
    """Return the names of the rules that ran on the whole spec; errors keep them from some of it."""
    kept = {entry.rule.name for entry in catalogue.checks()} if has_errors else frozenset()
    return frozenset(name for name in catalogue.all_names() if selection.takes(name) and name not in kept)


@lru_cache(maxsize=8)
def _wanted(selection: Selection) -> tuple[Entry, ...]:
    """Return the rules whose findings are selected or may be errors."""
    return tuple(known for known in catalogue.checks() if known.rule.may_be_error or selection.takes(known.rule.name))


def _found(source: Source, selection: Selection, failures: list[str]) -> CompiledSpec:
    """Return what the compiler and the rules find in one text, before allowances and selection."""
    spec, index, model, faults = compiled(source.text, source.path)
    findings = [_repairable(identified(finding), model) for finding in faults]
    if model:
        findings += _rule_findings(model, findings, index, selection, failures)
    if any(finding.name == _CHANNELS_LAST and finding.severity is Severity.ERROR for finding in findings):
        findings = [finding for finding in findings if not _is_misfit(finding)]
    return CompiledSpec(spec, index, model, tuple(findings))


def identified(finding: Finding) -> Finding:
    """Return a finding of the compiler with the code and the severity of its rule."""
    if finding.code:
        return finding
    entry = catalogue.find(finding.name)
    assert entry is not None, f"{finding.name} has no rule file"
    return replace(finding, code=entry.rule.code, severity=entry.rule.severity)


def _repairable(finding: Finding, model: Autoencoder | None) -> Finding:
    """Return a finding of the compiler with the fixes that its rule proposes."""
    entry = catalogue.find(finding.name)
    if model is None or finding.fix or entry is None or entry.repair is None:
        return finding
    return replace(finding, proposal=Proposal(partial(entry.repair, model, finding)))


def _is_misfit(finding: Finding) -> bool:
    """Return whether the compiler found sizes that do not fit; channels written last are then the cause."""
    entry = catalogue.find(finding.name)
    return entry is not None and entry.family == "shapes" and entry.check is None


def _rule_findings(
    model: Autoencoder, faults: Sequence[Finding], index: StatementIndex, selection: Selection, failures: list[str]
) -> list[Finding]:
    """Return what the rules find; they skip parts with a compiler error, which may be the cause.

    A part is the statement with the error and every block around it. Rules whose findings would be neither selected nor
    errors do not run. A rule that fails loses only its own findings.
    """
    errors = (fault.primary.span.start for fault in faults if fault.severity is Severity.ERROR)
    faulted = {span for place in errors for span in index.around(place)}
    findings: list[Finding] = []
    for entry in _wanted(selection):
        if entry.check is not None and (model.complete or entry.rule.partial):
            try:
                found = entry.check(model)
                findings += found if entry.rule.of_images else map(partial(in_words_of, model.input.shape), found)
            except Exception as error:
                _record(failures, entry.rule.name, error)
    return [finding for finding in findings if index.at(finding.primary.span.start) not in faulted]
