"""Unpooling of signals, which PyTorch computes as that of images one pixel wide."""

from dataclasses import replace

from caedsl.importing.operators.graph import AtenGraph, AtenNode, Ref


def with_signal_unpools(graph: AtenGraph) -> AtenGraph:
    """Return the graph in which an unpooling between an added and a removed axis is ``max_unpool1d``, one node."""
    made = {name: node for node in graph.nodes for name in node.outputs}
    unpools: dict[str, AtenNode] = {}
    for node in graph.nodes:
        flat = made.get(_read(node)) if node.base == "squeeze" else None
        if flat is None or flat.base != "max_unpool2d" or node.args.get("dim") not in (-1, 3):
            continue
        wide = [made.get(flat.args[argument].name) for argument in ("self", "indices")]
        sources = [each.args["self"] for each in wide if each is not None and _widens(each)]
        if len(sources) == 2:
            args = dict(zip(("self", "indices"), sources, strict=True))
            unpools[node.name] = replace(node, op="max_unpool1d", args=args)
    nodes = tuple(unpools.get(node.name, node) for node in graph.nodes)
    return replace(graph, nodes=nodes).towards(graph.outputs[0]) if unpools else graph


def _read(node: AtenNode) -> str:
    source = node.args.get("self")
    return source.name if isinstance(source, Ref) else ""


def _widens(node: AtenNode) -> bool:
    return node.base == "unsqueeze" and node.args["dim"] in (-1, 3)
