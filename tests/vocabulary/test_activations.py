"""The declarations of activations, compared with PyTorch."""

from dataclasses import fields
from math import inf, isfinite

import numpy as np
import pytest
import torch

from caedsl import check
from caedsl.backends.torch.instantiate import build
from caedsl.backends.torch.modules import MODULES
from caedsl.facts.cost import total_parameters
from caedsl.rules.engine.checking import check_source
from caedsl.rules.engine.example import whole_spec
from caedsl.source import Source
from caedsl.vocabulary.activations import FUNCTIONS, Activation, bare
from caedsl.vocabulary.function import Function
from caedsl.vocabulary.functions import RELU
from caedsl.vocabulary.option import REQUIRED, Type


def module_of(activation: Activation) -> torch.nn.Module:
    """Return the module of an activation in 64 bits."""
    made = [(MODULES.get(c.name) or getattr(torch.nn, c.name))(*c.args, **dict(c.kwargs)) for c in activation.calls(1)]
    return torch.nn.Sequential(*made).double()


PASSING = [Activation(name) for name in bare() if not FUNCTIONS[name].saturates]
CAPPED = [Activation("softcap", cap) for cap in (0.7, 3.0, 20.0)]


@pytest.mark.parametrize("activation", [*PASSING, *CAPPED], ids=str)
def test_what_an_activation_passes_of_a_standard_normal(activation: Activation) -> None:
    x = torch.linspace(-12, 12, 400_001, dtype=torch.float64)
    density = torch.exp(-(x**2) / 2) / np.sqrt(2 * np.pi) * (x[1] - x[0])
    with torch.no_grad():
        y = module_of(activation)(x)
    power = (y**2 * density).sum() - ((y * density).sum() ** 2 if activation.name == "softplus" else 0)
    assert activation.passed == pytest.approx(float(power), abs=2e-3)


