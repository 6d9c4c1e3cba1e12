"""Write the graph of blocks as Mermaid text, which GitHub, GitLab and many editors render."""

import json
from collections.abc import Iterator

from caedsl.figures.blocks import Blocks, Cluster, Edge, LayerBlock
from caedsl.figures.errors import FigureError
from caedsl.figures.look import PLAIN, Look
from caedsl.figures.palette import COLOURS, GREYS, Palette

_ENTITIES = str.maketrans({"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;", "`": "#96;"})


def mermaid(graph: Blocks, look: Look = PLAIN) -> str:
    """Return the text of a ``.mmd`` file: a flowchart from left to right with a subgraph for every part and group.

    Raise ``FigureError`` if the look has a width or a font size: the page that shows the flowchart sets both.
    """
    if look.width or look.font_size:
        raise FigureError(
            "Mermaid text has neither a width nor a font size: the page that shows it sets both; omit them, or "
            "write .svg, .png or .pdf"
        )
    title = ["---", f"title: {json.dumps(graph.name)}", "---"] if look.title else []
    lines = [*title, "flowchart LR", f"  {_block(graph.input)}"]
    for part in graph.parts:
        lines += _cluster(part, "  ")
    if graph.output:
        lines.append(f"  {_block(graph.output)}")
    lines += (f"  {_edge(edge)}" for edge in graph.edges)
    for part in graph.parts:
        lines += _colours(part, GREYS.light if look.grey else COLOURS.light)
    return "\n".join((*lines, ""))


def _cluster(cluster: Cluster, indent: str) -> Iterator[str]:
    yield f'{indent}subgraph {cluster.id}["{_escaped(cluster.label)}"]'
    yield f"{indent}  direction LR"
    for member in cluster.members:
        if isinstance(member, Cluster):
            yield from _cluster(member, indent + "  ")
        else:
            yield f"{indent}  {_block(member)}"
    yield f"{indent}end"


def _block(block: LayerBlock) -> str:
    rows = [f"{block.head} {block.details}".strip()]
    rows += block.rows if block.role != "sum" else block.rows[1:]
    label = "<br/>".join(map(_escaped, rows))
    opening, closing = {"sum": ("((", "))"), "end": ("([", "])")}.get(block.role, ("[", "]"))
    return f'{block.id}{opening}"{label}"{closing}'


def _edge(edge: Edge) -> str:
    arrow = "-.->" if edge.shortcut else "-->"
    label = f'|"{_escaped(edge.label)}"|' if edge.label else ""
    return f"{edge.start} {arrow}{label} {edge.end}"


def _colours(part: Cluster, palette: Palette) -> list[str]:
    ids = ",".join(_ids(part))
    style = f"fill:{palette[f'{part.id}-fill']},stroke:{palette[part.id]},color:{palette['ink']}"
    return [f"  classDef {part.id}Block {style}", f"  class {ids} {part.id}Block"]


def _ids(cluster: Cluster) -> Iterator[str]:
    for member in cluster.members:
        if isinstance(member, Cluster):
            yield from _ids(member)
        else:
            yield member.id


def _escaped(text: str) -> str:
    return text.translate(_ENTITIES)
