"""Edits of the ``train`` block: what a fix writes where a setting stands, or where it is left to its default."""

from caedsl.diagnostics.finding import Edit
from caedsl.model.autoencoder import Autoencoder
from caedsl.source import Span


def write_setting(model: Autoencoder, name: str, option: str, text: str) -> tuple[Edit, ...]:
    """``text`` for one option of the setting ``name``; A setting that is one value has that as an option of its own name.

    Empty where the block has no setting yet, beside which a new one could stand.
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
    """``text`` in place of the whole setting ``name``, which is written."""
    return (Edit(model.places[f"train.{name}"], text),)


def _after(span: Span, text: str) -> Edit:
    return Edit(Span(span.end, span.end), text)


def _break_before(model: Autoencoder, span: Span) -> str:
    """What parts a new setting from that at ``span``: a line as indented, or a semicolon where several share a line."""
    line = model.source.line_text(model.source.position(span.start).line)
    indent = line[: len(line) - len(line.lstrip())]
    alone = model.source.position(span.start).column == len(indent) + 1
    return f"\n{indent}" if alone else "; "
