"""Every declared word goes through every command and one training step."""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
import torch

from caedsl import check
from caedsl.api import load
from caedsl.backends.torch.instantiate import build
from caedsl.backends.torch.lower import lower
from caedsl.backends.torch.render import emit
from caedsl.cli.main import main
from caedsl.facts.schema import read_settings, settings_json
from caedsl.facts.settings_text import OFF, fault_of, settings_lines
from caedsl.resolve.reading.lines import options_of
from caedsl.training.prepare import prepare
from caedsl.vocabulary import corruptions, initialisations, losses, norms, optimizers, schedules
from caedsl.vocabulary.activations import FUNCTIONS
from caedsl.vocabulary.augmentations import AUGMENTATIONS
from caedsl.vocabulary.bottlenecks import FORMS
from caedsl.vocabulary.corruptions import CORRUPTIONS
from caedsl.vocabulary.initialisations import INITIALISATIONS
from caedsl.vocabulary.layers import KINDS
from caedsl.vocabulary.losses import LOSSES
from caedsl.vocabulary.norms import NORMS
from caedsl.vocabulary.optimizers import OPTIMIZERS
from caedsl.vocabulary.option import REQUIRED, Option, Type, Written
from caedsl.vocabulary.preprocessings import PREPROCESSINGS
from caedsl.vocabulary.schedules import SCHEDULES
from caedsl.vocabulary.sources import SOURCES

ASSERTED = "32x14x14"
SPEC = """autoencoder words
input 1x12x12
encoder {{ conv 8 s2 {layer}; conv 4 s2 }}
bottleneck dense 4
decoder {{ dense 36 relu; reshape 4x3x3; upsample 4; conv 1 sigmoid }}
train {{ epochs 1; batch 4; precision fp32; {train} }}
"""


LINES = SPEC.format(layer="relu", train="").splitlines()


def value(option: Option) -> str:
    """Return a value of an option that is not its default."""
    if option.type is Type.ENDS:
        return "-1..2"
    if option.type is Type.COUNT:
        return "2"
    return "0.3" if option.domain.holds(0.3) else "3"


def given(option: Option) -> str:
    """Return the option as a line gives it."""
    if option.written is Written.REST:
        return "2 4"
    return option.name if option.type is Type.FLAG else f"{option.name}={value(option)}"


def layer_words() -> Iterator[str]:
    """Yield options of a layer line, one for each word."""
    for name, function in FUNCTIONS.items():
        if function.option is None or function.option.default is not REQUIRED:
            yield name
        if function.option is not None:
            yield f"{name}={value(function.option)}"
    yield "weight_norm l2=0.3"
    yield "init=glorot bias_init=torch"
    yield "init=torch bias_init=zeros"
    for name, norm in NORMS.items():
        yield " ".join([f"norm={name}", *map(given, norm.own)])
    for name, start in INITIALISATIONS.items():
        yield " ".join([f"init={name}", *map(given, start.own)])


def train_words() -> Iterator[str]:
    """Yield lines of a train block, one for each word with all its options."""
    yield from (" ".join([f"loss {name}", *map(given, kind.own)]) for name, kind in LOSSES.items())
    for name, kind in OPTIMIZERS.items():
        doubles = {first for first, _ in kind.exclusive}
        yield " ".join([f"optimizer {name}", *(given(option) for option in kind.own if option.name not in doubles)])
    yield from (
        " ".join([f"schedule {name}", *map(given, kind.own), "min_lr=1e-6"]) for name, kind in SCHEDULES.items()
    )
    yield from (f"corrupt {given(kind.option)}" for kind in CORRUPTIONS.values())
    yield from (f"augment {given(kind.option)}" for kind in AUGMENTATIONS.values())
    yield "stop patience=2 after=90s; clip 0.3; ema 0.3; threads 1; seed 3 deterministic; on trouble stop"


SURROUNDED = {
    "as": "residual { as x; conv 32; add x }",
    "from": "conv 32 as other; from fine; add other",
    "reshape": "dense 1568; reshape 32x7x7",
    "shortcut": "residual { conv 32; shortcut { conv 32 k1 norm=batch } }",
    "unpool": "maxpool 2 as p1; unpool p1",
}
"""Kinds whose example needs another layer around or before it."""


def kind_words() -> Iterator[str]:
    """Yield specs with one layer kind each; one activation represents all activations on their own lines."""
    for name, kind in KINDS.items():
        if name not in FUNCTIONS or name == "leaky_relu":
            encoder = f"encoder {{ conv 32 s2 relu as fine; conv 32; {SURROUNDED.get(name, kind.example)}; dense 4 }}"
            yield SPEC.format(layer="relu", train="").replace(LINES[2], encoder).replace(LINES[3], "bottleneck")


