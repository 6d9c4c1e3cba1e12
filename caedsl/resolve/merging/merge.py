"""Merging of trees: a spec with the changes that another one states.

A statement of the changes replaces the same statement of the base. If it has only options, as in ``optimizer lr=1e-4``,
it changes these and keeps the rest. The blocks ``train`` and ``require`` are merged line by line.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from caedsl.diagnostics.edits import apply_edits
from caedsl.diagnostics.finding import Edit
from caedsl.model.settings import Train
from caedsl.resolve.merging.declared import declared_options, source_options
from caedsl.source import Source, Span
from caedsl.syntax import tree
from caedsl.syntax.extent import end, opening
from caedsl.syntax.printer import INDENT, print_head, print_spec
from caedsl.vocabulary.option import Option, Type, Written
from caedsl.vocabulary.spelling import bare_words

BLOCKS = ("train", "require")
"""Statements whose block contains settings."""

_DEFINING = ("let", "defaults", "block")
_MODEL = ("encoder", "bottleneck", "decoder")
"""Statements that read the definitions above them."""

_SEVERAL = ("let", "defaults", "block", "allow")
_SHORT = re.compile(r"([a-z])\d+(x\d+)*")
NOWHERE = Span(0, 0)
"""Mark a word that no author has written, such as the default that an option belongs to."""

Named = tuple[str | None, tuple[tree.Item, ...]]
"""Items that set one option, and its name, or None for a value without a name."""


def merge(base: tree.Spec, changes: tree.Spec) -> tree.Spec:
    """Return ``base`` with the changes; statements keep their order.

    New settings come first in their block, new definitions above the model, and other new statements last.
    """
    return replace(base, statements=_merged(base.statements, changes.statements, ""))


def rewritten(source: Source, base: tree.Spec, merged: tree.Spec) -> Source:
    """Return the text of ``base`` changed to ``merged``; unchanged parts keep their layout and comments."""
    edits = sorted(_edits(source, base.statements, merged.statements, None), key=lambda edit: edit.span)
    return Source(apply_edits(source.text, edits), source.path)


def _merged(
    base: Sequence[tree.Statement], changes: Sequence[tree.Statement], block: str
) -> tuple[tree.Statement, ...]:
    merged = list(base)
    places = {_key(statement): place for place, statement in reversed(list(enumerate(base)))}
    added: list[tree.Statement] = []
    for change in changes:
        place = places.get(_key(change))
        if place is None:
            added.append(_added(change, block))
        else:
            merged[place] = _changed(merged[place], change, block)
    if block:
        return (*added, *merged)
    model = next((place for place, statement in enumerate(base) if statement.head.text in _MODEL), len(base))
    defining = [statement for statement in added if statement.head.text in _DEFINING]
    others = [statement for statement in added if statement.head.text not in _DEFINING]
    return (*merged[:model], *defining, *merged[model:], *others)


def _key(statement: tree.Statement) -> tuple[str, str]:
    """Return what identifies a statement: its word and, for those that can occur several times, their subject."""
    first = statement.items[0] if statement.items and statement.head.text in _SEVERAL else None
    if isinstance(first, tree.WrittenOption):
        return statement.head.text, first.name.text
    return statement.head.text, "" if first is None else print_head(replace(statement, items=(first,)))


def _changed(old: tree.Statement, change: tree.Statement, block: str) -> tree.Statement:
    word = change.head.text
    if not block and word in BLOCKS and old.block is not None and change.block is not None:
        return replace(old, block=_merged(old.block, change.block, word))
    options = declared_options(block, word)
    parts = _named(change.items, options)
    if change.block is not None or not parts or any(name is None for name, _ in parts):
        return replace(change, span=old.span)
    if word == "data":
        return replace(old, items=_in_sources(old.items, parts))
    return replace(old, items=_with(old.items, parts, options))


def _added(change: tree.Statement, block: str) -> tree.Statement:
    """Return a statement that the base lacks; a choice that it leaves open is the default's."""
    if not block and change.head.text in BLOCKS and change.block is not None:
        return replace(change, block=_merged((), change.block, change.head.text))
    options = declared_options(block, change.head.text)
    parts = _named(change.items, options)
    if change.block is not None or any(name is None for name, _ in parts):
        return change
    chosen = _default_choice(change.head.text) if block == "train" else ""
    start = (tree.WrittenWord(chosen, NOWHERE),) if chosen else ()
    return replace(change, items=_with(start, parts, options))


def _default_choice(setting: str) -> str:
    defaults = Train()
    if setting == "loss":
        return defaults.loss.terms[0].name
    chosen = {
        "optimizer": defaults.optimizer.name,
        "schedule": defaults.schedule.name,
        "batch": defaults.batch,
        "seed": defaults.seed,
    }
    return str(chosen.get(setting, ""))


