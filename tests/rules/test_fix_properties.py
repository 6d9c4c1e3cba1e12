"""Properties of every fix: declared data are unchanged, no fix is superfluous, and help and diff agree."""

import re
from functools import cache

import pytest
from hypothesis import given

from benchmarks.faults.cases import Case, draw
from benchmarks.faults.parents import PARENTS
from caedsl.diagnostics import Applicability, Severity
from caedsl.diagnostics.edits import apply_edits
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine import catalogue
from caedsl.rules.engine.checking import check_source, examine
from caedsl.rules.engine.compiling import compiled
from caedsl.rules.engine.fixing import fix_source
from caedsl.source import Source
from tests.generated import spec_texts
from tests.rules.fragments import the
from tests.rules.test_fixing import MANY

CASES = draw(PARENTS, each=2, seed=9)
_CODE = re.compile(r"`([^`]+)`")
SIDES = "autoencoder a\ninput {size}\nencoder {{ {encoder} }}\nbottleneck\ndecoder {{ {decoder} }}\n"
HALVED = "conv 8 s2 relu; conv 8 s2 relu"


def declared(model: Autoencoder) -> tuple[object, ...]:
    """Return the author's declarations about the data: the range and the words of the data line."""
    place = model.places.get("data")
    return model.input.range, model.source.slice(place) if place else ""


def check_declarations(text: str) -> None:
    model = compiled(text, "<spec>").model
    repaired = fix_source(Source(text), unsafe=True).checked
    if model is not None and model.complete and repaired.model is not None:
        assert declared(repaired.model) == declared(model), repaired.source.text


@pytest.mark.parametrize("case", CASES, ids=str)
def test_fixes_never_change_what_is_declared_about_the_data(case: Case) -> None:
    check_declarations(case.text)


@MANY
@given(spec_texts())
def test_fixes_of_generated_specs_never_change_it_either(text: str) -> None:
    check_declarations(text)


CONTEXTS = (
    "{}\nencoder {{ conv 8 }}\nbottleneck\ndecoder mirror",
    "input {}\nencoder {{ conv 8 }}\nbottleneck\ndecoder mirror",
    "input 1x28x28 {}\nencoder {{ conv 8 }}\nbottleneck\ndecoder mirror",
    "input 1x28x28\n{}\nbottleneck\ndecoder mirror",
    "input 1x28x28\nencoder {{ conv 8 }}\n{}\ndecoder mirror",
    "input 1x28x28\nencoder {{ conv 8 }}\nbottleneck\n{}",
    "input 1x28x28\n{}\nencoder {{ conv 8 }}\nbottleneck\ndecoder mirror",
    "input 1x28x28\ndata mnist {}\nencoder {{ conv 8 }}\nbottleneck\ndecoder mirror",
    "input 1x28x28\nencoder {{ {} }}\nbottleneck\ndecoder {{ conv 1 }}",
    "input 1x28x28\nencoder {{ conv 8 {} }}\nbottleneck\ndecoder mirror",
    "input 1x28x28\nencoder {{ maxpool 2 {} }}\nbottleneck\ndecoder {{ conv 1 }}",
    "input 1x28x28\nencoder {{ conv 8 }}\nbottleneck {}\ndecoder mirror",
    "input 1x28x28\nencoder {{ conv 8 }}\nbottleneck dense 8 {}\ndecoder mirror",
    "input 1x28x28\nencoder {{ conv 8 }}\nbottleneck\ndecoder {{ conv 8; {} }}",
    "input 1x28x28\nencoder {{ conv 8 }}\nbottleneck\ndecoder {{ deconv 8 s2 pad=1 {} }}",
    "input 1x28x28\nencoder {{ conv 8 }}\nbottleneck\ndecoder mirror\ntrain {{ {} }}",
    "input 1x28x28\nencoder {{ conv 8 }}\nbottleneck\ndecoder mirror\ntrain {{ optimizer sgd {} }}",
    "input 1x28x28\nencoder {{ conv 8 }}\nbottleneck\ndecoder mirror\ntrain {{ optimizer {} }}",
)


@cache
def is_of_the_language(code: str) -> bool:
    """Return whether a piece of text is valid somewhere in a spec; its sizes may conflict with those around it."""
    if code in catalogue.all_names() or not any(map(str.isalnum, code)):
        return True
    texts = (f"autoencoder a\n{context.format(code)}\n" for context in CONTEXTS)
    return any(all(is_about_sizes(found.name) for found in compiled(text, "<spec>").findings) for text in texts)


def is_about_sizes(name: str) -> bool:
    known = catalogue.find(name)
    return known is not None and known.family != catalogue.COMPILER_FAMILY


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_a_help_shows_can_be_written(case: Case) -> None:
    """Each piece of spec text in a help is part of the fixed text or valid in some spec."""
    for finding in check_source(Source(case.text)).findings:
        after = apply_edits(case.text, finding.fix.edits) if finding.fix else ""
        for code in _CODE.findall(finding.advice):
            assert _is_in(code, after) or is_of_the_language(code), (finding.name, finding.advice)
        for code in _CODE.findall(finding.fix.title) if finding.fix else ():
            assert _is_in(code, after) or _is_in(code, case.text), (finding.name, finding.fix)


def _is_in(code: str, text: str) -> bool:
    """Return whether the text contains these words, in any layout."""
    return " ".join(code.split()) in " ".join(text.split())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_fix_of_a_pass_is_superfluous(case: Case) -> None:
    """Undoing any one of the fixes made in the first pass brings its finding back."""
    fixed = fix_source(Source(case.text), unsafe=True)
    worse = {f.name for f in fixed.checked.findings if f.severity is not Severity.INFO}
    was = {f.name for f in examine(Source(case.text)).findings if f.severity is not Severity.INFO}
    assert worse <= was


