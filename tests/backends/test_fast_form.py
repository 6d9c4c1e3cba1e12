"""The faster form of a module computes what the module computes, forward and backward."""

from copy import deepcopy
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from torch import Tensor, nn

from caedsl.backends.torch.fast import fast_form, rewrite
from caedsl.backends.torch.fast.convolutions import FastTransposed, PlainConvolution, ToFew
from caedsl.backends.torch.instantiate import build
from caedsl.data.sample_format import channels_last
from caedsl.model.autoencoder import Autoencoder
from caedsl.training.step import channels_last_kernels, sound_norms
from tests.backends.test_properties import resolved
from tests.conftest import SPECS
from tests.generated import light, spec_texts

MANY = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(autouse=True, scope="module")
def _whatever_the_size() -> None:
    """Use the faster forms for layers of any size, not only for layers large enough to benefit."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rewrite, "LEAST_RATIO", 2)
        patch.setattr(rewrite, "LEAST_PRODUCT", 1)
        yield


def step(network: nn.Module, module: nn.Module, x: Tensor) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """Return the output of a training step, the gradients of the weights, and the buffers after it."""
    module.zero_grad()
    torch.manual_seed(3)
    with sound_norms(module, network):
        y = network(x)
        loss = (y - x[(slice(None), *[slice(1)] * (x.dim() - 1))]).square().mean()
        if list(module.parameters()):
            loss.backward()
    gradients = [weight.grad for weight in module.parameters() if weight.grad is not None]
    return y.detach(), gradients, [buffer.clone() for buffer in module.buffers()]


def hold_same_step(model: Autoencoder) -> None:
    torch.manual_seed(0)
    plain = channels_last_kernels(build(model).double()).train()
    other = deepcopy(plain)
    x = channels_last(torch.rand(3, *model.input.shape, dtype=torch.float64))
    expected = step(plain, plain, x)
    actual = step(fast_form(other, model.input.shape), other, x)
    torch.testing.assert_close(actual, expected, rtol=1e-7, atol=1e-9)


def test_rectifiers_in_a_row_take_the_same_step() -> None:
    model = resolved("""
autoencoder rectified
input 1x8x8
encoder { conv 4 relu; relu; maxpool 2; relu; conv 4 relu; maxpool 2; relu; relu }
bottleneck dense 4
decoder mirror
""")
    assert model is not None
    hold_same_step(model)


@MANY
@given(spec_texts())
def test_generated_models_take_the_same_step(source: str) -> None:
    model = resolved(source)
    if model is not None and light(model):
        hold_same_step(model)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_shipped_models_take_the_same_step(path: Path) -> None:
    model = resolved(path.read_text("utf-8"))
    assert model is not None
    hold_same_step(model)


RECTIFIED = """
autoencoder rectified
input 3x17x13
encoder { conv 24 s2 relu; conv 16 k5 d2 relu; conv 16 relu pad=0; relu; conv 16 norm=batch relu }
bottleneck
decoder { deconv 16 relu pad=0; upsample 2 x2; conv 16 relu; crop 4; deconv 16 s2 relu; conv 3 k1 relu; upsample to 17x13 }
"""


@pytest.mark.parametrize("autocast", [False, True])
def test_rectified_convolutions_of_every_kind_take_the_same_step(autocast: bool) -> None:
    model = resolved(RECTIFIED)
    assert model is not None
    torch.manual_seed(0)
    plain = channels_last_kernels(build(model)).train()
    other = deepcopy(plain)
    x = channels_last(torch.rand(4, *model.input.shape))
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        expected = step(plain, plain, x)
        actual = step(fast_form(other, model.input.shape), other, x)
    exact, rounded = {"rtol": 1e-4, "atol": 1e-5}, {"rtol": 0.05, "atol": 0.02}  # processors round bf16 differently
    torch.testing.assert_close(actual, expected, **(rounded if autocast else exact))


def forms(network: nn.Module) -> list[type[nn.Module]]:
    return [type(part) for part in network.modules() if isinstance(part, ToFew | FastTransposed | PlainConvolution)]


SMALL = """\
autoencoder a
input 1x28x28
encoder { conv 16 k3 relu; maxpool 2; conv 8 k3 relu; maxpool 2 }
bottleneck
decoder { %s }
"""


@pytest.mark.parametrize(
    ("decoder", "expected"),
    [
        (
            "deconv 8 relu; upsample 2; conv 16 relu; upsample 2; conv 1 sigmoid",
            [PlainConvolution, FastTransposed, ToFew],
        ),
        ("upsample to 14x14; conv 16 k5 relu; upsample 2; deconv 1 k5 sigmoid", [FastTransposed, ToFew]),
        ("deconv 16 k4 s2 relu; deconv 1 k3 s2 sigmoid", [FastTransposed, ToFew]),
        ("upsample 2 bilinear; conv 16 relu; upsample 2; conv 8 k1; conv 1 sigmoid", [ToFew]),
        ("upsample 2; deconv 16 d2 pad=2 output_pad=1; conv 8 k2; upsample 2; conv 1 sigmoid", [ToFew]),
        ("upsample 4; residual sigmoid { conv 16 relu; deconv 16 relu; conv 1 }", [PlainConvolution, ToFew]),
    ],
)
def test_which_layers_have_a_faster_form(decoder: str, expected: list[type[nn.Module]]) -> None:
    model = resolved(SMALL % decoder)
    assert model is not None
    found = forms(fast_form(build(model), model.input.shape))
    assert sorted(form.__name__ for form in found) == sorted(form.__name__ for form in expected)
    hold_same_step(model)


@pytest.mark.parametrize(
    ("dtype", "tiles", "patches"), [("bfloat16", True, 0), ("bfloat16", False, 1), ("float32", True, 1)]
)
def test_few_outputs_are_no_patches_where_the_processor_multiplies_tiles(
    dtype: str, tiles: bool, patches: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: tiles)
    model = resolved(SMALL % "upsample 2; conv 16 relu; upsample 2; conv 1 sigmoid")
    assert model is not None
    found = forms(fast_form(build(model), model.input.shape, getattr(torch, dtype)))
    assert found.count(ToFew) == patches
    assert found.count(FastTransposed) == 2 - patches


def test_it_is_a_view_of_the_module() -> None:
    model = resolved(SMALL % "upsample 2; conv 16 relu norm=batch; upsample 2; conv 1 sigmoid")
    assert model is not None
    module = build(model)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    network = fast_form(module.train(), model.input.shape)
    assert {id(weight) for weight in network.parameters()} == {id(weight) for weight in module.parameters()}
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert module.training
    assert network.training


def test_autocast_asks_for_sixteen_bits_as_of_any_module() -> None:
    model = resolved(SMALL % "deconv 16 k4 s2 relu; upsample 2; conv 1 sigmoid")
    assert model is not None
    module = build(model).eval()
    x = torch.rand(2, *model.input.shape)
    seen: list[torch.dtype] = []
    network = fast_form(module, model.input.shape)
    for part in network.modules():
        if isinstance(part, FastTransposed):
            part.register_forward_hook(lambda part, inputs, output: seen.append(output.dtype))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        actual, expected = network(x), module(x)
    assert seen == [torch.bfloat16]
    torch.testing.assert_close(actual.float(), expected.float(), rtol=0.02, atol=0.02)
