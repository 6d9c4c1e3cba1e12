"""One merge of trees: settings changed from outside reach every matching place and leave the rest of the text."""

import pytest

from caedsl.api import load
from caedsl.resolve.merging.merge import merge
from caedsl.resolve.merging.overrides import OverrideError, override
from caedsl.source import Source
from caedsl.syntax.parser import parse
from caedsl.syntax.printer import print_spec

SPEC = """# A comment at the top.
autoencoder m
input 1x28x28 in 0..1  # as published
data mnist gray else digits limit=10

let width = 8
encoder { conv width relu; maxpool 2 }
bottleneck conv 4 k1
decoder mirror upsample=bilinear
train { batch 32; epochs 2 }
"""


def changed(**values: str) -> str:
    """Return the lines of SPEC that change when these names (with ``__`` for a dot) are set."""
    after = override(Source(SPEC), {name.replace("__", "."): value for name, value in values.items()}).text
    return "\n".join(line for line in after.splitlines() if line not in SPEC.splitlines())


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("let__width", "16", "let width = 16"),
        ("input", "3x8x8", "input 3x8x8  # as published"),
        ("input__in", "real", "input 1x28x28 in real  # as published"),
        ("data", "digits", "data digits"),
        ("data__resize", "crop", "data mnist gray resize=crop else digits limit=10 resize=crop"),
        ("data__limit", "5", "data mnist gray limit=5 else digits limit=5"),
        ("data__gray", "off", "data mnist else digits limit=10"),
        ("data__gray", "on", "data mnist gray else digits limit=10 gray"),
        ("bottleneck__kernel", "3", "bottleneck conv 4 k=3"),
        ("bottleneck__activation", "tanh", "bottleneck conv 4 k1 tanh"),
        ("decoder__upsample", "nearest", "decoder mirror upsample=nearest"),
        ("decoder__norm", "batch", "decoder mirror upsample=bilinear norm=batch"),
        ("train__batch", "64", "train { batch 64; epochs 2 }"),
        ("train__optimizer__lr", "1", "train { optimizer adam lr=1; batch 32; epochs 2 }"),
        ("train__schedule__warmup", "5%", "train { schedule constant warmup=5%; batch 32; epochs 2 }"),
        ("train__seed__deterministic", "on", "train { seed 0 deterministic; batch 32; epochs 2 }"),
        ("train__loss__reduction", "sum", "train { loss mse reduction=sum; batch 32; epochs 2 }"),
        ("train__augment__flip", "on", "train { augment flip; batch 32; epochs 2 }"),
        ("train__on__trouble", "stop", "train { on trouble stop; batch 32; epochs 2 }"),
        ("require__parameters", "< 5k", "require {\n  parameters < 5k\n}"),
    ],
)
def test_a_setting_changes_its_own_place(name: str, value: str, line: str) -> None:
    assert changed(**{name: value}) == line
    if name not in ("require__parameters", "input"):
        load(SPEC, {name.replace("__", "."): value})


def test_a_block_that_is_missing_is_added() -> None:
    text = override(Source("autoencoder m\ninput 1x8x8"), {"train.optimizer.lr": "1e-4", "train.batch": "8"}).text
    assert text == "autoencoder m\ninput 1x8x8\ntrain {\n  batch 8\n  optimizer adam lr=1e-4\n}\n"


def test_a_decoder_written_out_gives_way_to_a_mirror() -> None:
    spec = "autoencoder m\ninput 1x8x8\nencoder { conv 4 }\nbottleneck\ndecoder {\n  conv 1  # a } here\n}  # end\n"
    assert override(Source(spec), {"decoder": "mirror"}).text.splitlines()[-1] == "decoder mirror  # end"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("let.depth", "3", "defines no constant `depth`"),
        ("trian.batch", "3", "did you mean `train`"),
        ("train.batch", "3 }", "without braces"),
        ("train.batch", "(3", "is never closed"),
        ("a.b.c.d", "3", "is not the name of a setting"),
        ("input.in.low", "3", "three parts"),
        ("batch", "64", r"write train\.batch=64"),
        ("lr", "1e-4", r"write train\.optimizer\.lr=1e-4"),
    ],
)
def test_what_names_no_place_is_refused(name: str, value: str, message: str) -> None:
    with pytest.raises(OverrideError, match=message):
        override(Source(SPEC), {name: value})


def test_merging_nothing_changes_nothing() -> None:
    spec, _ = parse(Source(SPEC))
    assert merge(spec, parse(Source(""))[0]) == spec


def test_merging_a_spec_into_itself_changes_nothing() -> None:
    spec, _ = parse(Source(SPEC))
    assert print_spec(merge(spec, spec)) == print_spec(spec)


@pytest.mark.parametrize(
    ("spec", "name", "value", "line"),
    [
        ("bottleneck dense 8 l1=1e-4", "bottleneck.units", "16", "bottleneck dense 16 l1=1e-4"),
        ("bottleneck variational 8 beta=2", "bottleneck.units", "16", "bottleneck variational 16 beta=2"),
        ("input 1x28x28 in -1..1", "input.shape", "1x32x32", "input 1x32x32 in -1..1"),
        ('data folder "p/" limit=5', "data.path", '"q/"', 'data folder "q/" limit=5'),
        ("train { batch 128 accumulate=2 }", "train.batch.batch", "64", "train { batch 64 accumulate=2 }"),
    ],
)
def test_the_value_that_stands_alone_is_set_and_the_rest_of_its_line_stays(
    spec: str, name: str, value: str, line: str
) -> None:
    assert override(Source(spec), {name: value}).text == line


def test_the_name_of_a_constant_leads_to_its_setting() -> None:
    with pytest.raises(OverrideError, match=r"write let\.w=32"):
        override(Source("let w = 16"), {"w": "32"})
