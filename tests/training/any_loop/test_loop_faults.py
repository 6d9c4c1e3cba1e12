"""Faults of a custom loop that no module shows: targets, clipped gradients, initial weights, steps that are too small."""

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor, nn

import caedsl
from caedsl.runs.trouble import Trouble

from .test_watch import Net, digits

Change = Callable[[nn.Module], None]


def looped(
    optimizer: Callable[..., torch.optim.Optimizer],
    steps: int = 400,
    *,
    targets: Callable[[Tensor], Tensor] | None = None,
    tell: bool = True,
    clip: float | None = None,
    change: Change = lambda module: None,
    net: Callable[[], nn.Module] = lambda: nn.Sequential(
        nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 64), nn.Sigmoid(), nn.Unflatten(1, (1, 8, 8))
    ),
) -> Sequence[Trouble]:
    """Train a small network with a custom loop and return what the monitors find; only ``tell`` passes targets."""
    torch.manual_seed(0)
    module = net()
    change(module)
    stepped = optimizer(module.parameters())
    watch, images = caedsl.watch(module, stepped, say=lambda line: None), digits()
    for step in range(steps):
        x = images[64 * step % 1728 :][:64]
        y = x if targets is None else targets(x)
        loss = nn.functional.mse_loss(module(x), y)
        stepped.zero_grad()
        loss.backward()
        if clip is not None:
            nn.utils.clip_grad_norm_(module.parameters(), clip)
        stepped.step()
        watch.step(loss, x, y if targets is not None and tell else None)
    return watch.troubles


def sgd(lr: float, momentum: float = 0.0) -> Callable[..., torch.optim.Optimizer]:
    return lambda weights: torch.optim.SGD(weights, lr, momentum=momentum)


def adam(lr: float = 3e-3) -> Callable[..., torch.optim.Optimizer]:
    return lambda weights: torch.optim.Adam(weights, lr)


def zeros(module: nn.Module) -> None:
    for weight in module.parameters():
        nn.init.zeros_(weight)


def constants(module: nn.Module) -> None:
    for weight in module.parameters():
        nn.init.constant_(weight, 0.05)


def constant_kernels(module: nn.Module) -> None:
    for weight in module.parameters():
        if weight.dim() > 1:
            nn.init.constant_(weight, 0.05)


def test_shuffled_targets_are_found() -> None:
    (found,) = looped(adam(), 700, targets=lambda x: x[torch.randperm(len(x))])
    assert (found.monitor, found.setting) == ("unrelated-target", "data")
    assert found.message.startswith("the targets do not follow from the inputs")


def test_labels_as_targets_are_found_at_once() -> None:
    (found,) = looped(adam(), 8, targets=lambda x: x.mean(dim=(1, 2, 3), keepdim=True).expand_as(x))
    assert found.monitor == "unrelated-target" and found.step == 4
    assert found.remedy == "use the images themselves as targets"


@pytest.mark.parametrize("optimizer", [adam(), sgd(3, 0.9)], ids=["adam", "sgd"])
def test_labels_as_targets_that_the_loop_does_not_pass_are_found(
    optimizer: Callable[..., torch.optim.Optimizer],
) -> None:
    (found,) = looped(optimizer, 700, targets=lambda x: x.mean(dim=(1, 2, 3), keepdim=True).expand_as(x), tell=False)
    assert found.monitor == "unrelated-target" and "the loss is about something else" in found.message
    assert "as `target`" in found.remedy and "learning rate" not in found.remedy


@pytest.mark.parametrize("targets", [lambda x: 1 - x, lambda x: x.flip(3), torch.zeros_like], ids=["-", "flip", "0"])
def test_targets_that_follow_from_the_samples_are_not_reported(targets: Callable[[Tensor], Tensor]) -> None:
    assert [one.monitor for one in looped(adam(), 300, targets=targets)] == []


@pytest.mark.parametrize("optimizer", [sgd(0.1), sgd(1, 0.9), adam(1e-4)], ids=["sgd", "momentum", "adam"])
def test_gradients_that_are_clipped_to_nothing_are_found(optimizer: Callable[..., torch.optim.Optimizer]) -> None:
    (found,) = looped(optimizer, clip=1e-8)
    assert found.monitor == "vanishing-gradient" and "the gradients that the optimizer gets are" in found.message
    assert "a larger norm for `clip_grad_norm_`" in found.remedy and "learning rate" not in found.remedy


def test_adam_does_not_mind_clipping() -> None:
    assert looped(adam(), clip=1e-4) == ()


@pytest.mark.parametrize("change", [zeros, constants])
def test_weights_that_start_all_alike_are_found(change: Change) -> None:
    found = looped(adam(), change=change)
    assert len(found) == 1 and "random initial weights" in found[0].remedy


def test_kernels_that_start_all_alike_are_found_if_random_biases_do_not_help() -> None:
    assert looped(adam(), change=constant_kernels) == (), "there they help"
    (found,) = looped(adam(), change=constant_kernels, net=Net)
    assert found.message.startswith("at the start, all units of this layer, and ")
    assert "random initial weights" in found.remedy


@pytest.mark.parametrize(("rate", "momentum", "better"), [(0.01, 0, "0.1"), (0.03, 0.9, "0.3")])
def test_a_slow_rate_of_sgd_is_raised(rate: float, momentum: float, better: str) -> None:
    (found,) = looped(sgd(rate, momentum), 700)
    assert f"a larger learning rate such as `lr={better}`" in found.remedy
    assert "smaller" not in found.remedy
