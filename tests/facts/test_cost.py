"""Receptive fields and memory compared with figures computed by hand.

Other tests compare parameters and MACs with torch.
"""

import pytest

from caedsl.api import load
from caedsl.facts.cost import total_parameters, training_memory
from caedsl.facts.receptive_field import code_field


def field(encoder: str, bottleneck: str = "") -> tuple[int, int]:
    model = load(f"autoencoder a\ninput 1x64x48\nencoder {{ {encoder} }}\nbottleneck {bottleneck}\ndecoder mirror")
    return tuple(code_field(model))


@pytest.mark.parametrize(
    ("encoder", "expected"),
    [
        ("conv 4 k1", (1, 1)),
        ("conv 4", (3, 3)),
        ("conv 4 x3", (7, 7)),
        ("conv 4; maxpool 2; conv 4", (8, 8)),  # 3, then 3 + 1, then 4 + 2·2
        ("conv 4 s2; conv 4 s2", (7, 7)),  # 3, then 3 + 2·2
        ("conv 4 d2", (5, 5)),
        ("conv 4 k5x3", (5, 3)),
        ("conv 4 s2; upsample 2; conv 4", (5, 5)),  # 3, then a jump of 2/2 = 1: 3 + 2
        ("residual { conv 4; conv 4 }", (5, 5)),
        ("dense 8", (64, 48)),
    ],
)
def test_receptive_field(encoder: str, expected: tuple[int, int]) -> None:
    assert field(encoder) == expected


def test_a_dense_code_sees_everything() -> None:
    assert field("conv 4", "dense 3") == (64, 48)


def test_memory_of_a_training_step() -> None:
    model = load(
        "autoencoder a\ninput 1x4x4\ndata digits\nencoder { conv 2 }\nbottleneck\ndecoder { conv 1 }\ntrain { batch 10 }"
    )
    parameters = (1 * 9 * 2 + 2) + (2 * 9 * 1 + 1)
    assert total_parameters(model) == parameters
    outputs = 16 + 2 * 16 + 16
    assert training_memory(model) == 4 * (parameters * 4 + 2 * 10 * outputs)  # weight, gradient, two states of adam
