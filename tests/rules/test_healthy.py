"""Healthy specs, shipped and published, bring no error and no warning that their author would call wrong."""

import pytest

from caedsl.diagnostics import Severity
from caedsl.rules.engine.checking import check_source
from caedsl.source import Source
from tests.published import SPECS

RIGHTLY_WARNED = {
    # Their codes have at least as many numbers as the image, which is the point of the article's models.
    "mnist_pitfalls": {"overcomplete"},
    "mnist_wide": {"overcomplete"},
    "mnist_l2": {"overcomplete"},
    "flagship": {"overcomplete"},
    "keras_io": {"overcomplete"},
}
FAMILIES = tuple(f"CAE{family}" for family in range(1, 10))


@pytest.mark.parametrize("name", SPECS)
def test_nothing_wrong_is_reported_of_a_healthy_spec(name: str) -> None:
    findings = check_source(Source(SPECS[name], f"{name}.cae")).findings
    serious = {f.name for f in findings if f.severity is not Severity.INFO and f.code.startswith(FAMILIES)}
    assert serious <= RIGHTLY_WARNED.get(name, set())


SUSPICIOUS = {
    "code to plot": "data mnist\nencoder { conv 16 relu x2; maxpool 2; conv 16 relu; maxpool 2 }\nbottleneck dense 2",
    "lone valid convolution": "encoder { conv 16 relu; maxpool 2; conv 8 relu; maxpool 2; conv 8 relu; maxpool 2 ceil }\n"
    "bottleneck 8x4x4\ndecoder { conv 8 relu; upsample 2; conv 8 relu; upsample 2; conv 16 relu pad=valid; upsample 2; "
    "conv 1 sigmoid }",
    "raw pixels, linear output, adam": "input 1x28x28 in 0..255\ndata mnist\nencoder { conv 16 relu; maxpool 2 }\n"
    "decoder mirror output=linear\ntrain { optimizer adam lr=1e-3 }",
    "overcomplete denoiser": "data mnist\nencoder { conv 32 relu x2; maxpool 2; conv 32 relu }\nbottleneck\n"
    "train { corrupt gaussian=0.4 }",
    "cross-entropy on grey pixels": "data fashion_mnist\ntrain { loss bce }",
    "light decoder": "encoder { conv 32 relu; maxpool 2; conv 64 relu; maxpool 2 }\n"
    "decoder { conv 8 relu; upsample 2; conv 8 relu; upsample 2; conv 1 sigmoid }",
    "400 to 1": 'input 3x64x64\ndata folder "photos/"\nencoder { conv 16 k4 s2 relu; conv 32 k4 s2 relu }\nbottleneck dense 30',
    "kernel 3, stride 2, smoothed": "encoder { conv 16 relu; conv 16 s2 relu }",
    "transposed start from one pixel": "encoder { conv 16 k4 s2 relu; conv 32 k4 s2 relu; dense 32 relu }\nbottleneck dense 16\n"
    "decoder { dense 32 relu; reshape 32x1x1; deconv 32 k7 pad=valid relu; deconv 16 k4 s2 relu; deconv 1 k4 s2 sigmoid }",
    "colour": "input 3x32x32\ndata cifar10\nencoder { conv 32 relu; maxpool 2; conv 64 relu; maxpool 2 }\nbottleneck dense 128",
    "grey colours": "input 1x32x32\ndata cifar10 gray",
    "enlarged stand-in": "data mnist else digits",
    "tanh on 0..1": "decoder mirror output=tanh",
    "summed loss with adam": "data mnist\ntrain { loss mse reduction=sum; optimizer adam lr=1e-3 }",
    "the best rate of the pilot": "data mnist\ntrain { optimizer adam lr=0.03 }",
    "sigmoid and squared error": "data mnist\ntrain { loss mse }\ndecoder mirror output=sigmoid",
    "no hidden activation": "encoder { conv 16 k4 s2; conv 32 k4 s2 }",
    "long run of adamw": "data mnist\ntrain { optimizer adamw lr=1e-3 weight_decay=0.01; epochs 1000 }",
    "batch normalisation with decay": "data mnist\ndefaults conv relu norm=batch\n"
    "train { optimizer adam lr=1e-3 weight_decay=1e-3 }",
}


@pytest.mark.parametrize("name", SUSPICIOUS)
def test_what_only_looks_suspicious_is_not_warned_of(name: str) -> None:
    from tests.rules.fragments import checked

    findings = checked(SUSPICIOUS[name]).findings
    assert not [f.message for f in findings if f.severity is not Severity.INFO and f.code.startswith(FAMILIES)]