def test_a_decoder_is_not_widened_for_a_code_that_the_same_pass_narrows() -> None:
    text = SIDES.format(
        size="1x28x28",
        encoder="conv 16 s2 relu; conv 32 s2 relu",
        decoder="conv 8 relu; upsample 2; conv 8 relu; upsample 2; conv 1 sigmoid",
    )
    assert {"overcomplete", "channel-pinch"} <= {f.name for f in check_source(Source(text)).findings if f.fix}
    fixed = fix_source(Source(text), unsafe=True)
    assert fixed.made == 1
    assert fixed.checked.source.text == text.replace("bottleneck", "bottleneck conv 4")


def test_a_decoder_is_widened_only_as_far_as_the_narrowed_code_needs() -> None:
    text = SIDES.format(
        size="1x28x28", encoder=HALVED, decoder="dense 8 relu; dense 784; reshape 16x7x7; upsample 4; conv 1 sigmoid"
    ).replace("bottleneck", "bottleneck dense 1000")
    offered = {f.name: f.fix for f in check_source(Source(text)).findings}
    assert offered["overcomplete"] and offered["channel-pinch"]
    fixed = fix_source(Source(text), unsafe=True).checked.source.text
    assert "bottleneck dense 32\n" in fixed
    assert "decoder { dense 32 relu;" in fixed


def test_the_range_of_data_that_an_output_cannot_reach_stays() -> None:
    text = SIDES.format(
        size='1x32x32 in -80..0\ndata npy "d.npy"', encoder=HALVED, decoder="upsample 4; conv 1 sigmoid"
    )
    assert "in -80..0" in fix_source(Source(text), unsafe=True).checked.source.text


def test_a_safe_fix_writes_no_other_output_channels() -> None:
    text = SIDES.format(size="3x32x32 in -1..1", encoder=HALVED, decoder="upsample 2; deconv 2 k4 s2 tanh")
    finding = the(text, "channel-mismatch")
    assert "deconv 3" in finding.advice
    assert finding.fix is not None
    assert finding.fix.applicability is Applicability.UNSAFE
    assert fix_source(Source(text)).checked.source.text == text


@pytest.mark.parametrize(
    ("size", "encoder", "decoder", "repaired"),
    [
        ("1x50x50", HALVED, "upsample 2 x2; conv 1 sigmoid", "upsample to 25x25; upsample 2; conv 1 sigmoid"),
        ("1x28x28", HALVED, "upsample 2 x3; conv 1 sigmoid", "upsample 2 x2; conv 1 sigmoid"),
        ("1x28x28", HALVED, "upsample 2 x1; conv 8 relu x2; conv 1 sigmoid", None),
        (
            "1x28x28",
            HALVED,
            "upsample 2; conv 8 relu; upsample 2; conv 8 relu; upsample 2; conv 8 relu; upsample 2; conv 1 sigmoid",
            "upsample 2; conv 8 relu; upsample 2; conv 8 relu; conv 8 relu; conv 1 sigmoid",
        ),
        (
            "1x28x28",
            HALVED,
            "deconv 8 k4x3 pad=1x0 s2 relu; deconv 1 k4 s2 pad=1 sigmoid",
            "deconv 8 k4x2 pad=1x0 s2 relu; deconv 1 k4 s2 pad=1 sigmoid",
        ),
        (
            "1x28x28",
            HALVED,
            "deconv 8 k3 pad=1 s2 relu output_pad=1; deconv 1 k3 pad=1 output_pad=1 sigmoid",
            "deconv 8 k3 pad=1 s2 relu output_pad=1; deconv 1 k3 pad=1 s2 output_pad=1 sigmoid",
        ),
        ("1x28x16", HALVED, "upsample 2; upsample 2x4; conv 1 sigmoid", "upsample 2; upsample 2; conv 1 sigmoid"),
    ],
)
def test_sizes_meet_after_the_fix(size: str, encoder: str, decoder: str, repaired: str | None) -> None:
    text = SIDES.format(size=size, encoder=encoder, decoder=decoder)
    finding = next(f for f in check_source(Source(text)).findings if f.name in ("output-shape", "output-pad-misplaced"))
    assert finding.fix is not None
    after = apply_edits(text, finding.fix.edits)
    assert repaired is None or after == text.replace(decoder, repaired)
    model = compiled(after, "<spec>").model
    assert model is not None
    assert model.out_shape == model.input.shape


@pytest.mark.parametrize(
    ("written", "repaired"),
    [
        ("conv 8 relu\n  maxpool 2; maxpool 2; maxpool 2", "conv 8 relu\n  maxpool 2; maxpool 2"),
        ("conv 8 relu\n  maxpool 2\n  maxpool 2\n  maxpool 2", "conv 8 relu\n  maxpool 2\n  maxpool 2"),
    ],
)
def test_a_pool_too_many_is_left_out_with_its_line_or_its_semicolon(written: str, repaired: str) -> None:
    text = SIDES.format(size="1x28x28", encoder=f"\n  {written}\n", decoder="upsample 2 x2; conv 1 sigmoid")
    assert f"\n  {repaired}\n" in fix_source(Source(text), unsafe=True).source.text


def test_none_found_is_reported_where_none_was_found() -> None:
    text = SIDES.format(
        size="1x28x28", encoder="conv 8 k5 s3 relu; conv 16 k5 s3 relu", decoder="deconv 8 s2 relu; deconv 1 s2 sigmoid"
    )
    finding = the(text, "output-shape")
    assert finding.fix is None
    assert "no change to one or two lines that was tried" in finding.help
