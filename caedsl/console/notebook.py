"""Objects that a notebook shows as pictures and tables, and Python in one line."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any

from caedsl.console.model_table import HEADINGS, input_text, layer_rows, model_text, totals
from caedsl.diagnostics.text import counted
from caedsl.extras import explaining_missing_packages
from caedsl.facts.cost import total_parameters
from caedsl.facts.model_summary import Summary, summarise
from caedsl.facts.settings_text import settings_lines
from caedsl.figures.caption import shape_text
from caedsl.figures.graph import Style, draw, render
from caedsl.figures.layout import layout
from caedsl.figures.look import Look
from caedsl.figures.svg import svg
from caedsl.model.autoencoder import Autoencoder
from caedsl.public import PublicNames

CELL = "padding: 2px 8px; border: 0"
RULE = "border-top: 1px solid rgba(128, 128, 128, 0.5)"


class Diagram(PublicNames):
    """Diagram of a model: ``str`` returns the SVG, ``save`` writes a file."""

    def __init__(self, model: Autoencoder, style: Style, look: Look) -> None:
        self._model = model
        self._style: Style = style
        self._look = look

    @explaining_missing_packages()
    def save(self, path: str | PathLike[str]) -> None:
        """Write the diagram; the suffix chooses the format: .svg, .png, .pdf, .dot or .mmd."""
        draw(self._model, Path(path), self._style, self._look)

    def __str__(self) -> str:
        return str(render(self._model, "svg", self._style, self._look))

    def __repr__(self) -> str:
        return f"<diagram of {self._model.name} as {self._style}>"

    def _repr_svg_(self) -> str:
        if self._style == "hourglass":
            return svg(layout(self._model, self._look), on_white=True)
        return str(self)


class ModelTable(PublicNames):
    """Table of a model, as ``caedsl show`` prints it: ``str`` returns the text, ``summary`` holds the numbers."""

    def __init__(self, model: Autoencoder) -> None:
        self._model = model
        self.summary: Summary = summarise(model)

    def __str__(self) -> str:
        return model_text(self._model)

    def __repr__(self) -> str:
        return f"<table of {_described(self._model)}>"

    def _repr_html_(self) -> str:
        name = f"<p><b>{escape(self._model.name)}</b> {escape(input_text(self._model))}</p>"
        settings = _pairs_html(_settings(self._model)) if self._model.train else ""
        return f"<div>{name}{_layers_html(self.summary)}{_pairs_html(totals(self.summary))}{settings}</div>"


@dataclass(frozen=True, repr=False, eq=False)
class LoadedAutoencoder(PublicNames, Autoencoder):
    """Model that a notebook shows as its diagram and its table."""

    def __repr__(self) -> str:
        return f"<autoencoder {_described(self)}>"

    def _repr_svg_(self) -> str:
        return svg(layout(self), on_white=True)

    def _repr_html_(self) -> str:
        diagram = f'<div style="overflow-x: auto">{self._repr_svg_()}</div>'
        return f"<div>{diagram}{ModelTable(self)._repr_html_()}</div>"


def loaded(model: Autoencoder) -> LoadedAutoencoder:
    """Return the same model as one that a notebook can show."""
    values: dict[str, Any] = {field.name: getattr(model, field.name) for field in fields(model)}
    return LoadedAutoencoder(**values)


def _described(model: Autoencoder) -> str:
    shapes = " → ".join(map(shape_text, (model.input.shape, model.code_shape, model.out_shape)))
    return f"{model.name}: {shapes}, {counted(total_parameters(model), 'parameter')}"


def _layers_html(summary: Summary) -> str:
    heads = "".join(_cell("th", heading.text, heading.right) for heading in HEADINGS)
    rows = [f"<tr>{heads}</tr>"]
    for cells in layer_rows(summary):
        columns = zip(cells, HEADINGS, strict=True)
        row = "".join(_cell("td", text, heading.right) for text, heading in columns)
        rows.append(f'<tr style="{RULE}">{row}</tr>' if cells[0] else f"<tr>{row}</tr>")
    return f'<table style="border-collapse: collapse">{"".join(rows)}</table>'


def _settings(model: Autoencoder) -> list[tuple[str, str]]:
    lines = settings_lines(model)
    return [(name, text if written else f"{text} (default)") for name, text, written in lines]


def _pairs_html(pairs: Sequence[tuple[str, str]]) -> str:
    rows = (f"<tr>{_cell('th', name, False)}{_cell('td', value, False)}</tr>" for name, value in pairs)
    return f'<table style="border-collapse: collapse; margin-top: 8px">{"".join(rows)}</table>'


def _cell(tag: str, text: str, right: bool) -> str:
    return f'<{tag} style="{CELL}; text-align: {"right" if right else "left"}">{escape(text)}</{tag}>'
