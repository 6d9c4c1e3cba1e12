"""Facts of a network, which models with the same network share."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from caedsl.rules.engine.checking import examine
from caedsl.source import Source
from tests.conftest import SPECS


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.stem)
def test_facts_of_a_network_follow_from_its_input_target_and_layers(spec: Path) -> None:
    model = examine(Source(spec.read_text("utf-8"))).model
    assert model is not None
    assert model.network_facts, "the rules ask for some"
    bare = replace(model, name="", source=Source(""), data=(), train=None, require=(), places={})
    for name, known in model.network_facts.items():
        module, _, function = name.rpartition(".")
        assert getattr(import_module(module), function)(bare) == known, name
    assert bare.network_facts is not model.network_facts, "a changed model has its own"
