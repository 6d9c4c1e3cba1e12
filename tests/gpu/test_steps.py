"""Steps on a GPU: equal to those of the CPU, without waiting, and equal when they are replayed."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch

from caedsl.backends.torch.lower import lower
from caedsl.training.device import CompiledNetwork
from caedsl.training.monitors.engine.probe import Prober
from tests.backends.test_same_steps import LINES

from .runs import run_on, small, steps

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ("optimizer adam lr=1e-3", "dense 8"),
        ("optimizer sgd lr=1e-1 momentum=0.9; clip 0.5; loss 0.8 mse + 0.2 ssim", "conv 4 l1=1e-3"),
        ("optimizer rmsprop lr=1e-3; schedule cosine warmup=20%; loss bce", "dense 8"),
        ("ema 0.9; batch 16 accumulate=3; loss mae reduction=sum", "dense 8"),
    ],
)
def test_ten_steps_are_those_of_the_cpu(gpu: torch.device, lines: str, code: str) -> None:
    there, here = (run_on(device, f"precision fp32; {lines}", code=code) for device in (gpu, CPU))
    assert steps(there, 10) == pytest.approx(steps(here, 10), rel=1e-4)
    for name, weight in there.weights().items():
        torch.testing.assert_close(weight, here.weights()[name], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_lowers_the_loss(cuda: torch.device, precision: str) -> None:
    losses = steps(run_on(cuda, f"precision {precision}; optimizer adam lr=1e-2"), 60)
    assert losses[-1] < 0.5 * losses[0]
    assert losses[-1] == pytest.approx(steps(run_on(cuda, "precision fp32; optimizer adam lr=1e-2"), 60)[-1], rel=0.3)


@contextmanager
def waiting_is_an_error() -> Iterator[None]:
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("line", LINES)
def test_a_step_never_waits_for_the_device(cuda: torch.device, line: str) -> None:
    run = run_on(cuda, line, **LINES[line])
    run.module.train()
    batches = list(run.train.in_order(16))
    with run.stepping():
        run.take_step(batches[0])  # kernels are loaded and moments made the first time
        torch.cuda.synchronize()
        with waiting_is_an_error():
            for number in range(40):
                run.take_step(batches[number % len(batches)])


@pytest.mark.parametrize("graphs", [False, True])
def test_a_compiled_step_is_the_same(cuda: torch.device, graphs: bool) -> None:
    lines = "precision fp32; optimizer adam lr=1e-3; ema 0.9; corrupt gaussian=0.1"
    plain, fast = run_on(cuda, lines), run_on(cuda, lines)
    compiled = CompiledNetwork(fast.module, graphs)
    fast.network, fast.joined = compiled, compiled
    assert steps(fast, 20) == pytest.approx(steps(plain, 20), rel=1e-4)
    assert compiled.failure is None


def test_deterministic_runs_are_equal_bit_for_bit(cuda: torch.device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    lines = "seed 3 deterministic; optimizer adam lr=1e-3; augment shift=2; corrupt gaussian=0.1"
    first, second = (steps(run_on(cuda, lines, code="dense 8 noise=0.1"), 20) for _ in range(2))
    assert first == second


def test_a_probe_leaves_the_next_step_unchanged(gpu: torch.device) -> None:
    probed, plain = (run_on(gpu, "precision fp32; corrupt gaussian=0.1", code="dense 8 noise=0.1") for _ in range(2))
    prober = Prober(probed, lower(small()).origins, None, next(probed.train.in_order(16)), rounds=1)
    runs = (probed, plain)
    for run in runs:
        run.module.train()
        run.generator.manual_seed(5)
    for number in range(4):
        losses = []
        for run in runs:
            torch.manual_seed(number)
            with run.stepping():
                losses.append(run.take_step(next(run.train.in_order(16))).total.item())
                if run is probed:
                    prober.take(number, float(number))
        assert losses[0] == pytest.approx(losses[1], rel=1e-5)
