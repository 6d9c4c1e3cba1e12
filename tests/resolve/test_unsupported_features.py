"""Features outside the language are reported as such, with the closest alternative."""

import pytest

from caedsl.api import check
from caedsl.diagnostics import foreign_layers, foreign_words
from caedsl.diagnostics.outside import outside
from caedsl.vocabulary.activations import FUNCTIONS
from caedsl.vocabulary.bottlenecks import BY_NAME
from caedsl.vocabulary.layers import KINDS
from caedsl.vocabulary.losses import LOSSES

SPEC = """autoencoder a
input 1x16x16
{statement}
encoder {{ conv 8 relu; {layer}; maxpool 2 }}
bottleneck {code}
decoder mirror
train {{ loss {loss} }}
"""
PLAIN = {"statement": "", "layer": "conv 8 relu", "code": "dense 8", "loss": "mse"}


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"loss": "mse + 0.1 adversarial"}, "an adversarial loss"),
        ({"loss": "GANLoss"}, "an adversarial loss"),
        ({"statement": "discriminator { conv 8 }"}, "an adversarial loss"),
        ({"loss": "mse + 0.1 lpips"}, "a perceptual loss"),
        ({"statement": "teacher { conv 8 }"}, "a second network"),
        ({"layer": "shared 8"}, "shared weights"),
        ({"layer": "lstm 16"}, "a recurrent layer"),
        ({"layer": "ConvLSTM2D 16"}, "a recurrent layer"),
        ({"layer": "patch_embed 16"}, "patch tokens"),
        ({"layer": "TransformerEncoder 4"}, "patch tokens"),
        ({"code": "hyperprior 8"}, "a learned entropy model"),
    ],
)
def test_what_the_language_leaves_out_is_named(changed: dict[str, str], what: str) -> None:
    (error,) = [found for found in check(SPEC.format(**PLAIN | changed)) if found.severity.value == "error"]
    assert f"asks for {what}, which this language does not have" in error.message
    assert error.help is not None and "`caedsl emit --training`" in error.help


@pytest.mark.parametrize(
    ("written", "instead", "words"),
    [
        ("decoder mirror", "decoder mirror tied", "each layer has its own weights"),
        ("decoder mirror", "decoder mirror tie_weights=on", "each layer has its own weights"),
        ("decoder mirror", "decoder tied", "whose layers have weights of their own"),
        ("conv 8 relu;", "conv 8 relu shared=first;", "each layer has its own weights"),
        ("conv 8 relu;", "conv 8 relu lr=1e-4;", "write `optimizer adam lr=1e-3` in `train`"),
        ("data mnist", "data mnist binarize=0.5", "save binarised ones"),
        ("data mnist", "data mnist normalize=binary", "save binarised ones"),
        ("loss mse", "augment binarize", "save binarised ones"),
        ("dense 8", "{ dense 8; quantized 64x8 }", "write `bottleneck quantized 512x64`"),
        ("conv 8 relu;", "variational 8;", "write `bottleneck variational 32`"),
        ("conv 8 relu;", "mul fine;", "`multiply gate`"),
    ],
)
def test_what_a_line_cannot_ask_for_is_explained(written: str, instead: str, words: str) -> None:
    text = SPEC.format(**PLAIN | {"statement": "data mnist"})
    assert written in text
    (error,) = [found for found in check(text.replace(written, instead, 1)) if found.severity.value == "error"]
    assert error.help is not None and words in error.help


def test_no_word_of_this_language_or_of_another_is_taken_for_such_a_thing() -> None:
    tables = (foreign_layers.LAYERS, foreign_layers.LAYER_NOTES, foreign_words.LOSSES, foreign_words.LOSS_NOTES)
    known = {*KINDS, *FUNCTIONS, *LOSSES, *BY_NAME, *foreign_words.STATEMENTS, *(word for t in tables for word in t)}
    assert [word for word in known if outside(word)] == []
