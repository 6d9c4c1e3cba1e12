"""``import(emit(spec))`` gives the same model."""

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings

import caedsl
from caedsl.importing.imported import ImportedModel
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.checking import check_source
from caedsl.source import Source
from tests.conftest import ROOT
from tests.generated import spec_texts
from tests.importing.rebuilt import again, emitted, unsettled

SPECS = sorted((ROOT / "specs").glob("*.cae"))
VARIATIONAL = {"beta_vae", "keras_vae"}


def same(model: Autoencoder, module: torch.nn.Module, made: ImportedModel) -> None:
    assert made.difference < 1e-5
    assert made.model.code_shape == model.code_shape
    assert made.model.input.range == model.input.range
    numbers = [sum(each.numel() for each in own.parameters()) for own in (module, made.module)]
    assert numbers[0] == numbers[1]
    assert made.model.bottleneck.noise == model.bottleneck.noise
    x = torch.rand(2, *model.input.shape)
    with torch.no_grad():
        torch.testing.assert_close(made.module.encode(x), module.eval().encode(x), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_spec_comes_back(path: "object") -> None:
    model = caedsl.load(path)  # type: ignore[arg-type]
    module = unsettled(emitted(model))
    made = again(module, model)
    same(model, module, made)
    assert any("variational code" in note for note in made.notes) == (model.name in VARIATIONAL)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(spec_texts())
def test_generated_specs_come_back(text: str) -> None:
    checked = check_source(Source(text))
    assume(checked.model is not None and not checked.has_errors)
    assert checked.model is not None
    module = unsettled(emitted(checked.model))
    same(checked.model, module, again(module, checked.model))
