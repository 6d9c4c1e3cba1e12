"""The graph of blocks in Graphviz's language, and drawn by Graphviz."""

import subprocess
from html import escape
from importlib import import_module

import graphviz

from caedsl.figures.blocks import Block, Blocks, Cluster
from caedsl.figures.caption import plural, shape_text
from caedsl.figures.errors import FigureError
from caedsl.figures.palette import LIGHT

FONT = "Helvetica,Arial,DejaVu Sans,sans-serif"
"""resvg and Typst know no generic families, so that one font of each system is named."""
LINE = "#7d8590"
"""A grey that shows on white and on black paper: the background is transparent."""

NO_ENGINE = (
    "drawing blocks needs Graphviz, and neither the program `dot` nor the Python package `pygraphviz` is here.\n"
    "  pip install 'caedsl[graph]'   brings the engine with pygraphviz\n"
    "  apt install graphviz, or brew install graphviz\n"
    "Without it, `--style hourglass` draws svg, png and pdf, and files ending in .dot or .mmd hold the blocks as text."
)


def dot(graph: Blocks) -> str:
    """The text of a ``.dot`` file: from top to bottom a row a layer, a cluster for every part and group."""
    source: str = _digraph(graph).source
    return source


def draw(graph: Blocks, format: str) -> bytes:
    """The graph as ``svg``, ``png`` or ``pdf``, by the program ``dot``, else by pygraphviz, which carries the engine.

    ``FigureError`` where there is neither, and where the engine fails.
    """
    try:
        drawn: bytes = _digraph(graph).pipe(format=format, quiet=True)
    except graphviz.ExecutableNotFound:
        return _draw_by_library(dot(graph), format)
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


def _digraph(graph: Blocks) -> graphviz.Digraph:
    digraph = graphviz.Digraph(
        graph.name,
        graph_attr={"rankdir": "TB", "bgcolor": "transparent", "fontname": FONT, "nodesep": "0.3", "ranksep": "0.3"},
        node_attr={"shape": "plain", "fontname": FONT, "fontsize": "11"},
        edge_attr={"color": LINE, "fontcolor": LINE, "fontname": FONT, "fontsize": "10", "arrowsize": "0.7"},
    )
    _add_block(digraph, graph.input, "")
    for part in graph.parts:
        _add_cluster(digraph, part)
    if graph.output:
        _add_block(digraph, graph.output, "")
    for edge in graph.edges:
        # A heavier edge is drawn shorter and straighter: the shortcuts bend around the chain.
        look = {"style": "dashed", "color": LIGHT["shortcut"]} if edge.shortcut else {"weight": "9"}
        digraph.edge(edge.start, edge.end, f" {edge.label}" if edge.label else None, **look)
    return digraph


def _add_cluster(digraph: graphviz.Digraph, cluster: Cluster) -> None:
    with digraph.subgraph(name=f"cluster_{cluster.id}") as inner:
        colour = LIGHT[cluster.part]
        label = graphviz.escape(cluster.label)
        inner.attr(label=label, color=colour, fontcolor=colour, style="rounded", labeljust="l", fontsize="12")
        for member in cluster.members:
            if isinstance(member, Cluster):
                _add_cluster(inner, member)
            else:
                _add_block(inner, member, cluster.part)


def _add_block(digraph: graphviz.Digraph, block: Block, part: str) -> None:
    colour, fill = (LIGHT[part], LIGHT[f"{part}-fill"]) if part else (LIGHT["muted"], "#ffffff")
    details = [escape(block.details)] if block.details else []
    cells = [f"<B>{escape(block.head)}</B>", *details, escape(shape_text(block.shape))]
    if block.parameters:
        cells.append(escape(plural(block.parameters, "parameter")))
    if block.note:
        cells.append(escape(block.note))
    row = "".join(f"<TD>{cell}</TD>" for cell in cells)
    frame = f'BORDER="0" CELLBORDER="1" CELLSPACING="0" CELLPADDING="5" COLOR="{colour}" BGCOLOR="{fill}"'
    digraph.node(block.id, f"<<TABLE {frame}><TR>{row}</TR></TABLE>>")
