"""Fault operators, which inject one fault into the text of a healthy spec."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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

    ``make`` gives the edits that inject it at a strength; none where the spec has no place for it. ``rules`` are all
    names that are a right diagnosis, ``also`` those that may truly be said beside one. A finding counts from the
    severity ``least`` on: below a warning only where the catalogue says that the rule must never warn. ``harmless`` are
    the strengths that training bears: there, nothing may warn. ``fixable`` says that a tool could repair it without
    knowing more than the spec; ``trained`` that it changes what training comes to, so that the repair is to be shown by
    training. Where it is not ``visible``, the spec alone does not tell, and it counts for no recall. Where an edit need
    not do harm, ``breaks`` tells by the text whether it did.
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


def resolved(text: str) -> Autoencoder | None:
    """Return the model of a text."""
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
