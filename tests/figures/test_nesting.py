"""Nested groups: deep nesting is folded, nothing grows faster than the model, and nothing is lost."""

import time

import pytest

from caedsl.diagnostics.text import counted as with_noun
from caedsl.facts.cost import total_parameters
from caedsl.figures.blocks import Cluster, LayerBlock, blocks
from caedsl.figures.drawing import Sum, TextMark
from caedsl.figures.graph import render
from caedsl.figures.layout import layout
from caedsl.figures.look import Look
from caedsl.figures.repeats import DEEPEST, MOST_CHUNKS, MOST_ITEMS
from caedsl.figures.slabs import hourglass
from caedsl.model.autoencoder import Autoencoder
from tests.figures.gallery import model_of
from tests.figures.legibility import assert_legible

DEEPEST_SPEC = 30
"""Residuals in residuals that the language takes, inside the block of the encoder."""


def nested(depth: int) -> Autoencoder:
    body = "residual { conv 4 relu; " * depth + "conv 4 relu" + " }" * depth
    return model_of(f"autoencoder a\ninput 1x8x8\nencoder {{ {body} }}\nbottleneck dense 8\ndecoder mirror")


def depth_of(cluster: Cluster) -> int:
    return max([0, *(1 + depth_of(member) for member in cluster.members if isinstance(member, Cluster))])


def counted(cluster: Cluster) -> int:
    return sum(sum(m.counts) if isinstance(m, LayerBlock) else counted(m) for m in cluster.members)


@pytest.mark.parametrize("depth", [DEEPEST, DEEPEST + 1, DEEPEST_SPEC])
def test_deep_nesting_is_folded(depth: int) -> None:
    model = nested(depth)
    drawing = layout(model)
    assert_legible(drawing)
    assert sum(isinstance(mark, Sum) for mark in drawing.marks()) == 2 * DEEPEST
    folded = [mark.text for mark in drawing.marks() if isinstance(mark, TextMark) and mark.text.startswith("of ")]
    layers = with_noun(depth - DEEPEST + 1, "layer")
    assert folded == [f"of {layers}"] * 2 * (depth > DEEPEST)
    graph = blocks(model)
    assert max(map(depth_of, graph.parts)) == DEEPEST
    assert sum(map(counted, graph.parts)) == total_parameters(model)


@pytest.mark.parametrize("format", ["svg", "dot", "mmd"])
def test_the_deepest_spec_is_drawn_at_once(format: str) -> None:
    model = nested(DEEPEST_SPEC)
    start = time.perf_counter()
    render(model, format)
    assert time.perf_counter() - start < 5


ENDLESS = {
    "widths": "; ".join(f"conv {1 + i}" for i in range(500)),
    "residuals": "; ".join(f"residual {{ conv {8 + i % 7} relu; conv {8 + i % 7} }}" for i in range(120)),
    "one shape": "stage a { " + "; ".join(f"conv 8 dropout={(i + 1) / 1000}" for i in range(500)) + " }",
    "sizes": "; ".join(f"maxpool 2; conv {4 + i % 9} relu; upsample 2" for i in range(150)),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_figure_of_an_endless_model_is_bounded(name: str) -> None:
    model = model_of(f"autoencoder a\ninput 1x8x8\nencoder {{ {ENDLESS[name]} }}\nbottleneck\ndecoder mirror")
    start = time.process_time()
    found = hourglass(model)
    assert sum(len(slab.operations) for slab in found.slabs) <= 2 * MOST_CHUNKS + 1 < MOST_ITEMS
    for look in (Look(), Look(width=17)):
        layout(model, look)
    graph = blocks(model)
    assert sum(map(counted, graph.parts)) == total_parameters(model)
    assert len(graph.edges) <= 2 * MOST_CHUNKS + 2
    assert time.process_time() - start < 10
