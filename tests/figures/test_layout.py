"""The hourglass: what it shows, and that all of it can be read."""

import pytest
from hypothesis import HealthCheck, assume, given, settings
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

from caedsl.facts.cost import total_parameters
from caedsl.figures.drawing import Area, Box, Drawing, Polyline, Sum, TextMark, text_width
from caedsl.figures.layout import layout
from caedsl.figures.look import Look
from caedsl.figures.slabs import hourglass
from caedsl.resolve.resolve import resolve
from caedsl.source import Source
from caedsl.syntax.parser import parse
from tests.figures.gallery import SPECS, model_of
from tests.figures.generated import specs
from tests.figures.legibility import assert_legible


def texts(drawing: Drawing) -> list[str]:
    return [mark.text for mark in drawing.marks() if isinstance(mark, TextMark)]


def slab_boxes(drawing: Drawing, part: str) -> list[Box]:
    return [m for m in drawing.marks() if isinstance(m, Box) and m.stroke == part and m.fill == f"{part}-fill"]


@pytest.mark.parametrize("name", SPECS)
def test_every_model_of_the_gallery_is_legible(name: str) -> None:
    assert_legible(layout(model_of(SPECS[name])))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(specs())
def test_every_model_is_legible(spec: str) -> None:
    source = Source(spec)
    model, _ = resolve(parse(source)[0], source)
    assume(model is not None and model.complete)
    assert model is not None
    assert_legible(layout(model))
    assert_legible(layout(model, Look(width=40)))


@pytest.mark.parametrize("name", SPECS)
def test_text_lies_on_no_tinted_ground_and_no_line(name: str) -> None:
    drawing = layout(model_of(SPECS[name]))
    level = [mark for mark in drawing.marks() if isinstance(mark, TextMark) and not mark.upwards]
    for text in level:
        for mark in drawing.marks():
            if isinstance(mark, Area):
                for x in (text.bounds.left, text.x, text.bounds.right):
                    assert text.bounds.top >= lower_edge(mark, x) or text.bounds.bottom <= upper_edge(mark, x), text
            if isinstance(mark, Sum | Polyline):
                points = mark.points if isinstance(mark, Polyline) else ((mark.x, mark.y),)
                assert not any(within(text, x, y) for x, y in points), text


def within(text: TextMark, x: float, y: float) -> bool:
    return text.bounds.left < x < text.bounds.right and text.bounds.top < y < text.bounds.bottom


def lower_edge(area: Area, x: float) -> float:
    (x0, _), (x1, _), (_, y1), (_, y0) = area.points
    return y0 + (y1 - y0) * (x - x0) / (x1 - x0) if x0 <= x <= x1 else float("-inf")


def upper_edge(area: Area, x: float) -> float:
    (x0, y0), (x1, y1), _, _ = area.points
    return y0 + (y1 - y0) * (x - x0) / (x1 - x0) if x0 <= x <= x1 else float("inf")


@pytest.mark.parametrize("name", ["mirror", "flagship", "denoiser", "stages", "wide_images", "odd_sizes", "large"])
def test_a_mirrored_decoder_mirrors_the_encoder_about_the_code(name: str) -> None:
    drawing = layout(model_of(SPECS[name]))
    (code,) = slab_boxes(drawing, "bottleneck")
    centre = code.x + code.width / 2
    before = {box.height: centre - box.x - box.width / 2 for box in slab_boxes(drawing, "encoder")}
    after = {box.height: box.x + box.width / 2 - centre for box in reversed(slab_boxes(drawing, "decoder"))}
    twins = before.keys() & after.keys()
    assert twins >= before.keys() - {code.height}
    for height in twins:
        assert after[height] == pytest.approx(before[height])


