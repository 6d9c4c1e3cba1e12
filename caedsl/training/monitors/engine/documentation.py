"""Documentation of the monitors: the pages of ``docs/monitors``. Nothing here needs torch.

``python -m caedsl.training.monitors.engine.documentation`` writes the pages of a checkout; with ``--check`` it only
lists stale ones.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from caedsl.rules.engine.documentation import INDEX, maintain
from caedsl.training.monitors.engine import catalogue
from caedsl.training.monitors.engine.catalogue import Monitor

PAGES = Path(__file__).parents[4] / "docs" / "monitors"
_COMMAND = "python -m caedsl.training.monitors.engine.documentation"


def page(monitor: Monitor) -> str:
    """Return the documentation of a monitor as a Markdown page."""
    _, _, body = monitor.documentation.strip().partition("\n")
    return f"# {monitor.name}\n\n{monitor.summary}\n\nmonitor, while training\n\n{body.strip()}\n"


def index(monitors: Sequence[Monitor]) -> str:
    """Return the table of all monitors."""
    lines = [
        "# Monitors",
        "",
        "What `caedsl train` looks for while it trains (see [training](../training.md#trouble)). Generated from",
        f"the monitors by `{_COMMAND}`; `caedsl rule NAME` prints a page.",
        "",
        "| name | what it finds |",
        "| --- | --- |",
        *(f"| [{monitor.name}]({monitor.name}.md) | {monitor.summary} |" for monitor in monitors),
    ]
    return "\n".join(lines) + "\n"


def pages() -> Mapping[str, str]:
    """Return all pages of ``docs/monitors`` by file name."""
    monitors = catalogue.in_order_of_names()
    return {INDEX: index(monitors), **{f"{monitor.name}.md": page(monitor) for monitor in monitors}}


if __name__ == "__main__":
    sys.exit(maintain(PAGES, pages(), _COMMAND, sys.argv[1:]))
