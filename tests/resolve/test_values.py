"""Numbers, units, constants and arithmetic, wherever a number may occur."""

import pytest

from caedsl.api import SpecError, load
from caedsl.diagnostics import Severity
from caedsl.facts.settings_text import settings_lines
from caedsl.model.settings import settled
from caedsl.vocabulary.kernel_options import BIAS
from caedsl.vocabulary.window import KERNEL


def channels(value: str, lets: str = "") -> int:
    model = load(f"autoencoder a\ninput 1x8x8\n{lets}\nencoder {{ conv {value} relu }}\nbottleneck\ndecoder mirror")
    return model.encoder[0].out_shape[0]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("8", 8),
        ("1k", 1000),
        ("w", 6),
        ("w*2", 12),
        ("w/2", 3),
        ("w + 2", 8),
        ("w - 2", 4),
        ("(w + 2)*3", 24),
        ("2*(w - (3 + 1))", 4),
        ("1e1", 10),
        ("half*4", 2),
    ],
)
def test_numbers(value: str, expected: int) -> None:
    assert channels(value, "let w = 3*2\nlet half = .5") == expected


@pytest.mark.parametrize("value", ["w/4", "1.5", "10%", "3s", "w/0", "0", "0 - 3", "2M", "12abc", "v", "1e400"])
def test_numbers_that_are_none(value: str) -> None:
    with pytest.raises(SpecError):
        channels(value, "let w = 6")


def test_decimal_fractions_are_exact() -> None:
    assert channels("a*10", "let a = 0.1 + 0.2") == 3


def test_settings_with_units() -> None:
    model = load(
        "autoencoder a\ninput 1x8x8\ndata digits\nencoder { conv 4 }\nbottleneck\ndecoder mirror\n"
        "train { validation 20%; stop patience=3 after=1.5h; schedule cosine warmup=5%; corrupt masking=10% }"
    )
    assert model.train is not None
    assert model.train.validation == 0.2
    assert model.train.stop.after == 5400
    assert model.train.schedule.warmup == 0.05
    assert model.train.corrupt.amounts() == {"masking": 0.1}


def test_an_amount_of_each_sample_is_drawn_from_a_range() -> None:
    model = load(
        "autoencoder a\ninput 1x8x8\ndata digits\nlet most = 50\nencoder { conv 4 }\nbottleneck\ndecoder mirror\n"
        "train { corrupt gaussian=0..most/255 masking=10%..0.3 hole=20% }"
    )
    assert model.train is not None
    assert model.train.corrupt.amounts() == {"gaussian": (0, 50 / 255), "masking": (0.1, 0.3), "hole": 0.2}
    (shown,) = (text for name, text, _ in settings_lines(model) if name == "corrupt")
    assert shown == "gaussian=0..0.196078 masking=10%..30% hole=20%"


def test_defaults_hold_for_the_layers_below_them() -> None:
    model = load(
        "autoencoder a\ninput 1x8x8\ndefaults conv k5 relu norm=batch\nencoder { conv 4; conv 4 k3 tanh norm=none }\n"
        "bottleneck conv 2\ndefaults conv k1\ndecoder { conv 4; conv 1 sigmoid norm=none }"
    )
    first, second = model.encoder
    assert (first.options[KERNEL], first.activation.name, first.options[BIAS]) == ((5, 5), "relu", False)
    assert (second.options[KERNEL], second.activation.name, second.options[BIAS]) == (
        (3, 3),
        "tanh",
        True,
    )
    assert model.bottleneck.layers[0].activation.name == "linear"
    assert model.decoder[0].options[KERNEL] == (1, 1)
    assert model.decoder[0].activation.name == "relu"


def setting(text: str) -> object:
    model = load(
        f"autoencoder a\ninput 1x8x8\nencoder {{ conv 8 relu }}\nbottleneck\ndecoder mirror\ntrain {{ {text} }}"
    )
    assert model.train is not None
    return model.train


def test_numbers_that_are_left_to_be_found() -> None:
    train = setting("batch auto; optimizer sgd momentum=0.9 lr=auto")
    assert (train.batch, train.optimizer.lr) == ("auto", "auto")  # type: ignore[attr-defined]
    assert settled(train) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["epochs auto", "seed auto", "ema auto", "optimizer adam weight_decay=auto", "stop after=auto"]
)
def test_other_numbers_are_the_authors(text: str) -> None:
    with pytest.raises(SpecError, match=r"only `batch`, `threads` and the `lr` of an optimizer") as error:
        setting(text)
    assert len([finding for finding in error.value.findings if finding.severity is Severity.ERROR]) == 1


@pytest.mark.parametrize("text", ["batch atuo", "optimizer adam lr=aut"])
def test_misspelt_auto(text: str) -> None:
    with pytest.raises(SpecError, match="did you mean `auto`"):
        setting(text)