def other_words() -> Iterator[str]:
    """Yield specs with one bottleneck form, one source or one preprocessing each."""
    plain = SPEC.format(layer="relu", train="")
    for form in FORMS:
        decoder = (
            LINES[4] if form.makes_vector or form.block else "decoder { deconv 4 s2 k4 relu; deconv 1 s2 k4 sigmoid }"
        )
        code = form.example.replace(ASSERTED, "4x3x3")
        yield plain.replace(LINES[3], code).replace(LINES[4], decoder)
    for name, kind in SOURCES.items():
        if 2 in kind.ranks:
            path = ' "x"' if any(option.written is Written.FIRST for option in kind.options) else ""
            yield plain.replace(LINES[1], f"{LINES[1]}\ndata {name}{path} gray")
    for name in PREPROCESSINGS:
        yield plain.replace(LINES[1], f'input 3x12x12 in real\ndata npy "x.npy" normalize={name}').replace(
            "conv 1 sigmoid", "conv 3"
        )


SPECS = [SPEC.format(layer=words, train="") for words in layer_words()]
SPECS += [*kind_words(), *other_words()]
SPECS += [SPEC.format(layer="relu", train=words) for words in train_words()]


@pytest.mark.parametrize("text", SPECS)
def test_a_word_goes_through_every_command(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    errors = [finding.message for finding in check(text) if finding.severity.value == "error"]
    assert not errors
    path = tmp_path / "words.cae"
    path.write_text(text, "utf-8")
    assert main(["fmt", str(path)]) == 0
    formatted = load(path)
    model = load(text)
    assert formatted.train == model.train
    assert [layer.options for _, layer in formatted.layers()] == [layer.options for _, layer in model.layers()]
    assert main(["show", str(path)]) == 0
    assert main(["show", "--json", str(path)]) == 0
    capsys.readouterr()
    assert model.train is not None
    assert read_settings(settings_json(model.train)) == model.train
    assert fault_of(model.train) is None
    shown = "; ".join(f"{name} {written}" for name, written, _ in settings_lines(model) if written != OFF)
    assert load("\n".join([*LINES[:-1], f"train {{ {shown} }}"])).train == model.train
    for training in (False, True):
        compile(emit(model, training=training), "emitted.py", "exec")
    assert main(["graph", str(path), "-o", str(tmp_path / "words.svg")]) == 0
    images = torch.rand(6, *model.input.shape, generator=torch.Generator().manual_seed(0))
    run = prepare(build(model), images, model.train, penalties=lower(model).penalties)
    run.run()
    assert run.step == 2
    assert all(torch.isfinite(weight).all() for weight in run.module.state_dict().values())


@pytest.mark.parametrize(
    "word",
    [
        losses.MSE,
        optimizers.ADAM,
        schedules.COSINE,
        corruptions.MASKING,
        norms.BATCH,
        initialisations.NORMAL,
        next(iter(AUGMENTATIONS.values())),
    ],
    ids=lambda word: word.name,
)
def test_a_declaration_that_lacks_a_part_is_a_type_error(word: object) -> None:
    for left_out in fields(word):  # type: ignore[arg-type]
        parts = {each.name: getattr(word, each.name) for each in fields(word) if each is not left_out}  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=left_out.name):
            type(word)(**parts)


@pytest.mark.parametrize(
    ("line", "name", "help"),
    [
        ("optimizer sgd nesterov", "contradicting-options", "add `momentum=0.9`"),
        ("optimizer adam eps=1e-7 eps_hat=1e-7", "contradicting-options", "keep one of them"),
        ("optimizer adamx", "unknown-value", "adamax"),
        ("optimizer sgd beta1=0.9", "unknown-option", "options of `optimizer sgd`"),
        ("loss huber delta=0", "out-of-domain", ""),
        ("loss focal gamma=0.5", "out-of-domain", ""),
        ("loss mse delta=1", "unknown-option", "`reduction=`"),
        ("loss ssim worst=25%", "contradicting-options", "remove `worst=`"),
        ("loss mse worst=0%", "out-of-domain", ""),
        ("loss mse worst=10% worst=20%", "duplicate-option", "keep one"),
        ("schedule inverse", "missing-value", "decay"),
        ("schedule milestones", "missing-value", "epochs"),
        ("schedule milestones 5 3", "out-of-domain", "ascending order"),
        ("schedule milestones 5 2.5", "wrong-type", ""),
        ("schedule exponential gamma=1.5", "out-of-domain", ""),
        ("augment crop=150%", "out-of-domain", ""),
        ("augment vflp", "unknown-option", "`vflip`"),
    ],
)
def test_a_wrong_line_is_one_finding_that_says_what_to_write(line: str, name: str, help: str) -> None:
    errors = [finding for finding in check(SPEC.format(layer="relu", train=line)) if finding.severity.value == "error"]
    assert [finding.name for finding in errors] == [name]
    assert help in f"{errors[0].message} {errors[0].help}"


def test_options_of_one_name_have_one_type() -> None:
    """Code reads options of layers of any kind, so an option name must have one meaning."""
    types: dict[str, set[Type]] = {}
    for kind in KINDS.values():
        for option in options_of(kind):
            types.setdefault(option.name, set()).add(option.type)
    assert types.pop("pad") == {Type.PER_AXIS, Type.SIDES, Type.PADDING}  # ways of writing the same numbers
    assert types.pop("value") == {Type.NUMBER, Type.ENDS}  # of an activation's line, which alone reads it
    assert {name for name, kinds in types.items() if len(kinds) > 1} == set()