def _named(items: Sequence[tree.Item], options: Sequence[Option]) -> list[Named]:
    """Return the items grouped by the option that they set."""
    by_word = {option.name: option for option in options}
    bare = {word: option for option in options for word in bare_words(option)}
    short = {option.short: option.name for option in options if option.short}
    named: list[Named] = []
    rest = list(items)
    while rest:
        item = rest.pop(0)
        if isinstance(item, tree.WrittenOption):
            name = item.name.text
            named.append((bare[name].name if name in bare else short.get(name, name), (item,)))
        elif not isinstance(item, tree.WrittenWord):
            named.append((None, (item,)))
        elif item.text in by_word and by_word[item.text].written is Written.WORDED and rest:
            named.append((item.text, (item, rest.pop(0))))
        elif item.text in bare:
            named.append((bare[item.text].name, (item,)))
        elif _SHORT.fullmatch(item.text) and item.text[0] in short:
            named.append((short[item.text[0]], (item,)))
        else:
            named.append((None, (item,)))
    return named


def _with(items: Sequence[tree.Item], parts: Sequence[Named], options: Sequence[Option]) -> tuple[tree.Item, ...]:
    """Return ``items`` with the options of ``parts``, each in its old position, or at the end."""
    changes = dict(parts)
    flags = {option.name for option in options if option.type is Type.FLAG}
    named = [(name, changes.pop(name) if name in changes else old) for name, old in _named(items, options)]
    return tuple(item for name, new in (*named, *changes.items()) for item in _switched(name, new, flags))


def _switched(name: str | None, items: tuple[tree.Item, ...], flags: set[str]) -> tuple[tree.Item, ...]:
    """Return the items of one option; a flag set to ``on`` is its bare word, and nothing if it is ``off``."""
    match items:
        case (tree.WrittenOption(_, tree.WrittenWord("on" | "off" as state), span),) if name in flags:
            return (tree.WrittenWord(name or "", span),) if state == "on" else ()
        case _:
            return items


def _in_sources(items: Sequence[tree.Item], parts: Sequence[Named]) -> tuple[tree.Item, ...]:
    """Return the items of a ``data`` line with the options set on every source that has them, or else on the last."""
    sources: list[list[tree.Item]] = [[]]
    for item in items:
        if isinstance(item, tree.WrittenWord) and item.text == "else":
            sources.append([])
        sources[-1].append(item)
    changed: list[tuple[tree.Item, ...]] = []
    for index, source in enumerate(sources):
        options = source_options(source)
        known = {option.name for option in options}
        wanted = [
            part for part in parts if part[0] in known or (index == len(sources) - 1 and not _is_known(part, sources))
        ]
        changed.append(_with(source, wanted, options))
    return tuple(item for source in changed for item in source)


def _is_known(part: Named, sources: Sequence[Sequence[tree.Item]]) -> bool:
    return any(option.name == part[0] for source in sources for option in source_options(source))


def _edits(
    source: Source, base: Sequence[tree.Statement], merged: Sequence[tree.Statement], owner: tree.Statement | None
) -> list[Edit]:
    edits: list[Edit] = []
    added: list[tree.Statement] = []
    rest = list(base)
    for new in merged:
        if not rest or _key(new) != _key(rest[0]):
            added.append(new)
            continue
        old = rest.pop(0)
        if added and owner is None:
            edits.append(Edit(Span(old.span.start, old.span.start), print_spec(tree.Spec(tuple(added)))))
            added = []
        if new is not old:
            edits += _changes(source, old, new)
    return [*edits, _insertion(source, added, owner)] if added else edits


def _changes(source: Source, old: tree.Statement, new: tree.Statement) -> list[Edit]:
    if new.items != old.items or (new.block is None) != (old.block is None) or not _keeps_block(new):
        whole = old.span if new.block is old.block else Span(old.span.start, end(source.text, old))
        text = print_head(new) if new.block is old.block else print_spec(tree.Spec((new,))).rstrip("\n")
        return [Edit(whole, text)]
    return _edits(source, old.block or (), new.block or (), old)


def _keeps_block(statement: tree.Statement) -> bool:
    """Return whether a changed statement keeps the unchanged lines of its block."""
    return statement.head.text in BLOCKS


def _insertion(source: Source, added: Sequence[tree.Statement], owner: tree.Statement | None) -> Edit:
    text = print_spec(tree.Spec(tuple(added)))
    if owner is None:
        at = len(source.text)
        return Edit(Span(at, at), text if source.text.endswith(("\n", "\r")) else f"\n{text}")
    at = opening(source.text, owner) + 1
    first_on_line = source.text[at:].lstrip(" \t").startswith(("\r", "\n", "#"))
    if first_on_line:
        return Edit(Span(at, at), "".join(f"\n{INDENT}{line}" for line in text.splitlines()))
    return Edit(Span(at, at), f" {'; '.join(text.splitlines())};")
