"""Fault operators, which inject one fault into the text of a healthy spec."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from benchmarks.faults.edits import Edits
from caedsl.diagnostics.edits import apply_edits
from caedsl.diagnostics.finding import Severity
from caedsl.model.autoencoder import Autoencoder
from caedsl.resolve.resolve import resolve
from caedsl.source import Source
from caedsl.syntax.parser import parse


@dataclass(frozen=True)
class Operator:
    """One kind of fault.

    ``make`` returns the edits that inject it at a strength, or none if it cannot be injected into the spec. ``rules``
    are all correct diagnoses, ``also`` those that may correctly accompany one. A finding counts from the
    severity ``least`` on, which is below a warning only if the catalogue says that the rule must never warn. ``harmless``
    are the strengths that training tolerates: for these, nothing may warn. ``fixable`` means that a tool could repair the
    fault from the spec alone, ``trained`` that it affects training, so that training must show the repair. A fault that
    is not ``visible`` cannot be seen in the spec and does not count for recall. If an edit may be harmless, ``breaks``
    decides by the text whether it did harm.
    """

    name: str
    family: str
    rules: frozenset[str]
    make: Callable[[Autoencoder, Any], Edits]
    also: frozenset[str] = frozenset()
    strengths: Mapping[str, Any] = field(default_factory=lambda: {"strong": None})
    harmless: frozenset[str] = frozenset()
    least: Severity = Severity.WARNING
    fixable: bool = True
    trained: bool = False
    visible: bool = True
    breaks: Callable[[str], bool] | None = None

    def inject(self, text: str, strength: str) -> str | None:
        """Return the faulty text, or None if the fault cannot be injected into this spec."""
        model = resolved(text)
        if model is None or not model.complete:
            return None
        edits = self.make(model, self.strengths[strength])
        changed = apply_edits(text, sorted(edits, key=lambda edit: edit.span))
        return changed if changed != text and (self.breaks is None or self.breaks(changed)) else None


@cache
def resolved(text: str) -> Autoencoder | None:
    """Return the model of a text; the same parents are asked for by every operator."""
    source = Source(text)
    spec, _ = parse(source)
    return resolve(spec, source)[0]


def returns_other_size(text: str) -> bool:
    """Return whether the decoder of a spec does not return its input's shape."""
    model = resolved(text)
    return model is None or not model.complete or model.out_shape != model.input.shape


def operator(
    name: str,
    family: str,
    rules: str,
    make: Callable[[Autoencoder, Any], Edits],
    *,
    also: str = "",
    harmless: str = "",
    **rest: Any,
) -> Operator:
    """Return an operator, with its rules and its harmless strengths given as words."""
    words = (frozenset(text.split()) for text in (rules, also, harmless))
    right, beside, borne = words
    return Operator(name, family, right, make, beside, harmless=borne, **rest)
