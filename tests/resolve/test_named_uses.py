"""Names for what a block returns: `down 8 as fine`."""

import pytest
import torch
from torch.nn import functional

from caedsl import build, check
from tests.resolve.written import model

UNET = """block down width {{ conv width relu; conv width relu{} }}
encoder {{ {}; maxpool 2 }}
bottleneck conv 4
decoder {{ upsample 2; concat fine; conv 1 sigmoid }}
"""


@pytest.mark.parametrize("use", ["down 8 as fine", "down 8 x2 as fine", "stage s { down 8 as fine }"])
def test_the_use_of_a_block_names_its_last_layer(use: str) -> None:
    spec = model(UNET.format("", use))
    module, x = build(spec).eval(), torch.rand(2, 1, 28, 28)
    fine = module.encoder[:-1](x)
    code = module.bottleneck(functional.max_pool2d(fine, 2))
    joined = torch.cat((functional.interpolate(code, scale_factor=2), fine), dim=1)
    torch.testing.assert_close(module(x), module.decoder[1:](joined))


def test_a_pool_at_the_end_of_a_block_is_named_by_its_use() -> None:
    blocks = "block down width { conv width; maxpool 2 }\nencoder { down 4 as small; conv 4; add small }"
    spec = model(f"{blocks}\nbottleneck conv 4\ndecoder mirror upsample=unpool")
    assert build(spec)(torch.rand(2, 1, 28, 28)).shape == (2, 1, 28, 28)


@pytest.mark.parametrize(
    ("ending", "use", "message"),
    [
        ("", "down 8 as fine; down 8 as fine", "`fine` names two outputs"),
        (" as own", "down 8 as fine", "`fine` is a second name of the output that the block names `own`"),
        (
            " as last }\nblock deeper { down 8",
            "deeper as fine",
            "`fine` is a second name of the output that the block names `last`",
        ),
        ("", "down 8 as", "`as` is not followed by a name"),
        ("", "repeat 2 { down 8 as fine }", "`fine` names several outputs"),
    ],
)
def test_a_wrong_name_of_a_use_is_one_finding(ending: str, use: str, message: str) -> None:
    found = check(f"autoencoder a\ninput 1x28x28\n{UNET.format(ending, use)}")
    errors = [each.message for each in found if each.severity.value == "error"]
    assert [each.startswith(message) for each in errors] == [True], errors


def test_a_name_that_nothing_reads_is_reported_at_the_use() -> None:
    text = f"autoencoder a\ninput 1x28x28\n{UNET.format('', 'down 8 as fine; down 8 as other')}"
    (found,) = (each for each in check(text) if each.name == "unused-output")
    assert found.message == "no line reads the output `other`"
    assert text[found.primary.span.start : found.primary.span.end] == "as other"
