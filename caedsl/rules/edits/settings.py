"""Edits of the ``train`` block: replace a setting, or add one after the others."""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Edit
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.compiling import compiled
from caedsl.source import Span
from caedsl.syntax.tree import Divisor, Item, Negative, Operation, Parenthesised, Range, WrittenOption, WrittenWord


def write_setting(model: Autoencoder, name: str, option: str, text: str) -> tuple[Edit, ...]:
    """Write ``text`` for an option of the setting ``name``; a single value is an option with the setting's own name.

    Return nothing if the block has no setting after which a new one could be added.
    """
    written = model.places.get(f"train.{name}.{option}")
    if written is not None:
        return (Edit(written, text),)
    setting = model.places.get(f"train.{name}")
    if setting is not None:
        return (_after(setting, f" {text}"),)
    settings = [span for place, span in model.places.items() if place.startswith("train.") and place.count(".") == 1]
    if not settings:
        return ()
    last = max(settings)
    line = f"{name} {text}"
    return (_after(last, f"{_break_before(model, last)}{line}"),)


def write_statement(model: Autoencoder, name: str, text: str) -> tuple[Edit, ...]:
    """Write ``text`` in place of the whole setting ``name``, which must be written."""
    return (Edit(model.places[f"train.{name}"], text),)


def replace_word(model: Autoencoder, name: str, word: str, by: str) -> tuple[Edit, ...]:
    """Replace a word of the setting ``name`` by ``by``; return nothing if the word is not written there."""
    place = model.places.get(f"train.{name}")
    statements = compiled(model.source.text, model.source.path).spec.walk()
    items = next((statement.items for statement in statements if statement.span == place), ())
    found = (written for item in items for written in words(item) if written.text == word)
    return tuple(Edit(written.span, by) for written in found)


def words(item: Item) -> Iterator[WrittenWord]:
    """Yield the words of a value, in the order of the text."""
    match item:
        case WrittenWord():
            yield item
        case Operation(_, left, right) | Range(left, right):
            yield from words(left)
            yield from words(right)
        case Parenthesised(value) | Negative(value) | Divisor(value) | WrittenOption(_, value):
            yield from words(value)


def _after(span: Span, text: str) -> Edit:
    return Edit(Span(span.end, span.end), text)


def _break_before(model: Autoencoder, span: Span) -> str:
    """Return the separator between a new setting and that at ``span``: a new line, or a semicolon on a shared line."""
    line = model.source.line_text(model.source.position(span.start).line)
    indent = line[: len(line) - len(line.lstrip())]
    alone = model.source.position(span.start).column == len(indent) + 1
    return f"\n{indent}" if alone else "; "
