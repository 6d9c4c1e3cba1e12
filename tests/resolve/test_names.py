"""Constants and defaults: units, names, scope, and unused ones."""

import pytest

from caedsl.api import check, load
from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine.fixing import fix_source
from caedsl.source import Source
from caedsl.vocabulary.spelling import line


def spec(
    lets: str = "", encoder: str = "conv 8 s2 relu", bottleneck: str = "", decoder: str = "mirror", train: str = ""
) -> str:
    training = f"data digits\ntrain {{ {train} }}\n" if train else ""
    return (
        f"autoencoder a\ninput 1x8x8\n{lets}\nencoder {{ {encoder} }}\n"
        f"bottleneck {bottleneck}\ndecoder {decoder}\n{training}"
    )


def errors(text: str) -> list[str]:
    return [finding.message for finding in check(text) if finding.severity is Severity.ERROR]


@pytest.mark.parametrize(
    ("lets", "train", "message"),
    [
        ("let t = 30min", "epochs t", "`epochs` must be a whole number, not `t`, which is 1800s"),
        ("let p = 10%", "optimizer adam lr=p", "`lr` must be a number, not `p`, which is 10%"),
        ("let t = 30min", "stop after=t*t", "`t*t` is a duration * a duration, which has no meaning"),
        ("let t = 30min", "stop after=t + 1", "`t + 1` is a duration + a number, which has no meaning"),
        ("let p = 10%", "validation p + 1", "`p + 1` is a share + a number, which has no meaning"),
    ],
)
def test_constants_keep_their_units(lets: str, train: str, message: str) -> None:
    assert errors(spec(lets, train=train)) == [message]


def test_units_are_computed() -> None:
    lets = "let t = 30min\nlet p = 10%\nlet n = 40"
    train = load(spec(lets, train="stop after=t*2 + t/2; validation p*2; epochs n*p; batch t/1min + 2")).train
    assert train is not None
    assert (train.stop.after, train.validation, train.epochs, train.batch) == (4500.0, 0.2, 4, 32)


@pytest.mark.parametrize(
    "name", ["mse", "dense", "auto", "relu", "batch", "conv", "k3", "same", "real", "cosine", "in", "x2"]
)
def test_no_constant_has_the_name_of_a_word(name: str) -> None:
    found = errors(spec(f"let {name} = 5", bottleneck="dense 8", train="loss mse; epochs 5"))
    assert found == [f"`{name}` is a word of the language, so it cannot name a constant"]


@pytest.mark.parametrize("name", ["lr", "width", "k", "channels", "w1"])
def test_other_names_are_free(name: str) -> None:
    assert errors(spec(f"let {name} = 8", encoder=f"conv {name} s2 relu")) == []


@pytest.mark.parametrize("lets", ["let w = 3q", "let w = 1/0", "let w 8", "let w = v", ""])
def test_a_constant_without_a_value_is_one_finding(lets: str) -> None:
    assert len(errors(spec(lets, encoder="conv w relu; conv w*2 s2 relu; conv w"))) == 1


def test_dense_defaults_reach_the_bottleneck() -> None:
    model = load(spec("defaults dense init=orthogonal", bottleneck="dense 4"))
    assert line(model.bottleneck.layers[0]) == "dense 4 init=orthogonal"
    assert line(load(spec("defaults conv relu", bottleneck="conv 4")).bottleneck.layers[0]) == "conv 4 k1"


@pytest.mark.parametrize(
    "lets",
    [
        "defaults deconv k5",
        "defaults dense init=he",
        "defaults conv relu",
        "defaults conv k5\ndefaults conv k1",
        "let w = 3",
        "let w = 3\nlet v = w+1; let u = v*w",
        "let w = 3; let v = 2\nlet u = v + w*v",
    ],
)
def test_what_nothing_uses_is_found_and_removed(lets: str) -> None:
    text = spec(lets)
    found = [finding for finding in check(text) if finding.name in ("unused-default", "unused-constant")]
    assert len(found) == 1
    fixed = fix_source(Source(text)).checked
    assert fixed.source.text in (text.replace(f"{lets}\n", ""), text.replace("defaults conv k5\n", ""))


@pytest.mark.parametrize(
    ("lets", "found"),
    [
        ("let u = 1; let v = u; let w = u", {"v": [], "w": []}),
        ("let u = 1; let v = u; let w = v + u; let x = u", {"w": ["v"], "x": []}),
        ("let v = a; let w = v + a", {"w": ["v"]}),
    ],
)
def test_constants_that_only_an_unused_one_uses_belong_to_it(lets: str, found: dict[str, list[str]]) -> None:
    """`a` has a use of its own; what several unused ones use goes after them."""
    text = spec(f"let a = 1\n{lets}", encoder="conv a*8 s2 relu")
    unused = [finding for finding in check(text) if finding.name == "unused-constant"]
    constants = {
        text[slice(*finding.primary.span)]: [text[slice(*label.span)] for label in finding.related]
        for finding in unused
    }
    assert constants == found
    assert fix_source(Source(text)).source.text == spec("let a = 1", encoder="conv a*8 s2 relu")


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("let a = 1; let b = 2; let c = 3", "let a = 1; let c = 3"),
        ("let a = 1; let b = 2", "let a = 1"),
        ("let b = 2; let a = 1", "let a = 1"),
        ("let b = 2  # why\nlet a = 1", "# why\nlet a = 1"),
    ],
)
def test_only_the_statement_is_removed(text: str, after: str) -> None:
    uses = "conv a*4 s2 relu" + ("; conv c" if "let c" in text else "")
    assert fix_source(Source(spec(text, encoder=uses))).checked.source.text == spec(after, encoder=uses)


def test_after_an_error_nothing_is_called_unused() -> None:
    names = [finding.name for finding in check(spec("let width = 8\ndefaults conv k5", encoder="cnov widht relu"))]
    assert "unused-constant" not in names
    assert "unused-default" not in names
