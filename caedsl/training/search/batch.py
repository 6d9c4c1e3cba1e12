"""``batch auto``: the largest batch that fits in memory, is faster than smaller ones, and leaves enough steps.

Each batch is one step whatever its size, so a larger batch that is no faster only reduces the number of steps.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from caedsl.diagnostics.text import counted
from caedsl.facts.cost import training_memory
from caedsl.facts.steps import ENOUGH_STEPS, FEWEST_BATCHES
from caedsl.machine.memory import available_memory
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Train
from caedsl.training.errors import out_of_memory
from caedsl.training.loop import Training
from caedsl.training.search.trials import first_batch, fits, trial_steps

SMALLEST = 8
"""Smallest batch tried.

Below it gradients are noisy, and batch normalisation even more (Wu and He 2018, arXiv 1803.08494)."""

GAIN = 1.05
"""Least speed-up, in images per second, that justifies a larger batch (heuristic: less is mostly timing noise)."""

SECONDS_A_SIZE, STEPS_A_SIZE = 0.2, 3
"""Least time and least number of steps for which each size is timed."""

SHARE_OF_MAIN_MEMORY = 0.5
"""Largest share of free main memory for a step: the estimate is accurate to 30 %, and others use memory too."""


class Candidates(NamedTuple):
    """Batch sizes to try in ascending order, and the reason why the next size is excluded."""

    sizes: tuple[int, ...]
    end: str


class FoundBatch(NamedTuple):
    """Batch size, a note about it, and the measured images per second for each size."""

    batch: int
    note: str
    rates: tuple[tuple[int, float], ...]


def candidates(model: Autoencoder, settings: Train, images: int, on_cpu: bool) -> Candidates:
    """Return the powers of two from 8, as far as the number of ``images``, the spec's bounds and main memory allow.

    At least 10 batches must remain in an epoch, and 1,000 steps in the run. No size leaves a single image for the last
    batch, since some normalisations cannot be trained on it.
    """
    sizes: list[int] = []
    size, end = min(SMALLEST, images), ""
    while not end:
        sizes.append(next(fine for fine in range(size, 0, -1) if images % fine != 1 or fine == 1))
        size *= 2
        end = _forbidden(model, settings, images, size, on_cpu)
    return Candidates(tuple(dict.fromkeys(sizes)), end)


def _forbidden(model: Autoencoder, settings: Train, images: int, size: int, on_cpu: bool) -> str:
    batches = -(-images // size)
    if batches < FEWEST_BATCHES:
        return f"with {size} an epoch would have {counted(batches, 'step')}, fewer than {FEWEST_BATCHES}"
    if batches * settings.epochs < ENOUGH_STEPS:
        return (
            f"with {size} the run would have {counted(batches * settings.epochs, 'step')}, fewer than {ENOUGH_STEPS:,}"
        )
    needed = training_memory(model, replace(settings, batch=size))
    for bound in model.require:
        if bound.quantity == "memory" and bound.high is not None and needed >= bound.high:
            return f"with {size} a step would not keep `{bound.text}`"
    free = available_memory() if on_cpu else None
    if free is not None and needed > SHARE_OF_MAIN_MEMORY * free:
        return f"with {size} a step would take half of the free main memory or more"
    return ""


def find_batch(
    trial: Training,
    wanted: Candidates,
    on_size: Callable[[int, int], None] = lambda done, total: None,
    clock: Callable[[], float] = time.perf_counter,
) -> FoundBatch:
    """Time complete steps of ``trial`` at each size, until one does not fit or two in a row are no faster.

    ``on_size`` is called with the number of sizes done and the total. Raise ``OutOfMemoryError`` if not even the
    smallest size fits; it names a batch size that does.
    """
    rates: list[tuple[int, float]] = []
    best, end = 0, wanted.end
    for number, size in enumerate(wanted.sizes):
        on_size(number, len(wanted.sizes))
        if not fits(trial, size):
            end = f"{size} do not fit into memory"
            break
        rates.append((size, _images_per_second(trial, size, clock)))
        if number == 0 or rates[-1][1] >= GAIN * rates[best][1]:
            best = number
        elif number - best >= 2:
            break
    on_size(len(wanted.sizes), len(wanted.sizes))
    if not rates:
        smaller = next((size for size in (4, 2, 1) if size < wanted.sizes[0] and fits(trial, size)), 0)
        raise out_of_memory(wanted.sizes[0], smaller)
    if best < len(rates) - 1:
        end = "larger batches are hardly faster"
    measured = ", ".join(f"{size}: {rate:,.0f}" for size, rate in rates)
    return FoundBatch(
        rates[best][0], f"batch auto: {rates[best][0]}, because {end} (samples/s: {measured})", tuple(rates)
    )


def _images_per_second(trial: Training, size: int, clock: Callable[[], float]) -> float:
    """Return the images per second of the fastest of several steps, since disturbances only make steps slower.

    The batch is loaded before, since the speed of reading images does not depend on the batch size.
    """
    images = first_batch(trial, size)
    fastest, spent, steps = float("inf"), 0.0, 0
    with trial_steps(trial, images) as take:
        while steps < STEPS_A_SIZE or spent < SECONDS_A_SIZE:
            begun = clock()
            take(1)
            seconds = max(clock() - begun, 1e-9)
            fastest, spent, steps = min(fastest, seconds), spent + seconds, steps + 1
    return len(images) / fastest
