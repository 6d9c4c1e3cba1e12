"""Write the graph of blocks in Graphviz's language, and render it with Graphviz."""

import subprocess
from html import escape
from importlib import import_module

import graphviz

from caedsl.figures.blocks import Blocks, Cluster, LayerBlock
from caedsl.figures.errors import FigureError
from caedsl.figures.look import PLAIN, Look
from caedsl.figures.palette import COLOURS, GREYS

FONT = "DejaVu Sans,Verdana,Helvetica,Arial,sans-serif"
"""Fonts of each system by name: resvg and Typst do not know generic families.

Graphviz makes boxes for the first one that it finds. The widest come first, so that labels fit with the others too.
"""
LINE = "#7d8590"
"""Grey that is visible on white and on black paper: the background is transparent."""

ON_PAPER = {"bgcolor": "white", "dpi": "220"}
"""A PNG has the resolution of the hourglass, and a white background."""
SMALLEST = 10.0
"""Size of the smallest text in points, if the look sets none."""
TALLEST = 1000
"""Largest height in inches of blocks of a given width."""

NO_ENGINE = (
    "drawing blocks needs Graphviz, and neither the program `dot` nor the Python package `pygraphviz` is here.\n"
    "  pip install 'caedsl[graph]'   installs pygraphviz with the engine\n"
    "  apt install graphviz, or brew install graphviz\n"
    "Without it, `--style hourglass` draws svg, png and pdf, and files ending in .dot or .mmd hold the blocks as text."
)


def dot(graph: Blocks, look: Look = PLAIN) -> str:
    """Return the text of a ``.dot`` file: one row per layer from top to bottom, a cluster for every part and group.

    Graphviz scales the text with the picture, so that a look has a width or a font size. Raise ``FigureError`` for
    both.
    """
    source: str = _digraph(graph, look).source
    return source


def draw(graph: Blocks, format: str, look: Look = PLAIN) -> bytes:
    """Return the graph as ``svg``, ``png`` or ``pdf``, rendered by ``dot``, or by pygraphviz, which includes it.

    Raise ``FigureError`` if neither is installed, or if the engine fails.
    """
    try:
        digraph = _digraph(graph, look)
        if format == "png":
            digraph.graph_attr.update(ON_PAPER)
        drawn: bytes = digraph.pipe(format=format, quiet=True)
    except graphviz.ExecutableNotFound:
        return _draw_by_library(digraph.source, format)
    except (subprocess.SubprocessError, OSError) as error:
        raise FigureError(f"the program `dot` could not draw the blocks: {error}") from error
    return drawn


def _draw_by_library(source: str, format: str) -> bytes:
    try:
        library = import_module("pygraphviz")
    except ImportError:
        raise FigureError(NO_ENGINE) from None
    try:
        drawn: bytes = library.AGraph(string=source).draw(None, format=format, prog="dot")
    except (OSError, ValueError) as error:
        raise FigureError(f"pygraphviz could not draw the blocks: {error}") from error
    return drawn


def _digraph(graph: Blocks, look: Look) -> graphviz.Digraph:
    if look.width and look.font_size:
        raise FigureError(
            "blocks take a width or a font size, not both: Graphviz scales the text with the picture; leave out one"
        )
    pen = _Pen(look)
    digraph = graphviz.Digraph(graph.name, graph_attr=pen.graph(graph.name), node_attr=pen.node, edge_attr=pen.edge)
    pen.add_block(digraph, graph.input, "")
    for part in graph.parts:
        pen.add_cluster(digraph, part)
    if graph.output:
        pen.add_block(digraph, graph.output, "")
    for edge in graph.edges:
        # A heavier edge is drawn shorter and straighter, so that the shortcuts bend around the chain.
        look_of_edge = {"style": "dashed", "color": pen.palette["shortcut"]} if edge.shortcut else {"weight": "9"}
        digraph.edge(edge.start, edge.end, f" {edge.label}" if edge.label else None, **look_of_edge)
    return digraph


class _Pen:
    """Writer of blocks and clusters in the colours and the text size of a look."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self.palette = GREYS.light if look.grey else COLOURS.light
        self.text = (look.font_size or SMALLEST) / SMALLEST
        fonts = {"fontname": FONT}
        self.node = {"shape": "plain", **fonts, "fontsize": self._size(11)}
        self.edge = {"color": LINE, "fontcolor": LINE, **fonts, "fontsize": self._size(SMALLEST), "arrowsize": "0.7"}

    def graph(self, name: str) -> dict[str, str]:
        gaps = {"nodesep": "0.3", "ranksep": "0.3"}
        title = {"label": graphviz.escape(name), "labelloc": "t", "labeljust": "l", "fontsize": self._size(15)}
        # The exclamation mark scales up as well as down; the height may be whatever is needed.
        size = {"size": f"{self.look.width / 2.54:.4f},{TALLEST}!"} if self.look.width else {}
        attributes = {"rankdir": "TB", "bgcolor": "transparent", "fontname": FONT, **gaps, **size}
        return attributes | (title | {"fontcolor": LINE} if self.look.title else {})

    def add_cluster(self, digraph: graphviz.Digraph, cluster: Cluster) -> None:
        with digraph.subgraph(name=f"cluster_{cluster.id}") as inner:
            colour, size = LINE if self.look.grey else self.palette[cluster.part], self._size(12)
            label = graphviz.escape(cluster.label)
            inner.attr(label=label, color=colour, fontcolor=colour, style="rounded", labeljust="l", fontsize=size)
            for member in cluster.members:
                if isinstance(member, Cluster):
                    self.add_cluster(inner, member)
                else:
                    self.add_block(inner, member, cluster.part)

    def add_block(self, digraph: graphviz.Digraph, block: LayerBlock, part: str) -> None:
        palette = self.palette
        colour, fill = (palette[part], palette[f"{part}-fill"]) if part else (palette["muted"], "#ffffff")
        details = [escape(block.details)] if block.details else []
        cells = [f"<B>{escape(block.head)}</B>", *details, *map(escape, block.rows)]
        row = "".join(f"<TD>{cell}</TD>" for cell in cells)
        frame = f'BORDER="0" CELLBORDER="1" CELLSPACING="0" CELLPADDING="5" COLOR="{colour}" BGCOLOR="{fill}"'
        digraph.node(block.id, f"<<TABLE {frame}><TR>{row}</TR></TABLE>>")

    def _size(self, points: float) -> str:
        return f"{points * self.text:g}"
