"""Findings of the variants of a sweep, reported once in the spec with the variants that have them."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from caedsl.diagnostics.finding import Finding, Label, Severity
from caedsl.model.sweep import Sweep
from caedsl.resolve.merging.variants import UnsettableError, variant
from caedsl.rules.engine.compiling import CompiledSpec
from caedsl.source import Source, Span
from caedsl.syntax.tree import Spec

_UNUSED = "unused-"
_IDLE = "setting-without-effect"
_MOST_LISTED = 8


@dataclass
class _VariantFinding:
    """Finding, whether the spec itself has it, and the variants that have it."""

    finding: Finding
    as_written: bool
    numbers: list[int] = field(default_factory=list)


def with_findings_of_variants(
    source: Source, spec: Spec, sweep: Sweep, findings: Sequence[Finding], find: Callable[[Source], CompiledSpec]
) -> list[Finding]:
    """Return the ``findings`` of a spec together with those that ``find`` returns for its variants.

    Findings of one rule at one place are merged. What is unused in some variants but used in others is not reported.
    """
    seen: dict[tuple[str, Span], list[_VariantFinding]] = {}
    for finding in findings:
        seen.setdefault((finding.name, finding.primary.span), []).append(_VariantFinding(finding, True))
    faulty: set[int] = set()
    for number in range(1, sweep.variants + 1):
        try:
            one = variant(source, spec, sweep, number)
        except UnsettableError as error:
            faulty.add(number)
            mistake = error.finding
            seen.setdefault((mistake.name, mistake.primary.span), [_VariantFinding(mistake, True)])
            continue
        found = find(one.source)
        if any(finding.severity is Severity.ERROR for finding in found.findings):
            faulty.add(number)
        origins = one.origins(found.spec) if found.findings else None
        places: Counter[tuple[str, Span]] = Counter()
        for moved in map(origins.moved, found.findings) if origins else ():
            key = moved.name, moved.primary.span
            there = seen.setdefault(key, [])
            if places[key] == len(there):
                there.append(_VariantFinding(moved, False))
            there[places[key]].numbers.append(number)
            places[key] += 1
    everything = [one for there in seen.values() for one in there]
    counted = [one for one in everything if _counts(one, sweep)]
    return [_with_variants(one, sweep, faulty) for one in _by_line(counted, sweep)]


def _by_line(everything: Iterable[_VariantFinding], sweep: Sweep) -> list[_VariantFinding]:
    """Return the findings with those of one rule at several values of a swept name as one, at the first value.

    Errors are one mistake only if they have one remedy: two misspelt words are two mistakes.
    """
    names = {value.span: swept.name for swept in sweep.names for value in swept.values}
    first: dict[tuple[str, str, str], _VariantFinding] = {}
    kept = []
    for one in everything:
        finding = one.finding
        name = names.get(finding.primary.span, "")
        key = (finding.name, name, finding.help if finding.severity is Severity.ERROR else "")
        known = first.get(key)
        if not name or known is None:
            kept.append(one)
            first[key] = one
        elif known.finding.primary.span != one.finding.primary.span:
            related = (*known.finding.related, Label(one.finding.primary.span, "here too"))
            known.finding = replace(known.finding.offering(None), related=related, proposal=None)
            known.numbers = sorted({*known.numbers, *one.numbers})
        else:
            kept.append(one)
    return kept


def _counts(seen: _VariantFinding, sweep: Sweep) -> bool:
    """Return whether to report a finding: not what some variant uses, nor a value that others are compared with."""
    if seen.finding.name == _IDLE and not seen.as_written and _is_within(seen.finding.primary.span, sweep):
        return False
    return not seen.finding.name.startswith(_UNUSED) or (seen.as_written and len(seen.numbers) == sweep.variants)


def _with_variants(seen: _VariantFinding, sweep: Sweep, faulty: Collection[int]) -> Finding:
    """Return a finding with the variants in its message, unless the spec and all variants have it.

    Rules skip a variant with an error, and no variant contains a mistake in the sweep itself.
    """
    finding = seen.finding
    silent = () if finding.severity is Severity.ERROR else faulty
    everywhere = len({*seen.numbers, *silent}) == sweep.variants
    in_sweep = _is_within(finding.primary.span, sweep)
    if seen.as_written and (everywhere or (in_sweep and not seen.numbers)):
        return finding
    data = {**finding.data, "variants": tuple(seen.numbers)}
    return replace(finding, message=f"{finding.message} ({_where(seen.numbers, sweep)})", data=data)


def _is_within(span: Span, sweep: Sweep) -> bool:
    return sweep.span.start <= span.start < sweep.span.end


def _where(numbers: Sequence[int], sweep: Sweep) -> str:
    if not numbers:
        return "only without the sweep"
    if len(numbers) == sweep.variants:
        return f"in all {sweep.variants} variants" if sweep.variants > 1 else f"in its variant: {sweep.described(1)}"
    if len(numbers) == 1:
        return f"in variant {numbers[0]} of {sweep.variants}: {sweep.described(numbers[0])}"
    return f"in {len(numbers)} of {sweep.variants} variants: {sweep.condition(numbers) or _listed(numbers)}"


def _listed(numbers: Sequence[int]) -> str:
    more = f" and {len(numbers) - _MOST_LISTED} more" if len(numbers) > _MOST_LISTED else ""
    return ", ".join(map(str, numbers[:_MOST_LISTED])) + more
