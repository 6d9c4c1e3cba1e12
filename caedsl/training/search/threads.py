"""``threads auto``: the number of CPU threads with which steps are fastest, measured before the run starts.

The best number depends on the model and on other processes. Threads wait for each other in every layer, so small
models, CPU quotas and busy cores all favour fewer threads.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import median
from typing import NamedTuple

import torch

from caedsl.diagnostics.text import counted
from caedsl.machine.cores import allowed_cores, are_cores_busy
from caedsl.training.errors import memory_errors
from caedsl.training.loop import Training
from caedsl.training.reporter import Reporter
from caedsl.training.search.trials import copy_of, first_batch, naming_what_fits, trial_steps

SHARE_OF_RUN, SHARE_ON_BUSY_CORES = 0.03, 0.25
"""Largest share of the run's steps that the search may take, and that of a short run while other processes are busy.

On a quiet machine a short run loses little with too many threads. On busy cores threads wait for each other at every
layer: on two cores with a load of 11, a step on two threads took 1.1 s, and on one thread 0.1 s.
"""

ROUNDS, FEWEST_STEPS = 3, 2
"""Number of rounds, in which all thread counts take turns, and least steps per turn; the first step is not timed."""

SECONDS_A_TURN = 0.15
"""Time limit of a turn: several time slices of the scheduler, so that a busy machine slows every turn equally."""

GAIN = 1.1
"""Least speed-up for which PyTorch's own count is replaced (heuristic: smaller differences are noise)."""


HOPELESS = 3.0
"""A thread count that is this many times slower than the fastest takes no further turns."""


class ThreadTimes(NamedTuple):
    """Thread count to use, and the seconds per step with each count; empty if nothing was measured."""

    threads: int
    seconds: Mapping[int, float]


def usable_threads() -> int:
    """Return the largest useful number of threads: PyTorch's own number, limited by affinity and CPU quotas."""
    return min(torch.get_num_threads(), allowed_cores())


def counts_up_to(most: int) -> tuple[int, ...]:
    """Return the thread counts to try: powers of two below ``most``, and ``most``."""
    return (*(2**power for power in range(most.bit_length()) if 2**power < most), most)


def choose_threads(training: Training, reporter: Reporter) -> tuple[str, ...]:
    """Set the number of threads of a new run on a CPU, and return notes about it.

    A number in the spec takes precedence. Several processes that train together, and runs on a GPU, keep PyTorch's
    number. The run is otherwise unchanged.
    """
    if training.threads is not None:
        return _beyond(training.threads)
    if training.train.device.type != "cpu" or training.processes.count > 1:
        return ()
    most = usable_threads()
    try:
        found = measure(training, counts_up_to(most), reporter=reporter)
    finally:
        reporter.end()
    training.threads = found.threads
    if not found.seconds:
        return ()
    times = ", ".join(f"{count}: {1000 * seconds:.3g}" for count, seconds in found.seconds.items())
    return (f"threads auto: {found.threads} of {most} (milliseconds per step: {times})",)


def resume_threads(training: Training, began_on: str, recorded: int) -> tuple[str, ...]:
    """Give a resumed run its original number of threads, on which the last bits of its results depend; return notes."""
    if training.threads is None and training.processes.count == 1 and training.train.device.type == "cpu":
        training.threads = recorded if began_on == "cpu" else usable_threads()
    return _beyond(training.threads)


def _beyond(threads: int | None) -> tuple[str, ...]:
    cores = allowed_cores()
    if threads is None or threads <= cores:
        return ()
    return (
        f"the run uses {threads} threads, but this process may use only {counted(cores, 'core')}: steps may be slower",
    )


def measure(
    training: Training,
    counts: tuple[int, ...],
    clock: Callable[[], float] = time.perf_counter,
    reporter: Reporter | None = None,
    busy: Callable[[], bool] = are_cores_busy,
) -> ThreadTimes:
    """Time steps of a copy of ``training`` with each of the ``counts``; the last is kept unless another is faster.

    Nothing is measured if the search would take too large a share of the run's steps.
    """
    allowance, most = (int(share * training.steps) // len(counts) for share in (SHARE_OF_RUN, SHARE_ON_BUSY_CORES))
    if len(counts) > 1 and allowance < FEWEST_STEPS <= most and busy():
        allowance = FEWEST_STEPS
    if len(counts) == 1 or allowance < FEWEST_STEPS:
        return ThreadTimes(counts[-1], {})
    rounds = min(ROUNDS, allowance // FEWEST_STEPS)
    trial = copy_of(training)
    turns: dict[int, list[float]] = {count: [] for count in counts}
    with naming_what_fits(training), memory_errors(training.settings.batch):
        images = first_batch(trial, training.settings.batch)
        for number in range(rounds):
            if reporter is not None:
                reporter.loading("finding the number of threads", number, rounds, "rounds")
            for count in _in_the_running(turns):
                trial.threads = count
                with trial_steps(trial, images) as take:
                    take(1)
                    turns[count].append(_seconds_a_step(partial(take, 1), allowance // rounds - 1, clock))
    seconds = {count: median(turn) for count, turn in turns.items()}
    fastest = min(counts, key=lambda count: seconds[count])
    return ThreadTimes(fastest if GAIN * seconds[fastest] <= seconds[counts[-1]] else counts[-1], seconds)


def _in_the_running(turns: Mapping[int, Sequence[float]]) -> list[int]:
    """Return the counts to measure in the next round."""
    fastest = min((min(turn) for turn in turns.values() if turn), default=0.0)
    return [count for count, turn in turns.items() if not turn or min(turn) < HOPELESS * fastest]


def _seconds_a_step(step: Callable[[], None], most: int, clock: Callable[[], float]) -> float:
    """Return the mean time of a step, not the least, since other processes will disturb the steps of the run too."""
    begun, steps = clock(), 0
    while steps < most:
        step()
        steps += 1
        if clock() - begun >= SECONDS_A_TURN:
            break
    return max(clock() - begun, 1e-9) / steps
