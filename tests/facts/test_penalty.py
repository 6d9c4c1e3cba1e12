"""The minimum cost of L2 penalties."""

import pytest

from caedsl.facts.penalty import L2Cost, l2_cost
from tests.resolve.written import model


def cost(
    encoder: str, decoder: str, settings: str = "optimizer adam lr=1e-3", bottleneck: str = "bottleneck"
) -> L2Cost:
    text = f"data mnist\nencoder {{ {encoder} }}\n{bottleneck}\ndecoder {{ {decoder} }}\ntrain {{ {settings} }}"
    found = l2_cost(model(text))
    assert found is not None
    return found


def test_equal_penalties_cost_their_sum() -> None:
    found = cost("conv 8 relu l2=1e-3; maxpool 2", "upsample 2; conv 1 sigmoid l2=1e-3")
    assert found.cost == pytest.approx(2e-3)
    assert found.share == pytest.approx(2e-3 / 0.0673)


def test_unequal_ones_cost_their_geometric_mean() -> None:
    found = cost("conv 8 relu l2=1e-2; maxpool 2", "upsample 2; conv 1 sigmoid l2=1e-4")
    assert found.cost == pytest.approx(2e-3)


def test_a_dense_layer_costs_twice_what_gets_through() -> None:
    found = cost("conv 8 relu; maxpool 2", "upsample 2; conv 1 sigmoid", bottleneck="bottleneck dense 8 l2=1e-3")
    assert found.cost == pytest.approx(2 * 1e-3 * 16 / 100**0.5)


def test_weight_decay_is_half_a_penalty_on_everything() -> None:
    decayed = cost("conv 8 relu; maxpool 2", "upsample 2; conv 1 sigmoid", "optimizer adam lr=1e-3 weight_decay=2e-3")
    assert decayed.cost == pytest.approx(2e-3)


def test_a_layer_without_penalty_compensates_as_far_as_its_weights_can_change() -> None:
    def freed(lr: str) -> float:
        return cost("conv 8 relu l2=1e-3; maxpool 2", "upsample 2; conv 1 sigmoid", f"optimizer adam lr={lr}").cost

    assert freed("1e-3") == pytest.approx(1e-3 / 100)
    assert freed("1e-3") < freed("1e-6") < 1e-3


def test_only_what_follows_the_last_normalisation_counts() -> None:
    found = cost("conv 8 relu l2=1; maxpool 2", "upsample 2; conv 8 relu norm=batch l2=1; conv 1 sigmoid l2=1e-3")
    assert [layer.kind.name for layer, _ in found.layers] == ["conv"]
    assert found.cost == pytest.approx(1e-5)


def test_residuals_can_be_passed_by() -> None:
    found = cost("conv 8 relu l2=1e-3; residual { conv 8 relu l2=1 }; maxpool 2", "upsample 2; conv 1 sigmoid l2=1e-3")
    assert found.cost == pytest.approx(2e-3)


@pytest.mark.parametrize(
    ("loss", "scale"), [("mse", 1), ("mse reduction=sum", 784), ("bce", 3), ("0.5 mse", 0.5), ("mse + mae", 3)]
)
def test_the_loss_there_is_to_gain(loss: str, scale: float) -> None:
    found = cost("conv 8 relu l2=1e-3; maxpool 2", "upsample 2; conv 1 sigmoid", f"loss {loss}")
    assert found.loss == pytest.approx(0.0673 * scale)


def test_none_without_penalties_or_settings() -> None:
    assert l2_cost(model("data mnist\ntrain { optimizer adamw weight_decay=1 }")) is None
    assert l2_cost(model("encoder { conv 8 relu l2=1; maxpool 2 }")) is None