@pytest.mark.parametrize(
    "activation",
    [
        *map(Activation, bare()),
        Activation("elu", 2.0),
        Activation("tanh", 1.7),
        Activation("clip", (-0.5, 2.0)),
        Activation("softcap", 3.0),
        Activation("hardsigmoid", 0.2),
    ],
    ids=str,
)
def test_the_declared_bounds_and_slopes_are_those_of_torch(activation: Activation) -> None:
    x = torch.linspace(-30, 30, 60_001, dtype=torch.float64, requires_grad=True)
    y = module_of(activation)(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    assert float(slope.abs().max()) == pytest.approx(activation.slope, rel=1e-3)
    low, high = float(y.detach().min()), float(y.detach().max())
    assert low == pytest.approx(activation.low, abs=1e-3) if isfinite(activation.low) else low < -0.01
    assert high == pytest.approx(activation.high, abs=1e-3) if isfinite(activation.high) else high > 10
    assert activation.function.dies == (not slope[x < 0].any())
    flat = float(slope[25_000]) < 0.01 and float(slope[35_000]) < 0.01  # at -5 and at 5
    assert activation.function.saturates == flat
    if activation.function.saturates:
        assert activation.passed == pytest.approx(activation.slope**2)


WITH_VALUES = {"softcap": 3.0, "clip": (-0.5, 2.0), "elu": 2.0, "tanh": 1.7, "hardsigmoid": 0.2}
EACH = [Activation(name, WITH_VALUES.get(name)) for name in FUNCTIONS]


@pytest.mark.parametrize("activation", EACH, ids=str)
def test_the_formula_and_its_bounds_are_those_of_torch(activation: Activation) -> None:
    x = torch.arange(-288, 289, dtype=torch.float64) / 32
    with torch.no_grad():
        y = module_of(activation)(x)
    assert [activation.function.formula(activation.value, each) for each in x.tolist()] == pytest.approx(
        y.tolist(), abs=2e-4
    )
    for low, high in ((-9.0, 9.0), (-1.0, 3.0), (0.0, 1.0), (2.0, 5.0)):
        outputs = y[(x >= low) & (x <= high)]
        assert activation.bounds(low, high) == pytest.approx((float(outputs.min()), float(outputs.max())), abs=2e-3)
        inputs = x[(x >= low) & (x <= high)]
        assert activation.keeps(low, high) == torch.equal(inputs, outputs)


@pytest.mark.parametrize("activation", EACH, ids=str)
def test_bounds_without_an_end_are_the_declared_ones(activation: Activation) -> None:
    assert activation.bounds(-inf, inf) == (activation.low, activation.high)
    assert activation.keeps(-inf, inf) == (activation.name == "linear")


@pytest.mark.parametrize("part", [field.name for field in fields(Function)])
def test_a_declaration_that_lacks_a_part_is_a_type_error(part: str) -> None:
    parts = {field.name: getattr(RELU, field.name) for field in fields(Function) if field.name != part}
    with pytest.raises(TypeError, match=part):
        Function(**parts)


@pytest.mark.parametrize("written", ["leaky_relu=0", "leaky_relu=1e200", "elu=0", "elu=-1", "prelu=2"])
@pytest.mark.parametrize("line", ["encoder {{ conv 8 {}; maxpool 2 }}", "decoder {{ upsample 4; conv 1 {} }}"])
def test_a_value_outside_of_the_domain_is_the_one_finding(written: str, line: str) -> None:
    errors = [finding for finding in check(whole_spec(line.format(written))) if finding.severity.value == "error"]
    assert [finding.name for finding in errors] == ["out-of-domain"]
    assert written.replace("=", "` is `") in errors[0].message
    assert errors[0].fix is None


@pytest.mark.parametrize(
    ("written", "name", "help"),
    [
        ("clip", "missing-value", "write `clip=0..1`"),
        ("softcap", "missing-value", "write `softcap=3`"),
        ("softcap=-1", "out-of-domain", "write `1`"),
        ("hardsigmoid=0", "out-of-domain", ""),
        ("clip=3", "wrong-type", ""),
        ("clip=real", "wrong-type", ""),
        ("clip=1..0", "out-of-domain", "write the lower end first: `0..1`"),
        ("relu6=6", "unknown-option", "write `relu6` alone"),
        ("tanh=0", "out-of-domain", ""),
        ("hardswsh", "unknown-option", "did you mean `hardswish`?"),
        ("leaky_rely=0.2", "unknown-option", "did you mean `leaky_relu`?"),
    ],
)
def test_a_value_that_is_missing_or_wrong_is_one_finding(written: str, name: str, help: str) -> None:
    errors = [f for f in check(whole_spec(f"encoder {{ conv 8 {written}; maxpool 2 }}")) if f.severity.value == "error"]
    assert [(finding.name, finding.help) for finding in errors] == [(name, help)]


def test_a_scaled_output_fits_a_range_of_its_own() -> None:
    spec = whole_spec("input 1x28x28 in -2..2\ndecoder { upsample 2; conv 1 tanh=2 }")
    assert not [finding for finding in check(spec) if finding.name in ("output-range", "half-used-range")]


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_what_is_left_of_a_faint_signal(name: str) -> None:
    option = FUNCTIONS[name].option
    ends = {Type.ENDS: (-1.0, 1.0), Type.NUMBER: 3.0}
    given = ends[option.type] if option is not None and option.default is REQUIRED else None
    activation = Activation(name, given)
    places = torch.tensor([-1e-6, 1e-6], dtype=torch.float64, requires_grad=True)
    module_of(activation)(places.view(2, 1)).sum().backward()
    assert places.grad is not None
    assert activation.faint == pytest.approx(float((places.grad**2).mean()), rel=0.01)


@pytest.mark.parametrize("line", ["conv 6 channel_prelu=0.5", "conv 6; channel_prelu 0.5", "dense 6 channel_prelu=0.5"])
def test_a_channel_may_have_a_slope_of_its_own(line: str) -> None:
    model = check_source(Source(whole_spec(f"encoder {{ conv 4 s2; {line} }}"))).model
    assert model is not None
    built = build(model)
    (slopes,) = (part.weight for part in built.encoder.modules() if isinstance(part, torch.nn.PReLU))
    assert slopes.tolist() == [0.5] * 6
    assert total_parameters(model) == sum(weight.numel() for weight in built.parameters())
