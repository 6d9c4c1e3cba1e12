"""Steps that are captured and replayed, with a stand-in for CUDA graphs that runs on a CPU."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import pytest
import torch
from torch import Tensor

from caedsl.training import device
from caedsl.training.loop import Training
from caedsl.training.optimizers import obstacle
from caedsl.training.resume import resume
from caedsl.training.step_graph import WARM_UP, StepGraph
from caedsl.vocabulary.optimizers import OPTIMIZERS
from tests.backends.test_same_steps import LINES
from tests.gpu.runs import run_on, steps

from .recorder import OperationRecorder
from .test_resume import begin, killed_at
from .tiny import always_keep

CPU = torch.device("cpu")
STEPS = WARM_UP + 6
"""Of which one is captured, one proves the graph, and the others are replayed."""

VARYING = [
    "optimizer rmsprop lr=1e-3; schedule cosine; ema 0.9; clip 0.1",
    "batch 16 accumulate=3; schedule onecycle; corrupt gaussian=0.1; augment flip shift=1",
]


LINE = "precision fp32; schedule cosine; ema 0.9; corrupt gaussian=0.1"


@pytest.fixture(autouse=True)
def _as_on_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the numbers of a step on the device, and use capturable optimizers."""
    monkeypatch.setattr(device, "CAPTURED", ("cpu",))
    for name in ("adam", "rmsprop", "adadelta", "adamax", "nadam", "radam"):
        module = import_module(f"torch.optim.{name}")
        monkeypatch.setattr(module, "_get_capturable_supported_devices", lambda supports_xla=True: ["cpu"])


def clock(plain: float, replayed: float) -> Callable[[], float]:
    """Return a clock with given times for a normal and a replayed step."""
    return iter([0, 0, 0, plain, 0, replayed]).__next__


def graph_of(run: Training, replayed: float = 1.0) -> tuple[StepGraph, OperationRecorder, list[str]]:
    """Replay the steps of a run whose normal steps take 2 seconds; also return the notes."""
    recorder, said = OperationRecorder(), list[str]()
    run.graph = StepGraph(run, recorder, said.append, clock(2.0, replayed))
    return run.graph, recorder, said


def same(first: Training, second: Training) -> None:
    """Assert that both runs gave the same bits."""
    assert steps(first, STEPS) == steps(second, STEPS)
    for name, value in first.weights().items():
        assert torch.equal(value, second.weights()[name]), name


@pytest.mark.parametrize("line", [*list(LINES)[::2], "loss mae", *VARYING])
def test_replayed_steps_are_those_of_the_run(line: str) -> None:
    plain, captured = (run_on(CPU, f"precision fp32; {line}", **LINES.get(line, {})) for _ in range(2))
    graph, recorder, said = graph_of(captured)
    same(plain, captured)
    assert graph.used, (graph.failure, said)
    assert recorder.replays >= STEPS - WARM_UP - 2, "all but the first steps and those of partial batches"


def test_each_replay_has_the_weights_of_its_samples() -> None:
    plain, captured = (run_on(CPU, LINE) for _ in range(2))
    for run in (plain, captured):
        run.train.weights = torch.arange(len(run.train.images)) % 5 / 2
    graph, recorder, _ = graph_of(captured)
    same(plain, captured)
    assert graph.used and recorder.replays


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_can_be_captured(name: str) -> None:
    plain, captured = (run_on(CPU, f"precision fp32; optimizer {name}; schedule cosine") for _ in range(2))
    graph, _, said = graph_of(captured)
    assert obstacle(captured.optimizer, captured.scaler) is None
    same(plain, captured)
    assert graph.used, (graph.failure, said)


def test_an_optimizer_without_a_kernel_for_the_device_is_not_captured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("caedsl.training.optimizers._has_fused_kernel", lambda name, device: False)
    run = run_on(CPU, "precision fp32; optimizer adagrad")
    assert obstacle(run.optimizer, run.scaler) == "PyTorch counts the steps of Adagrad in main memory"


