"""Blocks: every layer is there, with its parameters, as DOT, as Mermaid and drawn."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from caedsl.facts.cost import total_parameters
from caedsl.figures.blocks import Cluster, LayerBlock, blocks
from caedsl.figures.caption import parameters_each
from caedsl.figures.dot import dot, draw
from caedsl.figures.errors import FigureError
from caedsl.figures.mermaid import mermaid
from tests.figures.gallery import SPECS, model_of


def every_block(cluster: Cluster) -> Iterator[LayerBlock]:
    for member in cluster.members:
        if isinstance(member, Cluster):
            yield from every_block(member)
        else:
            yield member


@pytest.mark.parametrize("name", SPECS)
def test_the_blocks_parameters_are_the_models(name: str) -> None:
    model = model_of(SPECS[name])
    graph = blocks(model)
    assert sum(sum(block.counts) for part in graph.parts for block in every_block(part)) == total_parameters(model)


@pytest.mark.parametrize("name", SPECS)
def test_the_edges_are_one_way_from_input_to_reconstruction(name: str) -> None:
    graph = blocks(model_of(SPECS[name]))
    inner = [block.id for part in graph.parts for block in every_block(part)]
    order = ["input", *inner, "reconstruction"]
    assert len(order) == len(set(order))
    assert all(order.index(edge.start) < order.index(edge.end) for edge in graph.edges)
    assert {edge.end for edge in graph.edges} == set(order) - {"input"}
    assert {edge.start for edge in graph.edges} == set(order) - {"reconstruction"}


def test_edges_carry_shapes_only_where_they_change() -> None:
    labels = [edge.label for edge in blocks(model_of(SPECS["flagship"])).edges]
    assert labels == ["1×28×28", "64×28×28", "32×28×28", "32×14×14", "", "", "32×28×28", "64×28×28", "1×28×28"]


def test_a_residual_is_a_group_with_a_sum_and_a_way_around() -> None:
    graph = blocks(model_of(SPECS["residual"]))
    sums = [block for part in graph.parts for block in every_block(part) if block.role == "sum"]
    around = [edge for edge in graph.edges if edge.shortcut]
    assert len(sums) == len(around) == 6
    assert {edge.end for edge in around} == {block.id for block in sums}
    for block in sums:
        assert sum(edge.end == block.id for edge in graph.edges) == 2


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ((), ""),
        ((0, 0), ""),
        ((1,), "1 parameter"),
        ((1168,) * 4, "1,168 parameters each"),
        ((160, 2320), "160, then 2,320 parameters"),
        ((160, 2320, 2320), "160, then 2,320 parameters each"),
        ((160, 2320, 1160, 2320), "160 to 2,320 parameters each"),
    ],
)
def test_counts_are_those_of_one_copy(counts: tuple[int, ...], words: str) -> None:
    assert parameters_each(counts) == words


def test_a_block_inside_a_repeat_counts_one_copy() -> None:
    text = mermaid(blocks(model_of(SPECS["nested"])))
    assert "conv 12 k3 relu<br/>12×32×32<br/>1,740 parameters each" in text


def test_dot_has_a_row_a_layer_and_a_cluster_a_part() -> None:
    text = dot(blocks(model_of(SPECS["mirror"])))
    assert "<TD><B>conv 16 ×2</B></TD><TD>k3 relu</TD><TD>16×28×28</TD><TD>160, then 2,320 parameters</TD>" in text
    assert "<TD>24.5× smaller</TD>" in text
    for part in ("encoder", "bottleneck", "decoder"):
        assert f"subgraph cluster_{part} {{" in text
    assert text.count("{") == text.count("}")


def test_mermaid_has_a_subgraph_a_part_and_every_edge() -> None:
    graph = blocks(model_of(SPECS["stages"]))
    text = mermaid(graph)
    assert text.startswith('---\ntitle: "staged"\n---\nflowchart LR\n')
    assert re.findall(r"^  subgraph (\w+)", text, re.MULTILINE) == ["encoder", "bottleneck", "decoder"]
    assert len(re.findall(r"^ *subgraph ", text, re.MULTILINE)) == len(re.findall(r"^ *end$", text, re.MULTILINE)) == 9
    assert text.count("-->") == len(graph.edges)
    assert 'n1["conv 32 ×2 k3 relu<br/>32×96×96<br/>896, then 9,248 parameters"]' in text


def test_labels_are_escaped() -> None:
    block = LayerBlock("n1", "layer", 'a "b" <c> & #d', "", (1,))
    graph = blocks(model_of(SPECS["one_layer"]))
    graph.parts[0].members[0] = block
    assert "a #quot;b#quot; #lt;c#gt; #amp; #35;d" in mermaid(graph)
    assert "<B>a &quot;b&quot; &lt;c&gt; &amp; #d</B>" in dot(graph)


@pytest.fixture
def no_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide the program ``dot``."""
    monkeypatch.setenv("PATH", str(tmp_path))


def test_the_program_draws_where_it_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "dot"
    program.write_text(f'#!{sys.executable}\nimport sys\nprint(sys.argv[1:], "<B>conv 16</B>" in sys.stdin.read())\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    drawn = draw(blocks(model_of(SPECS["mirror"])), "svg").decode()
    assert "-Tsvg" in drawn
    assert "True" in drawn


def test_a_program_that_fails_is_a_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "dot"
    program.write_text(f"#!{sys.executable}\nraise SystemExit(3)\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FigureError, match="`dot` could not draw"):
        draw(blocks(model_of(SPECS["mirror"])), "png")


@pytest.mark.usefixtures("no_program")
def test_without_the_program_pygraphviz_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    def open_graph(string: str) -> SimpleNamespace:
        return SimpleNamespace(draw=lambda path, format, prog: f"{path} {format} {prog} {string}".encode())

    library = ModuleType("pygraphviz")
    library.__dict__["AGraph"] = open_graph
    monkeypatch.setitem(sys.modules, "pygraphviz", library)
    graph = blocks(model_of(SPECS["mirror"]))
    assert draw(graph, "pdf").decode() == f"None pdf dot {dot(graph)}"


@pytest.mark.usefixtures("no_program")
def test_without_either_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    with pytest.raises(FigureError) as caught:
        draw(blocks(model_of(SPECS["mirror"])), "svg")
    for word in ("caedsl[graph]", "apt install graphviz", "--style hourglass", ".dot", ".mmd"):
        assert word in str(caught.value)