def test_crowded_stages_are_mirrored_as_wholes() -> None:
    drawing = layout(model_of(SPECS["deep"]))
    (code,) = slab_boxes(drawing, "bottleneck")

    def middles(part: str) -> dict[float, float]:
        boxes = slab_boxes(drawing, part)
        stages = {box.height: [other for other in boxes if other.height == box.height] for box in boxes}
        return {h: (min(b.x for b in stage) + max(b.x + b.width for b in stage)) / 2 for h, stage in stages.items()}

    before, after = middles("encoder"), middles("decoder")
    assert before.keys() == after.keys()
    for height in before:
        assert before[height] + after[height] == pytest.approx(2 * code.x + code.width)


def test_height_is_resolution_and_width_is_channels() -> None:
    drawing = layout(model_of(SPECS["flagship"]))
    wide, narrow, pooled = slab_boxes(drawing, "encoder")
    assert wide.height == narrow.height > pooled.height
    assert wide.width > narrow.width == pooled.width
    assert all(box.y + box.height / 2 == pytest.approx(wide.y + wide.height / 2) for box in (narrow, pooled))


@pytest.mark.parametrize("name", SPECS)
def test_every_shape_is_written_on_its_slab(name: str) -> None:
    model = model_of(SPECS[name])
    drawing = layout(model)
    shapes = [model.input.shape, *(slab.shape for slab in hourglass(model).slabs), model.out_shape]
    labels = [mark.text for mark in drawing.marks() if isinstance(mark, TextMark) and mark.upwards]
    assert sorted(labels) == sorted("×".join(map(str, shape)) for shape in shapes)


@pytest.mark.parametrize("name", SPECS)
def test_it_says_the_size_of_the_code_and_the_parameters(name: str) -> None:
    model = model_of(SPECS[name])
    words = texts(layout(model))
    assert f"{total_parameters(model):,} parameters" in words
    assert any(word.endswith(("numbers", "number")) for word in words)
    assert words[0] == model.name


@pytest.mark.parametrize(
    ("bottleneck", "size", "comparison"),
    [
        ("dense 64", "64 numbers", "12.2× smaller"),
        ("dense 1", "1 number", "784× smaller"),
        ("dense 784", "784 numbers", "same size as the input"),
        ("dense 1568", "1,568 numbers", "2.0× larger than the input"),
        ("dense 780", "780 numbers", "1.01× smaller"),
        ("quantized 16x4", "3,136 numbers", "in 3,136 bits"),
        ("dense 64 topk=2", "64 numbers", "in 76 bits"),
    ],
)
def test_the_code_is_compared_with_the_input(bottleneck: str, size: str, comparison: str) -> None:
    noise = "{ dropout 10% }"
    spec = f"autoencoder a\ninput 1x28x28\nencoder {noise}\nbottleneck {bottleneck}\ndecoder {noise}"
    accent = [m.text for m in layout(model_of(spec)).marks() if isinstance(m, TextMark) and m.fill == "bottleneck"]
    assert accent[1:][:1] == [size]
    assert " ".join(accent[2:]) == comparison


def test_repeats_are_drawn_once() -> None:
    words = texts(layout(model_of(SPECS["nested"])))
    assert "×4" in words
    assert words.count("conv 16") == 1
    assert "conv 16 ×2" in texts(layout(model_of(SPECS["mirror"])))


def test_stage_names_stand_over_their_slabs() -> None:
    drawing = layout(model_of(SPECS["stages"]))
    highest = min(mark.bounds.top for mark in drawing.marks() if isinstance(mark, Box))
    names = [
        mark for mark in drawing.marks() if isinstance(mark, TextMark) and mark.text in ("shallow", "middle", "deep")
    ]
    assert [name.text for name in names] == ["shallow", "middle", "deep", "deep", "middle", "shallow"]
    assert all(name.bounds.bottom < highest for name in names)


def test_every_residual_has_a_sum() -> None:
    def sums(name: str) -> int:
        return sum(isinstance(mark, Sum) for mark in layout(model_of(SPECS[name])).marks())

    assert (sums("residual"), sums("nested"), sums("flagship")) == (6, 2, 0)


