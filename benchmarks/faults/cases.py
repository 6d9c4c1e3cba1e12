"""Drawing cases, checking them, and repairing them as ``caedsl check --fix --unsafe-fixes`` does."""

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import NamedTuple

from benchmarks.faults.operator_type import Operator, resolved
from benchmarks.faults.operators import OPERATORS
from caedsl.diagnostics.finding import Finding, Severity
from caedsl.rules.engine.checking import check_source
from caedsl.rules.engine.fixing import fix_source
from caedsl.source import Source

ALWAYS_TRUE = frozenset({"require-violated"})
"""A bound of the parent's own that the fault breaks too: arithmetic, whatever the fault."""

_RANK = {Severity.INFO: 0, Severity.WARNING: 1, Severity.ERROR: 2}


class Case(NamedTuple):
    """One fault in one parent."""

    operator: Operator
    strength: str
    parent: str
    text: str

    @property
    def harmless(self) -> bool:
        return self.strength in self.operator.harmless

    @property
    def counted(self) -> bool:
        """Return whether it counts for recall: it does harm, and the spec shows it."""
        return not self.harmless and self.operator.visible

    def __str__(self) -> str:
        return f"{self.operator.name} ({self.strength}) in {self.parent}"


@dataclass(frozen=True)
class Result:
    """Result of checking a case. ``true`` and ``false`` are its correct and its false warnings and errors.

    ``repaired`` means that the fixes changed the text and nothing warns about the result, which is ``repair``.
    """

    case: Case
    found: bool
    true: tuple[str, ...]
    false: tuple[str, ...]
    repaired: bool
    repair: str
    left: tuple[str, ...]
    seconds: float


def draw(parents: Mapping[str, str], each: int, seed: int, operators: Sequence[Operator] = OPERATORS) -> list[Case]:
    """Draw up to ``each`` cases of every operator, with strengths in turn and random parents."""
    return [case for operator in operators for case in _drawn(operator, parents, each, seed)]


def _drawn(operator: Operator, parents: Mapping[str, str], each: int, seed: int) -> Iterator[Case]:
    queues = []
    for strength in operator.strengths:
        names = sorted(parents)
        random.Random(f"{seed} {operator.name} {strength}").shuffle(names)
        queues.append(_injected(operator, strength, names, parents))
    cases = (case for turn in zip_longest(*queues) for case in turn if case is not None)
    for _, case in zip(range(each), cases, strict=False):
        yield case


def _injected(operator: Operator, strength: str, names: list[str], parents: Mapping[str, str]) -> Iterator[Case]:
    for name in names:
        text = operator.inject(parents[name], strength)
        if text is not None:
            yield Case(operator, strength, name, text)


def examine(case: Case) -> Result:
    """Check and repair one case."""
    start = time.process_time()
    findings = check_source(Source(case.text)).findings
    seconds = time.process_time() - start
    operator = case.operator
    found = any(
        finding.name in operator.rules and _RANK[finding.severity] >= _RANK[operator.least] for finding in findings
    )
    said = [finding.name for finding in findings if _warns(finding)]
    right = operator.also if case.harmless else operator.rules | operator.also
    true = tuple(name for name in said if name in right | ALWAYS_TRUE)
    false = tuple(name for name in said if name not in right | ALWAYS_TRUE)
    repair, left = repaired(case.text)
    done = repair != case.text and not left and returns_its_shape(repair)
    return Result(case, found, true, false, done, repair, left, seconds)


def repaired(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the text after every fix, safe or not, and the rules that still warn."""
    checked = fix_source(Source(text), unsafe=True).checked
    left = [finding.name for finding in checked.findings if _warns(finding) and finding.name not in ALWAYS_TRUE]
    return checked.source.text, tuple(left)


def returns_its_shape(text: str) -> bool:
    model = resolved(text)
    return model is not None and model.complete and model.out_shape == model.target.shape


def alarms(text: str) -> tuple[str, ...]:
    """Return the rules that warn about a healthy spec."""
    return tuple(finding.name for finding in check_source(Source(text)).findings if _warns(finding))


def _warns(finding: Finding) -> bool:
    return finding.severity is not Severity.INFO
