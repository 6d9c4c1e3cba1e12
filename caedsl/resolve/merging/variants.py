"""Variants of a sweep: the spec with one combination of the swept values, and the origin of each of its words."""

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, NamedTuple

from caedsl.diagnostics.finding import Finding, Label
from caedsl.model.sweep import Sweep
from caedsl.resolve.merging.extending import expand
from caedsl.resolve.merging.merge import NOWHERE, merge, rewritten
from caedsl.resolve.merging.origins import Origins, SourcePlace, WrittenOrigin, words
from caedsl.resolve.merging.overrides import OverrideError, change
from caedsl.resolve.resolve import resolve
from caedsl.source import Source, Span
from caedsl.syntax import tree
from caedsl.syntax.parser import parse

_VISIBLE = re.compile(r"[^\r\n]")


def unswept(source: Source, spec: tree.Spec, sweep: Sweep) -> tuple[Source, tree.Spec]:
    """Return the text and the tree without the sweep, replaced by blanks to keep all positions."""
    start, end = sweep.span
    blank = _VISIBLE.sub(" ", source.text[start:end])
    statements = tuple(statement for statement in spec.statements if statement.span.start != start)
    return Source(source.text[:start] + blank + source.text[end:], source.path), replace(spec, statements=statements)


class Variant(NamedTuple):
    """One variant as a separate spec: its text, its tree, and the origins of the words that the sweep writes."""

    source: Source
    whole: tree.Spec
    swept_in: Source
    values: Source
    names: Source
    written: Mapping[Span, SourcePlace]

    def origins(self, parsed: tree.Spec) -> Origins:
        """Return the origin of each word of the text, whose tree is ``parsed``, in the spec with the sweep.

        The origin of a word that the sweep writes is the value, or the name, in the ``sweep`` block.
        """
        placed = zip(words(parsed), words(self.whole), strict=True)
        origins = [
            WrittenOrigin(span, self.written.get(old, SourcePlace(self.swept_in, old)))
            for span, old in placed
            if old != NOWHERE
        ]
        return Origins(self.swept_in, self.source.text, origins, (self.swept_in, self.values, self.names))


class UnsettableError(ValueError):
    """Name of a sweep, or a value of it, that cannot be set in its spec; the ``finding`` says why."""

    def __init__(self, name: str, at: Span, message: str) -> None:
        problem, _, remedy = message.partition(": ")
        super().__init__(message)
        self.finding = Finding("unknown-setting", f"`{name}` cannot be swept: {problem}", Label(at), help=remedy)


def variant(source: Source, spec: tree.Spec, sweep: Sweep, number: int) -> Variant:
    """Return a variant, counted from 1. Raise ``UnsettableError`` for a name or a value that cannot be set."""
    plain, base = unswept(source, spec, sweep)
    values, names = Source(source.text, source.path), Source(source.text, source.path)
    places = {swept.name: swept.span for swept in sweep.names}
    chosen = sweep.values(number)
    written: dict[Span, SourcePlace] = {}
    whole, distance = base, len(source.text)
    for name in sorted(chosen, key=lambda name: name.count(".")):  # the whole statement before its options
        try:
            stated, start = change(whole, name, chosen[name].text, "this spec")
        except OverrideError as error:
            raise UnsettableError(name, places[name], str(error)) from None
        begin = distance
        moved = _moved(stated, begin)
        for span in words(moved):
            is_value = span.start >= begin + start
            written[span] = SourcePlace(values, chosen[name].span) if is_value else SourcePlace(names, places[name])
            distance = max(distance, span.end)
        whole = merge(whole, moved)
    return Variant(rewritten(plain, base, whole), whole, source, values, names, written)


def _moved(node: Any, distance: int) -> Any:
    """Return a tree with every span moved after those of the other trees."""
    if isinstance(node, Span):
        return Span(node.start + distance, node.end + distance)
    if isinstance(node, tuple):
        return tuple(_moved(part, distance) for part in node)
    if is_dataclass(node) and not isinstance(node, type):
        return replace(node, **{field.name: _moved(getattr(node, field.name), distance) for field in fields(node)})
    return node


class VariantError(ValueError):
    """Variant that a spec does not have; the message says which it has."""


def choose(source: Source, number: int) -> Source:
    """Return a variant of the sweep in ``source``, counted from 1, as a spec without a sweep.

    A spec that extends another is merged first. Raise ``VariantError`` if there is no such variant.
    """
    whole, origins, faults = expand(source)
    spec, syntax_faults = parse(whole)
    model, _ = resolve(spec, whole)
    if faults or syntax_faults or model is None:
        raise VariantError(f"{source.path} has errors: correct the findings of `caedsl check` first")
    sweep = model.sweep
    if sweep is None and any(statement.head.text == "sweep" for statement in spec.statements):
        raise VariantError(f"{source.path} has errors in its `sweep`: correct the findings of `caedsl check` first")
    if sweep is None:
        raise VariantError(f"{source.path} has no `sweep`: remove --variant")
    if not 1 <= number <= sweep.variants:
        raise VariantError(f"{source.path} has variants 1 to {sweep.variants}, but no variant {number}")
    base = f"{source.path} with its base" if origins else source.path
    try:
        chosen = variant(whole, spec, sweep, number)
    except UnsettableError as error:
        raise VariantError(f"{source.path}: {error.finding.message}: {error.finding.help}") from None
    return Source(chosen.source.text, f"{base}, variant {number}")
