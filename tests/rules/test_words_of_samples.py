"""Findings about signals and volumes say so, and never speak of images."""

import re

import pytest

from caedsl import check
from caedsl.diagnostics.finding import Finding
from caedsl.rules.engine.wording import in_words_of

END = "train { loss mse; optimizer sgd lr=1e-6; batch 8; epochs 1 }"
SPECS = [
    "data npy 'x.npy'; encoder { conv 8 relu }; bottleneck; decoder mirror",
    "data npy 'x.npy'; encoder { conv 8 relu; maxpool 2; conv 8 relu }; bottleneck; decoder { upsample 2; conv 1 relu }",
    "data npy 'x.npy'; encoder { conv 8 s2 relu }; bottleneck dense 4; decoder { deconv 8 s2; conv 1 tanh norm=batch }",
    "encoder { conv 8 init=normal std=1e-6 relu x6; maxpool 2 }; bottleneck dense 4 relu; decoder mirror output=tanh",
    "encoder { conv 8 init=normal std=90 relu x9; maxpool 2 }; bottleneck dense 4; decoder mirror",
]


def texts(found: Finding) -> str:
    return "\n".join([found.explanation, found.help, *(label.text for label in found.related)])


@pytest.mark.parametrize("shape", ["1x32", "1x8x8x8"])
@pytest.mark.parametrize("spec", SPECS)
def test_no_finding_mentions_images(spec: str, shape: str) -> None:
    spec = spec.replace("'", '"')
    findings = check(f"autoencoder a; input {shape}; {spec}; {END}")
    assert findings
    for found in findings:
        assert not re.search(r"\b(images?|pixels?)\b", texts(found)), texts(found)


def test_the_words_outside_of_quotes_are_replaced() -> None:
    text = 'an image of 9 pixel values, or images with pixels: `in images`, "pixels/", imagenet'
    found = next(iter(check("autoencoder a; input 1x9x9; encoder { conv 4 }; bottleneck; decoder mirror")))
    assert in_words_of((1, 9), found.rephrased(lambda _: text)).message == (
        'a signal of 9 values, or signals with values: `in images`, "pixels/", imagenet'
    )
    assert in_words_of((1, 9, 9), found) is found


def test_a_dataset_of_images_is_still_called_that() -> None:
    (found,) = [
        each
        for each in check("autoencoder a; input 1x64; data mnist; encoder { conv 4 s2 }; bottleneck; decoder mirror")
        if each.name == "data-rank"
    ]
    assert "image" in texts(found)
