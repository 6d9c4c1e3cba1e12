"""Skips: each is one arrow from the named map to the layer that reads it, and is distinguishable from others."""

import re
from itertools import combinations

import pytest

from caedsl.figures.blocks import LayerBlock, blocks
from caedsl.figures.drawing import Box, Drawing, MarkGroup, Polyline, TextMark
from caedsl.figures.graph import render
from caedsl.figures.layout import layout
from caedsl.figures.look import Look
from caedsl.figures.slabs import hourglass
from tests.figures.gallery import SPECS, model_of
from tests.figures.legibility import assert_legible

WAYS = {
    "unet": {("skip1", "16×32×32", "32×32×32"), ("skip2", "32×16×16", "64×16×16"), ("skip3", "64×8×8", "128×8×8")},
    "skips": {
        ("a_map_with_a_name_that_is_long", "16×32×32", "16×32×32"),
        ("b", "16×32×32", "16×32×32"),
        ("p", "16×16×16", "16×16×16"),
        ("p", "16×16×16", "16×32×32"),
        ("c", "32×16×16", "48×16×16"),
        ("input", "1×32×32", "17×32×32"),
    },
    "branches": {
        ("trunk", "8×32×32", "8×32×32"),
        ("narrow", "8×32×32", "16×32×32"),
        ("trunk", "16×16×16", "16×16×16"),
        ("narrow", "16×16×16", "32×16×16"),
        ("input", "1×32×32", "1×32×32"),
        ("other", "16×16×16", "16×16×16"),
    },
}


def drawn(drawing: Drawing) -> list[MarkGroup]:
    return [group for group in drawing.groups if group.id.startswith("skip-")]


def lines(group: MarkGroup) -> list[Polyline]:
    return [mark for mark in group.marks if isinstance(mark, Polyline)]


def names(group: MarkGroup) -> list[str]:
    return [mark.text for mark in group.marks if isinstance(mark, TextMark)]


def shape_under(drawing: Drawing, point: tuple[float, float]) -> str:
    """Return the shape that is written on the box whose upper edge the point touches."""
    (box,) = (
        m for m in drawing.marks() if isinstance(m, Box) and m.x < point[0] < m.x + m.width and abs(m.y - point[1]) < 2
    )
    (label,) = (
        m.text
        for m in drawing.marks()
        if isinstance(m, TextMark) and m.upwards and box.x < m.x < box.x + box.width and box.bounds.overlaps(m.bounds)
    )
    return label


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("look", [Look(), Look(width=17), Look(width=9, grey=True)], ids=["whole", "page", "column"])
def test_every_skip_leads_from_its_map_to_its_reader(name: str, look: Look) -> None:
    drawing = layout(model_of(SPECS[name]), look)
    assert_legible(drawing)
    found = hourglass(model_of(SPECS[name])).skips
    ways = {
        (skip.name, shape_under(drawing, lines(group)[0].points[0]), shape_under(drawing, lines(group)[-1].points[-1]))
        for skip, group in zip(found, drawn(drawing), strict=True)
    }
    assert ways == WAYS[name]
    assert all([line.arrow for line in lines(group)].count(True) == lines(group)[-1].arrow for group in drawn(drawing))


@pytest.mark.parametrize("name", WAYS)
def test_every_skip_carries_its_name(name: str) -> None:
    model = model_of(SPECS[name])
    for skip, group in zip(hourglass(model).skips, drawn(layout(model)), strict=True):
        (written,) = names(group)
        assert skip.name.startswith(written.removesuffix("…"))


def test_nested_skips_lie_over_one_another_and_cross_nowhere() -> None:
    ways = [lines(group)[0].bounds for group in drawn(layout(model_of(SPECS["unet"])))]
    for one, other in combinations(ways, 2):
        outer, inner = sorted((one, other), key=lambda way: way.left)
        assert outer.left < inner.left < inner.right < outer.right
        assert outer.top < inner.top - 14


