"""Render the page of a report from its contents."""

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from caedsl.diagnostics.text import safe
from caedsl.report.contents import Contents

_PAGE = "page.html.jinja"


def page_templates(*folders: Path) -> Environment:
    """Return the templates of pages: those of ``folders``, and the style that all pages share."""
    environment = Environment(
        loader=FileSystemLoader([*folders, Path(__file__).parent]),
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": _number, "code": _code}
    return environment


def page(contents: Contents) -> str:
    """Return the page as self-contained HTML: styles and pictures are embedded, and there are no scripts."""
    environment = page_templates()
    charts = {name: Markup(chart) for name, chart in contents.charts.items()}
    return environment.get_template(_PAGE).render(report=contents, charts=charts) + "\n"


def _visible(value: object) -> object:
    """Return text with characters made visible that would reorder or hide their neighbours."""
    return safe(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _code(text: str) -> Markup:
    """Return a sentence as HTML, with text between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(safe(text)))))


def _number(value: float | None, format_: str) -> str:
    return "–" if value is None else format(value, format_)
