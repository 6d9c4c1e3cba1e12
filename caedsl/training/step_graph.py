"""Replay the step of a whole batch as one CUDA graph.

Small models need 100 to 200 kernels per step, and launching them one by one takes longer than their arithmetic. A graph
launches all of them at once: sample, forward and backward pass, clipping, optimizer and weight average.

A graph is verified before it is used. The same step is taken from the same state twice directly and once by the graph.
The graph must produce the same bits or, if a kernel sums in no fixed order, differ about as little as the two direct
steps do. It must also be faster. Otherwise, and after any failure, steps are computed directly.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from math import inf, sqrt
from typing import Protocol

import torch
from torch import Tensor, nn

from caedsl.backends.torch.averaging import WeightAverage
from caedsl.data.sample import Sample
from caedsl.training.non_finite_guard import NonFiniteGuard
from caedsl.training.objective import Losses

WARM_UP = 3
"""Number of direct steps at the start, which create the optimizer's moments and choose and load kernels."""

GAIN = 1.05
"""Least speed-up over a direct step for which a graph is used, since it holds the memory of a step permanently."""

NOISE = 4.0
"""A graph may differ from a direct step by this many times the difference between two direct steps."""


class Captured(Protocol):
    """Work that a graph replays, and the state that a step changes."""

    module: nn.Module
    optimizer: torch.optim.Optimizer
    average: WeightAverage | None
    guard: NonFiniteGuard
    scaler: torch.amp.GradScaler

    def compute(self, clean: Sample) -> Losses:
        """Compute the step on the device."""


class Recorder(Protocol):
    """Recorder that captures work on a device."""

    def strictly(self) -> AbstractContextManager[None]:
        """Work under the rules of capturing within the block: on another stream, where waiting is an error."""

    def record(self, work: Callable[[], Tensor]) -> tuple[Callable[[], None], Tensor]:
        """Capture ``work``; return a function that replays it, and its result."""

    def wait(self) -> None:
        """Wait until the device has done all that it was given."""


