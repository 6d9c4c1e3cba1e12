"""Published autoencoders as specs: equal parameters, outputs with the original's weights, and training."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from caedsl.api import load
from caedsl.backends.torch.instantiate import build
from caedsl.backends.torch.lower import lower
from caedsl.training.preprocessing import normalise_of
from tests.conftest import ROOT
from tests.fidelity import diffusion_originals, further_originals, keras_originals, torch_originals, unet_originals
from tests.fidelity.pieces import tensors
from tests.fidelity.training import CODE_OPTIONS, CODE_TERMS, STARTS, TRAINING

SPECS = Path(__file__).parent / "specs"
NAMES = sorted(path.stem for path in SPECS.glob("*.cae"))
TOLERANCE = {"compressai_factorized": 1e-5}
"""CompressAI bounds the numbers of its normalisation, to which a spec's adds 1e-6."""


def original(name: str) -> nn.Module:
    """Return the model with the weights that it starts from."""
    files = (keras_originals, torch_originals, diffusion_originals, further_originals, unet_originals)
    make: Callable[[], nn.Module] = next(getattr(file, name) for file in files if hasattr(file, name))
    torch.manual_seed(0)
    made = make().eval()
    STARTS.get(name, lambda module: None)(made)
    return made


def is_constant(value: Tensor) -> bool:
    """Return whether all numbers are equal."""
    return bool((value == value.flatten()[0]).all())


def starts_alike(ours: Tensor, theirs: Tensor) -> bool:
    """Return whether two tensors look like samples of one distribution: constant, uniform or normal, of one width."""
    if not theirs.dim():  # a number that is found in the data
        return True
    constant = [is_constant(value) and value.numel() > 1 for value in (ours, theirs)]
    if any(constant) or theirs.numel() == 1:
        return torch.equal(ours, theirs) if all(constant) else bool((ours == 0).all() == (theirs == 0).all())
    widths = [float(value.detach().square().mean().sqrt()) for value in (ours, theirs)]
    tails = [float(value.detach().abs().max()) / width > 2 for value, width in zip((ours, theirs), widths, strict=True)]
    alike = abs(widths[0] / widths[1] - 1) < 5 / (2 * theirs.numel()) ** 0.5
    return alike and (tails[0] == tails[1] or theirs.numel() < 100)


@pytest.mark.parametrize("name", NAMES)
def test_the_spec_is_the_published_network(name: str) -> None:
    # In double precision, the rounding of both stays below the bound at any depth.
    model, published = load(SPECS / f"{name}.cae"), original(name).double()
    built = build(model).eval().double()
    normalise = normalise_of(built)
    theirs, ours = [*tensors(published)], [*tensors(built)]
    if normalise is not None:  # the published network does not undo it
        del ours[-2:]
    assert [value.shape for value in ours] == [value.shape for value in theirs]
    assert sum(p.numel() for p in built.parameters()) == sum(p.numel() for p in published.parameters())
    with torch.no_grad():
        assert all(map(starts_alike, ours, theirs))
        for value in published.state_dict().values():
            if value.is_floating_point() and is_constant(value):  # biases, and what belongs to normalisations
                value.add_(torch.rand_like(value) * 0.2 - 0.1)
        for mine, value in zip(ours, tensors(published), strict=True):
            mine.copy_(value)
        low, high = model.input.range.low, model.input.range.high
        x = torch.rand(2, *model.input.shape, dtype=torch.float64)
        if low is not None and high is not None:
            x = low + (high - low) * x
        expected = published(x)
        assert expected.std() > 1e-4
        if normalise is not None:
            last = built.decoder[-1]
            last.offset, last.scale = normalise.offset, normalise.scale
        made = built(x) if normalise is None else normalise(built(x), x)
        torch.testing.assert_close(made, expected, rtol=0, atol=TOLERANCE.get(name, 1e-9))


@pytest.mark.parametrize("name", NAMES)
def test_the_spec_trains_as_published(name: str) -> None:
    model = load(SPECS / f"{name}.cae")
    settings = model.train
    published = TRAINING.get(name)
    terms = {term.name: term.weight for term in lower(model).terms}
    assert terms == pytest.approx(CODE_TERMS.get(name, {}))
    for option, value in CODE_OPTIONS.get(name, ()):
        assert model.bottleneck.layers[-1].options[option] == value
    assert settings is not None if published is not None else settings is None
    if settings is not None and published is not None:
        assert replace(settings, validation=published.validation) == published


def test_the_page_lists_the_training_of_each_model() -> None:
    page = (ROOT / "benchmarks" / "README.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", page, re.M))
    assert {name: rows[name].startswith("none") for name in TRAINING} == {
        name: published is None for name, published in TRAINING.items()
    }
    equal, absent = (sum(rows[name] == said for name in TRAINING) for said in ("as published", "none in the source"))
    assert f"Of {len(TRAINING)} models" in page
    assert f"and {equal + absent} in training too: {equal} have the published settings" in page
    assert len(NAMES) - len(TRAINING) == 14
