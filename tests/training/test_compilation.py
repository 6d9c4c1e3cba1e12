"""When a network is compiled, and the fallback if the compiler fails."""

from copy import deepcopy
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn

from caedsl.training.compiled_network import CompiledNetwork
from caedsl.training.parallel.processes import Processes
from caedsl.training.search import compilation
from tests.gpu.runs import run_on

from .tiny import blobs, tiny

pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")  # in the compiler's own imports
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _eagerly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the compiler without code generation, which would take most of a minute."""
    compile_ = torch.compile
    monkeypatch.setattr(torch, "compile", lambda network, dynamic: compile_(network, backend="eager"))


@pytest.mark.parametrize(("seconds", "expected"), [(0.001, False), (100.0, True)])
def test_it_is_compiled_where_two_steps_say_that_the_run_is_long(
    seconds: float, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_on(CPU, "precision fp32")
    before = run.weights()
    assert compilation.pays(run, iter([0.0, 2 * seconds]).__next__) is expected
    assert all(torch.equal(value, before[name]) for name, value in run.weights().items())
    monkeypatch.setattr(compilation, "pays", lambda training: expected)
    compilation.choose_compilation(run)
    assert not isinstance(run.network, CompiledNetwork), "a CPU has the faster form"
    monkeypatch.setattr(compilation, "COMPILED_ON", ("cpu",))
    compilation.choose_compilation(run)
    assert isinstance(run.network, CompiledNetwork) is expected


@pytest.mark.parametrize(("norm", "expected"), [("norm=batch", False), ("norm=group", True)])
def test_several_processes_compile_what_looks_at_one_part_alone(
    norm: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_on(CPU, "precision fp32", norm=norm)
    run.processes = Processes()
    run.processes.count = 2
    monkeypatch.setattr(compilation, "COMPILED_ON", ("cpu",))
    monkeypatch.setattr(compilation, "pays", lambda training: True)
    compilation.choose_compilation(run)
    assert isinstance(run.network, CompiledNetwork) is expected


def test_it_computes_the_same_for_whole_batches_and_for_others() -> None:
    module, x_bchw = tiny(), blobs(10)
    network = CompiledNetwork(module).train()
    for part in (x_bchw, x_bchw, x_bchw[:3]):
        assert torch.equal(network(part), module(part))
    network.eval()
    assert torch.equal(network(x_bchw[:7]), module(x_bchw[:7]))
    assert network.failure is None
    assert {id(weight) for weight in network.parameters()} == {id(weight) for weight in module.parameters()}


def test_where_the_compiler_fails_training_continues_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(network: nn.Module, **settings: Any) -> Any:
        def fail(x_bchw: torch.Tensor) -> torch.Tensor:
            raise RuntimeError("no working C compiler\nat length")

        return partial(fail)

    monkeypatch.setattr(torch, "compile", broken)
    module, x_bchw = tiny(), blobs(10)
    network = CompiledNetwork(module).train()
    assert torch.equal(network(x_bchw), module(x_bchw))
    assert network.failure == "no working C compiler"


def test_where_the_compiler_fails_in_the_backward_pass_training_continues_without_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Broken(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            return x.clone()

        @staticmethod
        def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
            raise RuntimeError("no working C compiler")

    monkeypatch.setattr(torch, "compile", lambda network, **settings: lambda x: Broken.apply(network(x)))
    module, x_bchw = tiny(), blobs(10)
    network = CompiledNetwork(module).train()
    image = network(x_bchw)
    image.sum().backward()
    assert network.failure == "no working C compiler"
    assert torch.equal(image, module(x_bchw))


def test_the_trial_of_a_compiled_network_changes_nothing() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.Dropout(0.5))
    network = nn.Module()
    network.encoder, network.bottleneck, network.decoder = module, nn.Identity(), nn.Identity()
    vars(network)["forward"] = module.forward
    again, x_bchw = deepcopy(module), torch.rand(4, 1, 8, 8)
    torch.manual_seed(1)
    image = CompiledNetwork(network).train()(x_bchw)
    torch.manual_seed(1)
    assert torch.equal(image, again.train()(x_bchw))
    for name, buffer in again.named_buffers():
        assert torch.equal(buffer, module.get_buffer(name))
    assert all(weight.grad is None for weight in module.parameters())
