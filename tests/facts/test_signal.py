"""The gain of the signal through the depth: by formula, and against torch's own weights."""

from math import log10

import pytest
import torch

from caedsl.backends.torch.instantiate import build
from caedsl.facts.signal import is_linear, saturating_sides, saturating_stack, signal_path
from caedsl.rules.engine.compiling import compiled
from tests.resolve.written import model

BLOCKS = "encoder {{ conv 16 relu; repeat 30 {{ residual {} {{ conv 16 init=he }} }}; maxpool 2 }}"


def total(fragment: str) -> float:
    return signal_path(model(fragment))[-1].total


@pytest.mark.parametrize(("init", "kept"), [("he", 1.0), ("torch", 1 / 6)])
def test_a_relu_layer_keeps_what_its_initialisation_says(init: str, kept: float) -> None:
    path = signal_path(model(f"encoder {{ conv 16 k1 relu init={init} x10; maxpool 2 }}"))
    assert path[9].total == pytest.approx(10 * log10(kept), abs=1e-6)


def test_the_first_activations_of_torch_have_the_gain() -> None:
    import torch

    from caedsl.backends.torch.instantiate import build

    spec = model(
        "encoder { conv 256 k1 relu init=torch bias=off x8; maxpool 1 }\nbottleneck conv 1\ndecoder { conv 1 }"
    )
    torch.manual_seed(0)
    x = torch.randn(4, 1, 28, 28)
    with torch.no_grad():
        y = build(spec).encoder[:16](x)
    assert float(y.square().mean().log10()) == pytest.approx(signal_path(spec)[7].total, abs=0.5)


def test_a_normalisation_resets_the_gain() -> None:
    assert (
        total(
            "encoder { conv 16 relu init=torch x9; conv 16 norm=batch; maxpool 2 }\nbottleneck\ndecoder { upsample 2; conv 1 norm=layer }"
        )
        == 0
    )


def test_residuals_add_powers() -> None:
    path = signal_path(model("encoder { conv 16 k1 relu; repeat 5 { residual { conv 16 k1 init=he } }; maxpool 2 }"))
    assert path[5].total - path[0].total == pytest.approx(5 * log10(2))


def test_a_stack_that_saturates_cannot_grow() -> None:
    assert max(gain.total for gain in signal_path(model(BLOCKS.format("tanh")))) < 1
    assert max(gain.total for gain in signal_path(model(BLOCKS.format("linear")))) > 8


def test_saturating_layers_are_counted_by_side() -> None:
    sides = saturating_sides(
        model(
            "encoder { conv 8 sigmoid x3; maxpool 2 }\nbottleneck\ndecoder { upsample 2; conv 8 sigmoid; conv 1 sigmoid }"
        )
    )
    assert {side: len(layers) for side, layers in sides.items()} == {"encoder": 3}
    assert len(saturating_stack(model("encoder { conv 8 tanh x3; maxpool 2 }\nbottleneck dense 8 tanh"))) == 7


@pytest.mark.parametrize(
    ("encoder", "linear"),
    [("conv 8 s2", True), ("conv 8 s2 norm=batch", True), ("conv 8; maxpool 2", False), ("conv 8 s2 relu", False)],
)
def test_what_makes_a_model_nonlinear(encoder: str, linear: bool) -> None:
    assert is_linear(model(f"encoder {{ {encoder} }}")) is linear


@pytest.mark.parametrize("activation", ["relu", "leaky_relu=0.2", "tanh", "gelu", "silu", "elu", "mish"])
def test_a_fading_signal_is_as_faint_as_torch_measures(activation: str) -> None:
    layers = "; ".join([f"conv 16 {activation} init=torch"] * 5)
    text = (
        f"autoencoder a\ninput 1x16x16\nencoder {{ {layers}; maxpool 2; {layers} }}\n"
        "bottleneck dense 16 init=torch\ndecoder mirror\n"
    )
    spec = compiled(text, "a.cae").model
    assert spec is not None
    said = min(gain.total for gain in signal_path(spec))
    measured = []
    for seed in range(3):
        torch.manual_seed(seed)
        module = build(spec).double()
        signal = torch.rand(32, 1, 4, 4, dtype=torch.float64).repeat_interleave(4, 2).repeat_interleave(4, 3)
        before, faintest = signal.var(0).mean(), 1.0
        with torch.no_grad():
            for layer in [*module.encoder, *module.bottleneck, *module.decoder][:-1]:
                signal = layer(signal)
                faintest = min(faintest, float(signal.var(0).mean() / before))
        measured.append(log10(faintest))
    assert said == pytest.approx(sum(measured) / len(measured), abs=1.5)