def test_a_reader_and_what_it_reads_are_slabs_of_their_own() -> None:
    spec = """autoencoder a
        input 1x8x8
        encoder { conv 4 relu as kept; conv 4; add kept; conv 4 relu }
        bottleneck dense 3
        decoder mirror"""
    found = hourglass(model_of(spec))
    assert [[operation.head for operation in slab.operations] for slab in found.slabs[:3]] == [
        ["conv 4"],
        ["conv 4"],
        ["add kept", "conv 4"],
    ]
    assert [(skip.start, skip.end) for skip in found.skips] == [(0, 2)]


FOLDED = """autoencoder a
    input 1x8x8
    encoder { conv 4 relu as kept; stage a { stage b { stage c { stage d { conv 4; add kept } } } } }
    bottleneck dense 3
    decoder mirror"""


def test_a_skip_into_a_folded_group_ends_at_the_group() -> None:
    model = model_of(FOLDED)
    (skip,) = hourglass(model).skips
    assert any(operation.head == "d" for operation in hourglass(model).slabs[skip.end].operations)
    folded = [edge for edge in blocks(model).edges if edge.shortcut and edge.start == "n1"]
    assert "n2" in [edge.end for edge in folded]


@pytest.mark.parametrize("name", WAYS)
def test_blocks_name_the_skips_that_the_hourglass_draws(name: str) -> None:
    model = model_of(SPECS[name])
    drawn_names = [skip.name for skip in hourglass(model).skips if not skip.reader.startswith("from")]
    assert [edge.label for edge in blocks(model).edges if edge.shortcut and edge.label] == drawn_names
    assert all(f'-.->|"{skip}"|' in str(render(model, "mmd")) for skip in drawn_names)
    assert all(f'label=" {skip}"' in str(render(model, "dot")) for skip in drawn_names)


def test_a_branch_follows_from_the_output_that_it_starts_from() -> None:
    model = model_of(SPECS["branches"])
    slabs = hourglass(model).slabs
    flows = {int(group.id.removeprefix("flow-")) for group in layout(model).groups if group.id.startswith("flow-")}
    assert {place for place in range(1, len(slabs)) if slabs[place].operations[0].head.startswith("from")} == {
        place for place in range(1, len(slabs)) if place not in flows
    }
    names = {
        block.id: block.head for part in blocks(model).parts for block in part.members if isinstance(block, LayerBlock)
    }
    ways = {
        (names.get(edge.start, edge.start), names.get(edge.end)) for edge in blocks(model).edges if not edge.shortcut
    }
    assert {("conv 8", "conv 8"), ("input", "avgpool 2")} <= ways
    assert not [head for head in names.values() if head.startswith("from")]


def test_titles_and_the_description_name_the_skips() -> None:
    text = str(render(model_of(SPECS["unet"]), "svg"))
    assert re.findall(r"<title>(concat skip\d reads [\d×]+)</title>", text) == [
        "concat skip3 reads 64×8×8",
        "concat skip2 reads 32×16×16",
        "concat skip1 reads 16×32×32",
    ]
    described = re.search(r"<desc>.*Skips: (.*)\.</desc>", text)
    assert described is not None
    assert described[1].count("concat skip") == 3
    assert "Skips:" not in str(render(model_of(SPECS["mirror"]), "svg"))


def test_twins_that_a_skip_joins_have_no_line_of_their_own() -> None:
    assert not [group for group in layout(model_of(SPECS["unet"])).groups if group.id.startswith("twin")]
    assert [group for group in layout(model_of(SPECS["mirror"])).groups if group.id.startswith("twin")]


def test_a_twin_line_is_left_out_where_a_slab_hides_it() -> None:
    spec = """autoencoder a
        input 1x8x8
        encoder { conv 32 s2 relu; dense 2048 relu }
        bottleneck dense 10
        decoder mirror"""
    assert not [group for group in layout(model_of(spec)).groups if group.id.startswith("twin")]


def test_the_code_is_compared_together_with_the_skips() -> None:
    words = [m.text for m in layout(model_of(SPECS["unet"])).marks() if isinstance(m, TextMark) if m.bold]
    assert "with skips" in " ".join(words)
