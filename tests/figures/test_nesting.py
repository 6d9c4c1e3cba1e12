"""Nested groups: what is nested deep is folded, nothing grows faster than the model, and nothing is lost."""

import time

import pytest

from caedsl.facts.cost import total_parameters
from caedsl.figures.blocks import Block, Cluster, blocks
from caedsl.figures.drawing import Sum, Text
from caedsl.figures.graph import render
from caedsl.figures.layout import layout
from caedsl.figures.look import Look
from caedsl.figures.repeats import DEEPEST
from caedsl.model.autoencoder import Autoencoder
from tests.figures.gallery import model_of
from tests.figures.legibility import assert_legible

DEEPEST_SPEC = 30
"""Residuals in residuals that the language takes, inside the block of the encoder."""


def nested(depth: int) -> Autoencoder:
    body = "residual { conv 4 relu; " * depth + "conv 4 relu" + " }" * depth
    return model_of(f"autoencoder a\ninput 1x8x8\nencoder {{ {body} }}\nbottleneck dense 8\ndecoder mirror")


def chained(count: int) -> Autoencoder:
    body = "; ".join(f"residual {{ conv {8 + i % 7} relu; conv {8 + i % 7} }}" for i in range(count))
    return model_of(f"autoencoder a\ninput 1x8x8\nencoder {{ {body} }}\nbottleneck\ndecoder mirror")


def depth_of(cluster: Cluster) -> int:
    return max([0, *(1 + depth_of(member) for member in cluster.members if isinstance(member, Cluster))])


def counted(cluster: Cluster) -> int:
    return sum(sum(m.counts) if isinstance(m, Block) else counted(m) for m in cluster.members)


@pytest.mark.parametrize("depth", [DEEPEST, DEEPEST + 1, DEEPEST_SPEC])
def test_deep_nesting_is_folded(depth: int) -> None:
    model = nested(depth)
    drawing = layout(model)
    assert_legible(drawing)
    assert sum(isinstance(mark, Sum) for mark in drawing.marks()) == 2 * DEEPEST
    folded = [mark.text for mark in drawing.marks() if isinstance(mark, Text) and mark.text.startswith("of ")]
    assert folded == [f"of {depth - DEEPEST + 1} layers"] * 2 * (depth > DEEPEST)
    graph = blocks(model)
    assert max(map(depth_of, graph.parts)) == DEEPEST
    assert sum(map(counted, graph.parts)) == total_parameters(model)


@pytest.mark.parametrize("format", ["svg", "dot", "mmd"])
def test_the_deepest_spec_is_drawn_at_once(format: str) -> None:
    model = nested(DEEPEST_SPEC)
    start = time.perf_counter()
    render(model, format)
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize("look", [Look(), Look(width=17)], ids=["whole", "page"])
def test_time_grows_with_the_number_of_residuals(look: Look) -> None:
    def seconds(count: int) -> float:
        model = chained(count)
        start = time.process_time()
        layout(model, look)
        return time.process_time() - start

    assert min(seconds(160) for _ in range(3)) < 4 * 2.5 * min(seconds(40) for _ in range(3))
