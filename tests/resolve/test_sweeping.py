"""Sweeps: their variants, the findings for each, and one finding for a mistake that many variants share."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import caedsl
from caedsl.api import SpecError, check, load
from caedsl.cli.main import main
from caedsl.diagnostics.finding import Finding
from caedsl.model.autoencoder import Autoencoder
from caedsl.resolve.merging.variants import VariantError, choose, variant
from caedsl.resolve.sweeping import MOST_VARIANTS
from caedsl.rules.engine.checking import check_source, examine
from caedsl.rules.engine.fixing import fix_source
from caedsl.source import Source
from caedsl.syntax.formatter import format_source
from caedsl.syntax.parser import parse
from tests.generated import swept_texts

SPEC = """autoencoder swept
input 1x16x16
data digits
let width = 16
encoder {{ conv width relu; maxpool 2 }}
bottleneck dense 16
decoder mirror
train {{ loss mse; optimizer adam lr=1e-3; batch 32; epochs 40 }}
sweep {{ {} }}
"""


def swept(lines: str) -> str:
    return SPEC.format(lines)


def values(lines: str) -> list[tuple[str, ...]]:
    sweep = load(swept(lines)).sweep
    assert sweep is not None
    return [tuple(value.text for value in one.values) for one in sweep.names]


def only(lines: str) -> Finding:
    (finding,) = check(swept(lines))
    return finding


def test_each_combination_of_values_is_a_variant() -> None:
    text = swept("let.width 8 32; train.optimizer.lr 1e-4 2e-3 3e-3")
    models = [load(text, variant=number) for number in range(1, 7)]
    shown = [(model.encoder[0].out_shape, model.train and model.train.optimizer.lr) for model in models]
    assert shown == [((width, 16, 16), lr) for width in (8, 32) for lr in (1e-4, 2e-3, 3e-3)]
    assert all(model.sweep is None for model in models)


def test_without_a_choice_the_spec_stands_as_it_is() -> None:
    assert load(swept("let.width 8 32")).encoder[0].out_shape == (16, 16, 16)


@pytest.mark.parametrize(
    ("line", "points"),
    [
        ("train.optimizer.lr 1e-4..1e-2 log", ("0.0001", "0.000316", "0.001", "0.00316", "0.01")),
        ("train.optimizer.lr 1e-4..1e-2 log x3", ("0.0001", "0.001", "0.01")),
        ("train.optimizer.lr 1e-4..1e-2 x3 log", ("0.0001", "0.001", "0.01")),
        ("train.epochs 10..100 x4", ("10", "40", "70", "100")),
        ("train.epochs 10..100 log x4", ("10", "22", "46", "100")),
        ("let.width 1k..2k x2", ("1000", "2000")),
        ("bottleneck.noise 0..1 x3", ("0", "0.5", "1")),
        ("train.validation 10%..20% x3", ("10%", "15%", "20%")),
        ("train.optimizer.lr 1e-3..1.0001e-3 x3", ("0.001", "0.00100005", "0.0010001")),
        ("let.width 8 width*2 -3", ("8", "width*2", "-3")),
        ("train.loss mse mae", ("mse", "mae")),
        ("input 1x16x16 1x8x8", ("1x16x16", "1x8x8")),
    ],
)
def test_values_and_ranges(line: str, points: tuple[str, ...]) -> None:
    model = examine(Source(swept(line))).model
    assert model is not None and model.sweep is not None
    assert tuple(value.text for value in model.sweep.names[0].values) == points


MISTAKES = [
    ("let.wdth 8 32", "unknown-setting", "did you mean `let.width`?"),
    ("train.optimzer.lr 1 2", "unknown-setting", "did you mean `train.optimizer.lr`?"),
    ("lr 1e-3 1e-2", "unknown-setting", "did you mean `train.optimizer.lr`?"),
    ("encoder 8 16", "unknown-setting", "use the names of `--set`"),
    ("train.optimizer.lr 1e-3 2e-3; train.optimizer.lr 5e-3", "duplicate-statement", "keep one"),
    ("let.width 32 8 32.0", "duplicate-option", "keep one"),
    ("let.width", "missing-value", "write values"),
    ("", "missing-value", "write `sweep {"),
    ("let.width { }", "unexpected-block", "remove the braces"),
    ("bottleneck dense 8", "unexpected-value", "sweep a constant"),
    ("let.width kernel=8", "unexpected-value", "dotted name"),
    ("let.width 8..32 log log", "unexpected-value", "a range as in"),
    ("let.width 8..32 9", "unexpected-value", "a range as in"),
    ("let.width 9 8..32", "unexpected-value", "a range as in"),
    ("let.width 8..32 x1", "out-of-domain", "x2"),
    ("let.width 32..8", "out-of-domain", "lower end first"),
    ("train.optimizer.lr 0..1 log", "out-of-domain", "above 0"),
    ("train.optimizer.lr 1..10% log", "out-of-domain", "same unit"),
    ("let.width 8..wdth", "unknown-name", "did you mean `width`?"),
    ("train.optimizer.lr 1e-4..1e-3 x1000000000", "too-many-variants", "fewer"),
    (f"train.seed 0..9 x10; train.epochs 30..70 x{'9' * 40}; let.width 8..32 x2", "too-many-variants", "fewer"),
    ("train.optimizer.momentum 0.1 0.9", "unknown-option", ""),
    ("train.schedule cosin constant", "unknown-value", ""),
    ("train.batch 31 31.5", "wrong-type", ""),
    ("train.optimizer.lr 1e-3 1", "high-learning-rate", "lr="),
    ('data.path "a" "b"', "unknown-setting", "set the statement whole"),
]


@pytest.mark.parametrize(("lines", "name", "help_line"), MISTAKES)
def test_one_mistake_is_one_finding(lines: str, name: str, help_line: str) -> None:
    finding = only(lines)
    assert finding.name == name
    assert help_line in finding.advice


def test_a_name_without_its_statement_is_one_finding() -> None:
    text = swept("data.limit 8 16; train.epochs 30 40").replace("data digits\n", "")
    (finding,) = (finding for finding in check(text) if finding.name == "unknown-setting")
    assert "this spec has no `data` statement" in finding.message
    with pytest.raises(VariantError, match="has no `data` statement"):
        choose(Source(text), 2)


def test_a_path_in_quotes_holds_any_character() -> None:
    text = swept('data.path "a;b" "#{c}"').replace("data digits", 'data folder "x"')
    assert not any(finding.name == "unknown-setting" for finding in check(text))
    assert 'data folder "#{c}"\n' in choose(Source(text), 2).text


def test_a_mistake_in_a_value_points_at_it_and_names_the_variant() -> None:
    text = swept("let.width 16 32; train.batch 16 0")
    (finding,) = check(text)
    assert text[slice(*finding.primary.span)] == "0"
    assert finding.message.endswith("(in 2 of 4 variants: train.batch=0)")
    assert finding.data["variants"] == (2, 4)


@pytest.mark.parametrize(
    ("lines", "where"),
    [
        ("let.width 16 15", "(in variant 2 of 2: let.width=15)"),
        ("let.width 16 15 17", "(in 2 of 3 variants: let.width=15 or 17)"),
        ("let.width 15; train.seed 1 2", "(in all 2 variants)"),
        ("let.width 15", "(in its variant: let.width=15)"),
    ],
)
def test_a_finding_in_the_spec_names_the_variants_that_have_it(lines: str, where: str) -> None:
    text = swept(lines).replace("maxpool 2 }", "maxpool 2; conv width g4 relu }")
    (finding,) = (finding for finding in check(text) if finding.name == "groups-do-not-divide")
    assert finding.message.endswith(where)
    assert text[slice(*finding.primary.span)] == "g4"


def test_a_finding_of_the_spec_and_all_variants_names_none() -> None:
    (finding,) = check(swept("train.seed 1 2").replace("relu; maxpool", "rellu; maxpool"))
    assert "variant" not in finding.message
    assert finding.fix is not None


def test_a_finding_that_no_variant_has_says_so() -> None:
    (finding,) = check(swept("train.optimizer.lr 1e-3 2e-3").replace("lr=1e-3", "lr=1"))
    assert finding.message.endswith("(only without the sweep)")


def test_rules_are_not_missed_in_a_variant_with_an_error() -> None:
    text = swept("let.width 16 15").replace("maxpool 2 }", "maxpool 2; conv width g4 relu }").replace("lr=1e-3", "lr=1")
    messages = {finding.name: finding.message for finding in check(text)}
    assert "variant" not in messages["high-learning-rate"]


def test_what_some_variant_uses_is_not_unused() -> None:
    text = swept("bottleneck.noise 0 width/100").replace("conv width", "conv 16")
    assert not [finding for finding in check(text) if finding.name == "unused-constant"]
    assert [finding.name for finding in check(swept("train.seed 1 2").replace("conv width", "conv 16"))] == [
        "unused-constant"
    ]


@pytest.mark.parametrize("comment", ["# cae: allow[high-learning-rate] to see where it breaks"])
def test_a_finding_at_a_value_is_allowed_there(comment: str) -> None:
    assert not check(swept(f"\n  train.optimizer.lr 1e-3 1  {comment}\n"))
    assert [finding.name for finding in check(swept(f"\n  train.seed 1 2  {comment}\n"))] == ["unused-allowance"]


def test_a_fix_is_checked_against_every_variant() -> None:
    text = swept("let.width 16 15").replace("maxpool 2 }", "maxpool 2; conv width g4 relu }")
    (finding,) = check(text)
    assert (finding.name, finding.fix) == ("groups-do-not-divide", None)


def test_a_fix_changes_the_swept_value() -> None:
    text = swept("train.schedule constant cosin")
    assert fix_source(Source(text)).source.text == swept("train.schedule constant cosine")


def test_a_spec_that_extends_another_may_sweep(tmp_path: Path) -> None:
    (tmp_path / "base.cae").write_text(swept("train.seed 1 2"))
    path = tmp_path / "wide.cae"
    path.write_text('autoencoder wide extends "base.cae"\nsweep { let.width 8 15.5 }\n')
    (finding,) = check(str(path))
    assert finding.path == str(tmp_path / "base.cae")
    assert "let.width=15.5" in finding.message
    assert load(str(path), variant=1).encoder[0].out_shape == (8, 16, 16)


@pytest.mark.parametrize(
    ("spec", "number", "message"),
    [
        (swept("let.width 8"), 2, "no variant 2"),
        (swept("let.width 8"), 0, "no variant 0"),
        (swept("let.wdth 8"), 1, "has errors in its `sweep`"),
        ("autoencoder a\nconv (", 1, "has errors"),
    ],
)
def test_a_variant_that_is_not_there(spec: str, number: int, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        choose(Source(spec), number)


def test_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.cae").write_text(swept("let.width 8 32").replace("data digits", "data digits limit=60"))
    assert main(["show", "a.cae"]) == 0
    captured = capsys.readouterr()
    assert "let.width  8 32" in captured.out and "conv 16" in captured.out
    assert "the sweep of a.cae, with 2 variants, is ignored" in captured.err
    assert main(["show", "a.cae", "--variant", "2"]) == 0
    captured = capsys.readouterr()
    assert "conv 32" in captured.out and "sweep" not in captured.out + captured.err
    assert main(["emit", "a.cae", "--variant", "2"]) == 0
    assert "Conv2d(1, 32" in capsys.readouterr().out
    assert main(["graph", "a.cae", "-o", "a.svg", "--variant", "1"]) == 0
    assert main(["train", "a.cae"]) == 2
    refused = capsys.readouterr().err
    assert "--variant 1  let.width=8" in refused and "--variant 2  let.width=32" in refused
    with pytest.raises(ValueError, match="sweep of 2 variants"):
        caedsl.train("a.cae")


def test_a_run_of_a_variant_keeps_a_spec_without_sweep(tmp_path: Path) -> None:
    path = tmp_path / "a.cae"
    path.write_text(
        swept("let.width 4 6").replace("data digits", "data digits limit=60").replace("epochs 40", "epochs 1")
    )
    assert main(["train", str(path), "--variant", "2", "--out", str(tmp_path / "run"), "--quiet"]) == 0
    kept = (tmp_path / "run" / "spec.cae").read_text()
    assert "let width = 6" in kept and "sweep" not in kept


def test_errors_of_a_variant_stop_those_who_build() -> None:
    with pytest.raises(SpecError):
        load(swept("train.batch 0 1"))


@settings(max_examples=8)
@given(swept_texts())
def test_variants_of_any_spec(text: str) -> None:
    source = Source(text)
    checked = check_source(source)
    assert not checked.failures
    formatted, _ = format_source(source)
    assert formatted is not None
    names = [
        sorted((finding.name, finding.message) for finding in examine(each).findings)
        for each in (source, Source(formatted))
    ]
    assert names[0] == names[1]
    model = checked.model
    if model is None or model.sweep is None:
        return
    assert 1 <= model.sweep.variants <= MOST_VARIANTS
    assert {number for f in checked.findings for number in f.data.get("variants", ())} <= set(  # type: ignore[union-attr]
        range(1, model.sweep.variants + 1)
    )
    _check_variants(source, model)


def _check_variants(source: Source, model: Autoencoder) -> None:
    assert model.sweep is not None
    spec, _ = parse(source)
    for number in {1, model.sweep.variants}:
        one = variant(source, spec, model.sweep, number)
        parsed, faults = parse(one.source)
        assert not faults and parsed == one.whole
        assert choose(source, number).text == one.source.text
        origins = one.origins(parsed)
        swept_words = {value.text for value in model.sweep.values(number).values()}
        for statement in parsed.walk():
            for item in statement.items:
                place = origins.locate(item.span)
                written = source.slice(place.span)
                if place.span.start == place.span.end:
                    continue  # the word of a default, which no one has written
                words = one.source.slice(item.span)
                assert written == words or swept_words & {part.strip() for part in words.split("=")}


@given(st.data())
def test_any_text_behind_the_word_is_answered(data: st.DataObject) -> None:
    words = st.sampled_from(
        ["let.width", "train.batch", "8", "32", "1..9", "log", "x3", "width", '"a"', "1x2", "=", ";", "-", "*"]
    )
    check(swept(" ".join(data.draw(st.lists(words, max_size=6)))))


@pytest.mark.parametrize("lines", ["let.width 1..1000000000 x1000000000", "nosuch.name 1 2", "let.width 1..2 x0"])
def test_a_sweep_that_cannot_be_read_is_not_reported_as_missing(lines: str) -> None:
    with pytest.raises(VariantError, match="has errors in its `sweep`"):
        choose(Source(swept(lines), "a.cae"), 1)


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_sweep_that_is_never_closed_is_a_syntax_error(cut: int) -> None:
    assert check(swept("let.width 8 32").rstrip()[:-cut])


def test_one_rule_at_several_values_is_one_finding() -> None:
    text = swept("train.optimizer.lr 1e-3 1 2 3")
    (finding,) = check(text)
    assert finding.name == "high-learning-rate"
    assert finding.message.endswith("(in 3 of 4 variants: train.optimizer.lr=1 or 2 or 3)")
    assert [text[slice(*label.span)] for label in (finding.primary, *finding.related)] == ["1", "2", "3"]
    assert finding.fix is None
