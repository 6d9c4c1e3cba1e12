"""Steps on a GPU: equal to those of the CPU, without waiting, and equal when they are replayed."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch

from caedsl.backends.torch.lower import lower
from caedsl.data.batch_share import BatchShare
from caedsl.data.sample import Sample
from caedsl.training.compiled_network import CompiledNetwork
from caedsl.training.monitors.engine.probe import Prober
from caedsl.training.objective import Losses
from caedsl.training.optimizers import obstacle
from caedsl.training.step_graph import CudaRecorder, StepGraph
from caedsl.vocabulary.augmentations import AUGMENTATIONS, AugmentationKind
from caedsl.vocabulary.optimizers import OPTIMIZERS
from tests.backends.test_same_steps import LINES, example

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


def test_a_compiled_step_is_the_same(cuda: torch.device) -> None:
    lines = "precision fp32; optimizer adam lr=1e-3; ema 0.9; corrupt gaussian=0.1"
    plain, fast = run_on(cuda, lines), run_on(cuda, lines)
    compiled = CompiledNetwork(fast.module)
    fast.network, fast.joined = compiled, compiled
    assert steps(fast, 20) == pytest.approx(steps(plain, 20), rel=1e-4)
    assert compiled.failure is None
    fast.graph = StepGraph(fast, CudaRecorder(cuda), clock=iter([0, 0, 0, 4, 0, 1]).__next__)
    assert steps(fast, 20) == pytest.approx(steps(plain, 20), rel=1e-4)
    assert fast.graph.used, fast.graph.failure


@pytest.mark.parametrize("kind", AUGMENTATIONS.values(), ids=lambda kind: kind.name)
def test_augmented_samples_have_their_channels_last(cuda: torch.device, kind: AugmentationKind) -> None:
    run = run_on(cuda, f"precision fp32; augment {example(kind.option)}", shape="3x12x12")
    clean = next(run.train.in_order(16))
    sample = run.sample(clean, BatchShare.all_of(16), run.settings.augment)
    assert sample.seen.is_contiguous(memory_format=torch.channels_last)


def test_deterministic_runs_are_equal_bit_for_bit(cuda: torch.device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    lines = "seed 3 deterministic; optimizer adam lr=1e-3; augment shift=2; corrupt gaussian=0.1"
    first, second = (steps(run_on(cuda, lines, code="dense 8 noise=0.1"), 20) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    "line", [*LINES, "ema 0.9; schedule cosine; corrupt gaussian=0.1; augment flip shift=1; clip 1"]
)
def test_replayed_steps_are_those_of_the_run(cuda: torch.device, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With deterministic kernels, the bits are the same; 64 images in batches of six leave a partial batch."""
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    text = f"precision fp32; seed 3 deterministic; {line}"
    plain, captured = (run_on(cuda, text, **LINES.get(line, {"code": "dense 8 noise=0.1"})) for _ in range(2))
    if (reason := obstacle(captured.optimizer, captured.scaler)) is not None:
        pytest.skip(f"not captured: {reason}")
    # With this clock, a replayed step takes a quarter of the time.
    captured.graph = StepGraph(captured, CudaRecorder(cuda), clock=iter([0, 0, 0, 4, 0, 1]).__next__)
    assert steps(captured, 20) == steps(plain, 20)
    assert captured.graph.used, captured.graph.failure
    for name, value in plain.weights().items():
        assert torch.equal(value, captured.weights()[name]), name


@pytest.mark.parametrize("name", [name for name, kind in OPTIMIZERS.items() if kind.fused])
def test_steps_of_fp16_are_replayed(cuda: torch.device, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scale of the loss changes after an overflow and after a few steps without one."""
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    plain, captured = (
        run_on(cuda, f"precision fp16; seed 3 deterministic; optimizer {name}; clip 1; ema 0.9") for _ in range(2)
    )
    for run in (plain, captured):
        run.scaler = torch.amp.GradScaler("cuda", init_scale=2.0**40, growth_interval=3)
    captured.graph = StepGraph(captured, CudaRecorder(cuda), clock=iter([0, 0, 0, 4, 0, 1]).__next__)
    assert steps(captured, 40) == steps(plain, 40)
    assert captured.graph.used, captured.graph.failure
    assert captured.scaler.state_dict() == plain.scaler.state_dict()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_is_captured(cuda: torch.device, name: str) -> None:
    run = run_on(cuda, f"precision fp32; optimizer {name}")
    reason = obstacle(run.optimizer, run.scaler)
    if name == "adagrad" and reason is not None:
        pytest.skip(reason)  # this version of PyTorch has no CUDA kernel for it
    assert reason is None


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_a_run_replays_its_steps(cuda: torch.device, precision: str) -> None:
    run = run_on(cuda, f"precision {precision}; optimizer adam lr=1e-2; batch 6", validation=8)
    said: list[str] = []
    run.note = said.append
    losses = [row.reconstruction for row in run.run().epochs]
    assert not said
    assert losses[-1] < 0.5 * losses[0]


def test_training_continues_after_a_capture_that_fails(cuda: torch.device) -> None:
    """Afterwards, layers and corruption draw random numbers as before."""
    run, said = run_on(cuda, "precision fp32; corrupt gaussian=0.1", code="dense 8 noise=0.1"), list[str]()
    recorder, compute = CudaRecorder(cuda), run.compute

    def waiting_while_captured(clean: Sample) -> Losses:
        if torch.cuda.is_current_stream_capturing():
            clean.seen.sum().item()
        return compute(clean)

    vars(run)["compute"] = waiting_while_captured
    run.graph = StepGraph(run, recorder, said.append)
    losses = steps(run, 20)
    assert len(said) == 1
    assert losses == pytest.approx(
        steps(run_on(cuda, "precision fp32; corrupt gaussian=0.1", code="dense 8 noise=0.1"), 20)
    )


def test_a_probe_leaves_the_next_step_unchanged(gpu: torch.device) -> None:
    probed, plain = (run_on(gpu, "precision fp32; corrupt gaussian=0.1", code="dense 8 noise=0.1") for _ in range(2))
    prober = Prober(probed, lower(small()).origins, None, next(probed.train.in_order(16)), rounds=1)
    runs = (probed, plain)
    for run in runs:
        run.module.train()
    for number in range(4):
        losses = []
        for run in runs:
            with run.stepping():
                losses.append(run.take_step(next(run.train.in_order(16))).total.item())
                if run is probed:
                    prober.take(number, float(number))
        assert losses[0] == pytest.approx(losses[1], rel=1e-5)