@pytest.mark.parametrize("line", ["optimizer adam", "optimizer adamw", "optimizer sgd", "optimizer adam; clip 1"])
def test_the_scale_of_fp16_is_replayed(line: str) -> None:
    """Losses of fp16 are scaled; the scale falls after an overflow and rises after a few steps without one."""
    plain, captured = (run_on(CPU, f"precision fp32; {line}") for _ in range(2))
    for run in (plain, captured):
        run.guard.active = False
        run.optimizer.found_inf = None
        run.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**126, growth_interval=2)
    graph, _, said = graph_of(captured)
    assert obstacle(captured.optimizer, captured.scaler) is None
    same(plain, captured)
    assert graph.used, (graph.failure, said)
    assert captured.scaler.state_dict() == plain.scaler.state_dict()
    assert captured.scaler.get_scale() != 2.0**126


def test_an_optimizer_that_waits_in_fp16_is_not_captured() -> None:
    run = run_on(CPU, "precision fp32; optimizer rmsprop")
    reason = obstacle(run.optimizer, torch.amp.GradScaler("cpu"))
    assert reason == "RMSprop waits for the device to know whether a gradient of fp16 has overflowed"


def test_a_step_that_waits_is_not_captured() -> None:
    plain, captured = (run_on(CPU, LINE) for _ in range(2))
    compute = captured.compute
    vars(captured)["compute"] = lambda clean: (float(clean.seen.sum()), compute(clean))[1]
    graph, recorder, said = graph_of(captured)
    same(plain, captured)
    assert not graph.used
    assert recorder.replays == 0
    assert said == [f"steps are not replayed as a CUDA graph, which is slower but just as exact: {graph.failure}"]


def test_a_capture_that_fails_leaves_the_steps_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, captured = (run_on(CPU, LINE) for _ in range(2))
    graph, recorder, said = graph_of(captured)

    def failing(work: Callable[[], Tensor]) -> None:
        work()
        raise RuntimeError("operation not permitted when stream is capturing\nat length")

    monkeypatch.setattr(recorder, "record", failing)
    same(plain, captured)
    assert graph.failure == "operation not permitted when stream is capturing"
    assert len(said) == 1


@pytest.mark.parametrize("forgotten", ["learning rate", "step", "share in the average", "a failing replay"])
def test_a_graph_that_gives_other_results_is_not_used(forgotten: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, captured = (run_on(CPU, LINE) for _ in range(2))
    graph, recorder, said = graph_of(captured)
    record = recorder.record

    def recorded(work: Callable[[], Tensor]) -> tuple[Callable[[], None], Tensor]:
        replay, result = record(work)

        def spoiled() -> None:
            if forgotten == "a failing replay":
                raise RuntimeError("out of memory")
            captured.numbers.set(forgotten, 0)
            replay()

        return spoiled, result

    monkeypatch.setattr(recorder, "record", recorded)
    same(plain, captured)
    assert not graph.used
    assert graph.failure is not None
    assert len(said) == 1


def test_a_graph_that_is_no_faster_is_not_used() -> None:
    plain, captured = (run_on(CPU, LINE) for _ in range(2))
    graph, recorder, said = graph_of(captured, replayed=2.0)
    same(plain, captured)
    assert not graph.used
    assert recorder.replays == 1
    assert not said


def test_a_whole_run_is_the_same_where_its_steps_are_replayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Covers epochs with a partial batch, validation and monitors, and a run killed within an epoch."""
    begin(tmp_path / "plain")
    replays: list[OperationRecorder] = []

    @contextmanager
    def replaying(run: Training) -> Iterator[None]:
        replays.append(graph_of(run)[1])
        yield

    monkeypatch.setattr(Training, "_replaying", replaying)
    begin(tmp_path / "replayed")
    always_keep(monkeypatch)
    killed_at(8, monkeypatch, lambda: begin(tmp_path / "killed"))
    resume(tmp_path / "killed")
    assert all(recorder.replays > 1 for recorder in replays)
    for name in ("replayed", "killed"):
        for file in ("weights.safetensors", "last.safetensors"):
            assert (tmp_path / name / file).read_bytes() == (tmp_path / "plain" / file).read_bytes()
