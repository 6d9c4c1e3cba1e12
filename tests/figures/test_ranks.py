"""Signals, images, volumes and vectors: every figure depends on the shapes alone."""

import pytest

from caedsl.figures.blocks import blocks
from caedsl.figures.dot import dot
from caedsl.figures.drawing import Area, Box, TextMark
from caedsl.figures.layout import layout
from caedsl.figures.look import Look
from caedsl.figures.mermaid import mermaid
from caedsl.figures.scale import FigureScale
from tests.figures.gallery import SPECS, model_of
from tests.figures.legibility import assert_legible
from tests.figures.ranks import RANKS, of_rank

SHAPES = [(1, 288), (1, 28, 28), (1, 16, 16, 16), (12,)]


@pytest.mark.parametrize("rank", RANKS)
@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("look", [Look(), Look(width=17)], ids=["whole", "page"])
def test_every_model_is_legible_in_every_rank(name: str, rank: str, look: Look) -> None:
    drawing = layout(of_rank(name, RANKS[rank]), look)
    assert_legible(drawing)


@pytest.mark.parametrize("rank", RANKS)
def test_labels_are_the_whole_shapes(rank: str) -> None:
    model = of_rank("mirror", RANKS[rank])
    wanted = {"signal": "16×112", "volume": "16×28×28×28"}[rank]
    assert wanted in [mark.text for mark in layout(model).marks() if isinstance(mark, TextMark) and mark.upwards]
    assert wanted in dot(blocks(model))
    assert wanted in mermaid(blocks(model))


def test_signals_are_thinner_than_images_of_as_many_channels() -> None:
    scale = FigureScale([(64, 288), (64, 28, 28)], crowded=False)
    assert scale.slab_width((64, 288)) < scale.slab_width((64, 28, 28))
    assert scale.slab_width((64, 288)) > scale.slab_width((8, 288))
    assert scale.picture_width((1, 288)) < scale.picture_width((1, 28, 28))


def test_only_volumes_have_a_depth_and_deeper_ones_more() -> None:
    scale = FigureScale(SHAPES, crowded=False)
    assert [scale.depth(shape).right > 0 for shape in SHAPES] == [False, False, True, False]
    assert scale.depth((1, 8, 16, 16)) < scale.depth((1, 16, 16, 16))
    assert scale.extent((1, 16, 16, 16)) > scale.slab_width((1, 16, 16, 16))


def test_longer_signals_and_larger_volumes_are_taller() -> None:
    for small, large in (((4, 72), (4, 144)), ((4, 8, 8, 8), (4, 16, 16, 16)), ((10,), (20,))):
        scale = FigureScale([small, large], crowded=False)
        assert scale.height(small) < scale.height(large)


def test_a_volume_has_two_faces_behind_its_front() -> None:
    def faces(model_name: str, rank: str | None) -> int:
        model = of_rank(model_name, RANKS[rank]) if rank else model_of(SPECS[model_name])
        return sum(len(mark.points) == 6 for mark in layout(model).marks() if isinstance(mark, Area))

    boxes = [mark for mark in layout(of_rank("denoiser", RANKS["volume"])).marks() if isinstance(mark, Box)]
    assert faces("denoiser", "volume") == sum(box.fill is not None for box in boxes)
    assert faces("denoiser", "signal") == faces("denoiser", None) == 0
