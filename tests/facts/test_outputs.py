"""Unreachable outputs: exact shares for known distributions."""

import pytest

from caedsl.facts.outputs import code_layer, output_layer, unreachable, wasted_range
from tests.resolve.written import model


def share(limits: str, output: str, data: str = "") -> float:
    missed = unreachable(model(f"input 1x28x28 in {limits}\n{data}\ndecoder {{ upsample 2; conv 1 {output} }}"))
    return 0.0 if missed is None else missed.share


@pytest.mark.parametrize(
    ("limits", "output", "expected"),
    [
        # 12 times the mean square of what is cut off, in units of the width: 12 · (1/2)³ / 3.
        ("-1..1", "sigmoid", 0.5),
        ("-2..2", "tanh", 2 * 12 * (1 / 4) ** 3 / 3),
        ("0..255", "sigmoid", 12 * (254 / 255) ** 3 / 3),
        ("2..3", "sigmoid", 12 * (2**3 - 1) / 3),
        ("0..1", "sigmoid", 0),
        ("0..1", "linear", 0),
    ],
)
def test_values_spread_evenly(limits: str, output: str, expected: float) -> None:
    assert share(limits, output) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("data", "expected"), [("mnist", 3.08), ("fashion_mnist", 1.64)])
def test_the_floors_of_measured_sets(data: str, expected: float) -> None:
    assert share("-1..1", "sigmoid", f"data {data}") == pytest.approx(expected, rel=0.02)


def test_standard_normal_values() -> None:
    # Half of the variance is below 0, and E[(x - 1)²; x > 1] = 0.0752.
    assert share("real", "relu") == pytest.approx(0.5, abs=1e-3)
    assert share("real", "sigmoid") == pytest.approx(0.5752, abs=1e-3)


@pytest.mark.parametrize("limits", ["0..1e-200", "-1e37..1e37", "1..1.00000000000000000001"])
def test_extreme_ranges_are_answered(limits: str) -> None:
    assert share(limits, "sigmoid") >= 0


def test_the_layers_that_give_values_are_found_behind_what_passes_them_on() -> None:
    found = model(
        "encoder { stage in { conv 8 tanh }; maxpool 2; dropout 10% }\nbottleneck\ndecoder { upsample 2; conv 1 sigmoid }"
    )
    code, output = code_layer(found), output_layer(found)
    assert code is not None
    assert output is not None
    assert (str(code.activation), str(output.activation)) == ("tanh", "sigmoid")


def test_half_of_tanh_is_wasted_on_positive_images() -> None:
    assert wasted_range(model("decoder { upsample 2; conv 1 tanh }")) == 0.5
    assert wasted_range(model("decoder { upsample 2; conv 1 sigmoid }")) == 0