class CudaRecorder:
    """Capture of work on a CUDA device."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    @contextmanager
    def strictly(self) -> Iterator[None]:
        """Work on the capturing stream within the block; an operation that waits for the device is an error."""
        now = torch.cuda.current_stream(self._device)
        before = torch.cuda.get_sync_debug_mode()
        self._stream.wait_stream(now)
        torch.cuda.set_sync_debug_mode("error")
        try:
            with torch.cuda.stream(self._stream):
                yield
        finally:
            torch.cuda.set_sync_debug_mode(before)
            now.wait_stream(self._stream)

    def record(self, work: Callable[[], Tensor]) -> tuple[Callable[[], None], Tensor]:
        """Capture ``work`` without computing anything."""
        try:
            return self._record(work)
        except BaseException:
            # A failed capture leaves PyTorch's generator in capture mode; a successful capture resets it.
            with suppress(RuntimeError):
                self._record(lambda: torch.zeros((), device=self._device))
            raise

    def _record(self, work: Callable[[], Tensor]) -> tuple[Callable[[], None], Tensor]:
        graph = torch.cuda.CUDAGraph()
        # Other threads read and copy the next batches at the same time.
        with (
            torch.cuda.device(self._device),
            torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"),
        ):
            result = work()
        return graph.replay, result

    def wait(self) -> None:
        """Wait until the device has done all that it was given."""
        torch.cuda.synchronize(self._device)


class Snapshot:
    """Copy of all that a step changes."""

    def __init__(self, captured: Captured) -> None:
        module, average = captured.module, captured.average
        self._optimizer = captured.optimizer
        moments = [
            value
            for state in captured.optimizer.state.values()
            for value in state.values()
            if isinstance(value, Tensor)
        ]
        averages = average.averages if average is not None else []
        scaling = [value for value in vars(captured.scaler).values() if isinstance(value, Tensor)]
        self._places = [*module.parameters(), *module.buffers(), *moments, *averages, captured.guard.frozen, *scaling]
        self.values = [place.detach().clone() for place in self._places]

    @torch.no_grad()
    def restore(self) -> None:
        """Restore everything; gradients of an aborted step are dropped."""
        self._optimizer.zero_grad(set_to_none=True)
        for place, value in zip(self._places, self.values, strict=True):
            place.copy_(value)

    def distance(self, other: "Snapshot", start: "Snapshot") -> float:
        """Return the distance to ``other``, relative to the distance from ``start``; 0 for the same bits."""
        squares: list[float] = []
        for mine, others, before in zip(self.values, other.values, start.values, strict=True):
            if not torch.equal(mine, others):
                way = (mine.double() - before.double()).norm().item()
                squares.append(((mine.double() - others.double()).norm().item() / way) ** 2 if way else inf)
        return sqrt(sum(squares))


class StepGraph:
    """Steps of whole batches, replayed once the graph has been verified.

    ``failure`` says why steps are computed directly after all. It is None if the graph is used, is not captured yet, or
    was merely not faster.
    """

    def __init__(
        self,
        captured: Captured,
        recorder: Recorder,
        note: Callable[[str], None] = lambda text: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Capture a step of ``captured``; ``note`` is called once if that fails."""
        self.failure: str | None = None
        self.used = False
        self._captured, self._recorder, self._note, self._clock = captured, recorder, note, clock
        self._steps = 0
        self._given_up = False
        self._input: Sample | None = None
        self._names: Sequence[str] = ()
        self._replay: Callable[[], None] | None = None
        self._result = torch.zeros(())

    def take(self, clean: Sample) -> Losses:
        """Take a step on clean samples that are a whole batch."""
        self._steps += 1
        if self._given_up or self._steps <= WARM_UP:
            return self._captured.compute(clean)
        if self._input is None:
            return self._capture(clean)
        self._fill(clean)
        if not self.used:
            return self._prove()
        assert self._replay is not None
        self._replay()
        return self._losses(self._result.clone())

    def _fill(self, clean: Sample) -> None:
        """Copy samples to the memory that the graph reads."""
        assert self._input is not None
        self._input.seen.copy_(clean.seen)
        if clean.paired:
            self._input.target.copy_(clean.target)
        if self._input.weight is not None and clean.weight is not None:
            self._input.weight.copy_(clean.weight)

    def _work(self) -> Tensor:
        assert self._input is not None
        losses = self._captured.compute(self._input)
        self._names = tuple(losses.terms)
        return torch.stack([losses.total, losses.reconstruction, *losses.terms.values()])

    def _losses(self, row: Tensor) -> Losses:
        total, reconstruction, *terms = row.unbind()
        return Losses(total, reconstruction, dict(zip(self._names, terms, strict=True)))

    def _snapshot(self) -> Snapshot:
        return Snapshot(self._captured)

    def _capture(self, clean: Sample) -> Losses:
        """Take a direct step, and capture another one."""
        seen = clean.seen.clone()
        weight = None if clean.weight is None else clean.weight.clone()
        self._input = Sample(clean.target.clone() if clean.paired else seen, seen, None, weight, clean.share)
        start = self._snapshot()
        try:
            with self._recorder.strictly():
                row = self._work()
        except Exception as error:  # any part of the step may raise here and still work without a graph
            start.restore()
            self._give_up(error)
            return self._captured.compute(clean)
        after = self._snapshot()
        try:
            self._replay, self._result = self._recorder.record(self._work)
        except Exception as error:
            self._give_up(error)
        after.restore()
        return self._losses(row)

    def _prove(self) -> Losses:
        """Take a step twice directly and once by the graph, from the same state; decide whether to use the graph."""
        start, given = self._snapshot(), self._input
        assert given is not None
        try:
            return self._compared(start)
        except Exception as error:  # memory may not suffice for the graph and a direct step
            start.restore()
            self._give_up(error)
            return self._captured.compute(given)

    def _compared(self, start: Snapshot) -> Losses:
        row, first, _ = self._timed(self._work)
        start.restore()
        _, second, plain_seconds = self._timed(self._work)
        start.restore()
        replayed, third, seconds = self._timed(self._replayed)
        allowed = NOISE * first.distance(second, start)
        if first.distance(third, start) > allowed:
            first.restore()
            self._give_up("a replayed step gave other weights")
            return self._losses(row)
        self.used = GAIN * seconds <= plain_seconds
        if not self.used:
            self._drop()
        return self._losses(replayed)

    def _replayed(self) -> Tensor:
        assert self._replay is not None
        self._replay()
        return self._result.clone()

    def _timed(self, work: Callable[[], Tensor]) -> tuple[Tensor, Snapshot, float]:
        self._recorder.wait()
        begun = self._clock()
        row = work()
        self._recorder.wait()
        seconds = self._clock() - begun
        return row, self._snapshot(), seconds

    def _give_up(self, reason: Exception | str) -> None:
        text = str(reason).strip() or type(reason).__name__
        self.failure = text.splitlines()[0]
        self._note(f"steps are not replayed as a CUDA graph, which is slower but just as exact: {self.failure}")
        self._drop()

    def _drop(self) -> None:
        """Release the memory of the graph."""
        self._given_up = True
        self._replay, self._input, self._result = None, None, torch.zeros(())
