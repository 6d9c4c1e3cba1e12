"""Properties 1 to 3 of every spec, generated and shipped: torch is the referee for shapes, costs and source."""

import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from caedsl.backends.torch.instantiate import build
from caedsl.backends.torch.lower import lower
from caedsl.backends.torch.program import RAW_INPUT, ModuleStep
from caedsl.backends.torch.render import class_name, emit
from caedsl.facts.cost import total_macs, total_parameters
from caedsl.model.autoencoder import Autoencoder
from caedsl.resolve.resolve import resolve
from caedsl.rules.engine.checking import check_source
from caedsl.source import Source
from caedsl.syntax.parser import parse
from caedsl.vocabulary.shape import text
from tests.conftest import SPECS
from tests.generated import light, spec_texts

MANY = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def resolved(source: str) -> Autoencoder | None:
    spec, findings = parse(Source(source))
    assert not findings
    model, _ = resolve(spec, Source(source))
    return model if model is not None and model.complete else None


def follow(modules: nn.Module, steps: Sequence[ModuleStep]) -> None:
    """Hold every shape that the lowering announces, at the next run of the module."""
    for module, step in zip(modules.children(), steps, strict=True):
        if step.shape:
            module.register_forward_hook(partial(hold_shape, step))


def hold_shape(step: ModuleStep, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
    assert text(tuple(output.shape[1:])) == step.shape, step


def hold_shapes_and_costs(model: Autoencoder) -> None:
    program = lower(model)
    with torch.device("meta"):
        module = build(model).eval()
        x = torch.empty(2, *model.input.shape)
    for part in ("encoder", "bottleneck", "decoder"):
        follow(module.get_submodule(part), getattr(program, part))
    code, maps = module.encode_with_maps(x)
    assert tuple(code.shape[1:]) == model.code_shape
    by_sample = model.preprocessing is not None and model.preprocessing.by_sample
    undone = by_sample and model.target is model.input and model.out_shape == model.input.shape
    beside = {RAW_INPUT: model.input.shape} if undone else {}
    assert {name: tuple(kept.shape[1:]) for name, kept in maps.items()} == model.bypasses | beside
    assert tuple(module.decode(code, maps).shape[1:]) == model.out_shape
    assert sum(parameter.numel() for parameter in module.parameters()) == total_parameters(model)
    with FlopCounterMode(display=False) as counter:
        module(x[:1])
    assert counter.get_total_flops() == 2 * total_macs(model)


def hold_training_step(model: Autoencoder) -> None:
    torch.manual_seed(0)
    module = build(model)
    x = torch.rand(3, *model.input.shape)
    added: list[Tensor] = []
    for term in lower(model).terms:
        source = module.get_submodule(term.source)
        if hasattr(source, term.method):
            source.register_forward_hook(lambda last, given, _, m=term.method: added.append(getattr(last, m)(given[0])))
    output = module(x)
    assert tuple(output.shape[1:]) == model.out_shape
    loss = output.square().mean() + sum(added)
    assert torch.isfinite(loss)
    if not list(module.parameters()):
        return  # pooling alone: there is nothing to train, and training says so
    loss.backward()
    assert all(parameter.grad is not None for parameter in module.parameters())


def hold_emitted_source(model: Autoencoder) -> None:
    source = emit(model)
    assert "caedsl" not in source
    namespace: dict[str, object] = {"__name__": "emitted"}
    exec(compile(source, "emitted.py", "exec"), namespace)
    torch.manual_seed(1)
    built = build(model)
    torch.manual_seed(1)
    emitted = namespace[class_name(model.name)]()  # type: ignore[operator]
    assert list(built.state_dict()) == list(emitted.state_dict())
    for ours, theirs in zip(built.state_dict().values(), emitted.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)
    x = torch.rand(2, *model.input.shape)
    assert torch.equal(built.eval()(x), emitted.eval()(x))


@MANY
@given(spec_texts())
def test_shapes_and_costs_are_those_of_torch(source: str) -> None:
    model = resolved(source)
    if model is not None:
        hold_shapes_and_costs(model)


@MANY
@given(spec_texts())
def test_a_complete_model_runs_forward_and_backward(source: str) -> None:
    model = resolved(source)
    if model is not None and light(model):
        hold_training_step(model)
        assert model.out_shape == model.target.shape or check_source(Source(source)).has_errors


@MANY
@given(spec_texts())
def test_emitted_source_is_the_built_module(source: str) -> None:
    model = resolved(source)
    if model is not None and light(model):
        hold_emitted_source(model)


@settings(max_examples=200, deadline=None)
@given(spec_texts())
def test_a_mirrored_decoder_returns_to_the_inputs_shape(source: str) -> None:
    model = resolved(source)
    if model is not None and model.mirrored:
        assert model.out_shape == model.target.shape


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_shipped_specs(path: Path) -> None:
    model = resolved(path.read_text("utf-8"))
    assert model is not None
    assert model.out_shape == model.target.shape
    hold_shapes_and_costs(model)
    hold_training_step(model)
    hold_emitted_source(model)


def test_emitted_source_runs_without_caedsl(tmp_path: Path) -> None:
    model = resolved(SPECS[0].read_text("utf-8"))
    assert model is not None
    (tmp_path / "emitted.py").write_text(emit(model))
    probe = "import sys, emitted; sys.exit(any(name.startswith('caedsl') for name in sys.modules))"
    subprocess.run([sys.executable, "-c", probe], cwd=tmp_path, check=True, env={"PYTHONPATH": ""})
