"""A layer under another library's name, or with marks before it, is one finding."""

import pytest

from tests.resolve.one_mistake.cases import errors, hold_one_finding, in_encoder

LINES = [
    ("max pool 2", "maxpool"),
    ("BatchNormalization", "norm=batch"),
    ("Flatten", "dense"),
    ("LeakyReLU 0.1", "leaky_relu"),
    ("avg pool 2", "avgpool"),
    ("x = conv 8", "`conv 8`"),
    ("softmax", "sigmoid"),
    ("conv_transpose 8", "deconv"),
    ("sepconv 8", "depthwise"),
    ("depthwise_conv 8", "depthwise"),
    ("resblock 8", "residual {"),
    ("res 8", "residual {"),
    ("downsample 2", "maxpool 2"),
    ("resize 14x14", "upsample to"),
    ("identity", "remove this line"),
    ("linear", "remove this line"),
    ("PReLU", "prelu"),
    ("permute", "remove this line"),
    ("noise 0.1", "corrupt gaussian=0.1"),
    ("skip", "concat"),
    ("leaky relu 0.1", "leaky_relu"),
    ("up sample 2", "upsample"),
    ("mean_pool 2", "avgpool"),
    ("pool 2", "avgpool 2"),
    ("activation relu", "`relu`"),
    ("sequential { conv 8 }", "stage down {"),
    ("loop 3 { conv 8 }", "repeat 3 {"),
    ("bilinear 2", "upsample 2 bilinear"),
    ("Cropping2D", "`crop 1`"),
    ("ZeroPadding2D", "`pad 1`"),
    ("MaxPooling2D", "`maxpool 2`"),
    ("Dropout", "`dropout 10%`"),
    ("Conv2D relu", "conv"),
    ("AdaptiveAvgPool2d 1; reshape 8x1x1", "`globalpool`"),
    ("glu", "`silu`"),
    ("Conv1D 8", "a signal: `input 1x64`"),
    ("conv3d 8 relu", "a volume: `input 1x64x64x64`"),
    ("3x conv 8", "`conv 8 x3`"),
    ("GlobalMaxPooling2D; reshape 8x1x1", "`globalpool`"),
    ("layers: [32, 64]", "`conv 32 relu`, `conv 64 relu`"),
    ("layers: [conv 8, relu]", "`conv 8`, `relu`"),
    ("hidden_layers = [32, 64]", "`conv 32 relu`, `conv 64 relu`"),
    ("1. conv 8 relu", "`conv 8 relu`"),
    ("layer1: conv 8 relu", "`conv 8 relu`"),
    ("16 conv k3 relu", "`conv 16 k3 relu`"),
    ("batch norm", "norm=batch"),
    ("norm", "`norm batch`"),
]
HARMFUL = ["conv_transpose 8", "sepconv 8", "softmax", "res 8", "conv 8 softmax", "pool 2"]
"""Words that lie near another word of the language, which means something else."""


@pytest.mark.parametrize(("line", "shown"), LINES)
def test_a_word_for_a_layer_is_one_finding(line: str, shown: str) -> None:
    hold_one_finding(in_encoder(line), shown)


@pytest.mark.parametrize("line", HARMFUL)
def test_no_fix_writes_another_layer_than_the_author_meant(line: str) -> None:
    (finding,) = errors(in_encoder(line))
    assert finding.fix is None or finding.fix.edits[0].text == "deconv"
