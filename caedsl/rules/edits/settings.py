"""Edits of the ``train`` block: in the place of a setting, or beside the others where it is left to its default."""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Edit
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.compiling import compiled
from caedsl.source import Span
from caedsl.syntax.tree import Divisor, Item, Negative, Operation, Parenthesised, Range, WrittenOption, WrittenWord


def write_setting(model: Autoencoder, name: str, option: str, text: str) -> tuple[Edit, ...]:
    """Write ``text`` for one option of the setting ``name``; a setting that is one value has an option of its own name.

    Return nothing where the block has no setting yet, beside which a new one could stand.
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
    """Write ``text`` in place of the whole setting ``name``, which is written."""
    return (Edit(model.places[f"train.{name}"], text),)


def replace_word(model: Autoencoder, name: str, word: str, by: str) -> tuple[Edit, ...]:
    """Write ``by`` for a word of the setting ``name``; return nothing where it is not written there."""
    place = model.places.get(f"train.{name}")
    statements = compiled(model.source.text, model.source.path).spec.walk()
    items = next((statement.items for statement in statements if statement.span == place), ())
    found = (written for item in items for written in _words(item) if written.text == word)
    return tuple(Edit(written.span, by) for written in found)


def _words(item: Item) -> Iterator[WrittenWord]:
    """Yield the words of a value, in the order of the text."""
    match item:
        case WrittenWord():
            yield item
        case Operation(_, left, right) | Range(left, right):
            yield from _words(left)
            yield from _words(right)
        case Parenthesised(value) | Negative(value) | Divisor(value) | WrittenOption(_, value):
            yield from _words(value)


def _after(span: Span, text: str) -> Edit:
    return Edit(Span(span.end, span.end), text)


def _break_before(model: Autoencoder, span: Span) -> str:
    """Return what parts a new setting from that at ``span``: a line as indented, or a semicolon on a shared line."""
    line = model.source.line_text(model.source.position(span.start).line)
    indent = line[: len(line) - len(line.lstrip())]
    alone = model.source.position(span.start).column == len(indent) + 1
    return f"\n{indent}" if alone else "; "