def test_input_and_reconstruction_are_dashed_and_wider_for_wide_images() -> None:
    ends = [mark for mark in layout(model_of(SPECS["mirror"])).marks() if isinstance(mark, Box) and mark.dashed]
    wide = [mark for mark in layout(model_of(SPECS["wide_images"])).marks() if isinstance(mark, Box) and mark.dashed]
    assert len(ends) == len(wide) == 2
    assert wide[0].width / wide[0].height > ends[0].width / ends[0].height


def test_captions_leave_out_what_goes_without_saying() -> None:
    words = " ".join(texts(layout(model_of(SPECS["deep_svdd"]))))
    assert "k5 pad=3" in words
    assert not any(hidden in words for hidden in ("bias", "eps", "affine", "s1", "d1", "linear"))
    assert "output_pad" not in " ".join(texts(layout(model_of(SPECS["odd_sizes"]))))


def test_penalties_and_options_of_the_code_are_shown() -> None:
    spec = """autoencoder a
        input 1x8x8
        encoder { conv 4 relu l2=1e-3 init=glorot; maxpool 2 }
        bottleneck dense 3 l1=1e-4 noise=0.1
        decoder mirror"""
    words = texts(layout(model_of(spec)))
    assert "k3 relu" in words
    assert "l2=0.001" in words
    assert words.index("l1=0.0001") < words.index("noise=0.1") < words.index("dense 3")
    assert not any("init" in word for word in words)
    bare = texts(layout(model_of(spec.replace("dense 3", ""))))
    assert "l1=0.0001" in bare


@pytest.mark.parametrize(
    ("bottleneck", "shown"),
    [
        ("variational 8 beta=0.5 warmup=10%", ["beta=0.5", "warmup=10%"]),
        ("variational 8", []),
        ("dense 8 sigmoid sparsity=5% sparsity_weight=3", ["sparsity_weight=3"]),
        ("dense 8 sigmoid sparsity=5%", []),
        ("quantized 16x4 commit=0.5", ["commit=0.5"]),
        ("quantized 16x4", []),
    ],
)
def test_weights_of_what_the_code_adds_to_the_loss_are_shown(bottleneck: str, shown: list[str]) -> None:
    spec = f"autoencoder a\ninput 1x8x8\nencoder {{ conv 4 s2 }}\nbottleneck {bottleneck}\ndecoder mirror"
    words = texts(layout(model_of(spec)))
    assert [word for word in words if "=" in word] == shown


def test_the_preprocessing_of_the_data_is_shown_under_the_input() -> None:
    spec = """autoencoder a
        input 1x8x8
        data digits normalize=standard
        encoder { conv 4 s2 }
        bottleneck dense 3
        decoder mirror"""
    assert "normalize=standard" in texts(layout(model_of(spec)))


@pytest.mark.parametrize("name", SPECS)
def test_words_under_slabs_of_one_height_begin_at_one_height(name: str) -> None:
    drawing = layout(model_of(SPECS[name]))
    boxes = [mark for mark in drawing.marks() if isinstance(mark, Box)]
    begins: dict[float, set[float]] = {}
    for group in drawing.groups:
        if group.id.endswith("-words"):
            first = group.marks[0]
            assert isinstance(first, TextMark)
            over = [box.height for box in boxes if box.x - 40 < first.x < box.x + box.width + 40]
            begins.setdefault(round(max(over), 2), set()).add(round(first.y - first.size * 0.67, 2))
    assert all(len(heights) == 1 for heights in begins.values()), begins


@pytest.mark.parametrize("bold", [False, True])
def test_widths_are_never_less_than_those_of_a_wide_font(bold: bool) -> None:
    font = FontProperties(family="DejaVu Sans", size=10, weight="bold" if bold else "normal")
    every = "".join(map(chr, range(33, 127))) + "×·⊕"
    for text in (*every, "conv 64", "norm=batch", "1024×7×7", "reconstruction", "bottleneck", "12,193 parameters"):
        measured, _, _ = TextToPath().get_text_width_height_descent(text, font, ismath=False)
        assert text_width(text, 10, bold) >= measured * 0.98, text
