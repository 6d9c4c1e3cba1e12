"""Trial steps before a run, taken on a copy so that the run itself does not change."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from copy import copy, deepcopy
from dataclasses import replace
from itertools import count
from traceback import clear_frames

import torch

from caedsl.backends.torch.draws import Draws
from caedsl.backends.torch.seeds import derived_seed
from caedsl.data.sample import Sample
from caedsl.machine.memory import is_own_process, refused_beyond_available
from caedsl.model.settings import Schedule
from caedsl.training.device import give_freed_memory_back
from caedsl.training.errors import OutOfMemoryError, is_out_of_memory, out_of_memory, refused_by_onednn
from caedsl.training.loop import Training
from caedsl.training.parallel.processes import ALONE, training_with

STEPS_TO_FILL = 2
"""Steps after which a run holds all its memory: the first creates optimizer states, the second needs both."""


HEADROOM = 1.25
"""A batch size is suggested only if this many times as many images fit: a run holds more memory than a few steps."""


def copy_of(training: Training) -> Training:
    """Return a new run like ``training`` at its start, with its own weights, optimizer and random state.

    On a GPU its network is not compiled, since compiling takes longer than a few steps save.
    """
    if training.train.device.type == "cpu":
        module, network = deepcopy((training.module, training.network))
    else:
        module, network = deepcopy(training.module), None
    with training_with(ALONE):
        trial = Training(
            module,
            training.train,
            None,
            training.settings,
            copy(training.objective),
            training.input_range,
            training.precision,
            network,
            training.target_range,
        )
    trial.threads = training.threads
    return trial


def steps_at(trial: Training, rates: Iterable[float], batches: Iterator[Sample], purpose: str) -> Generator[float]:
    """Take a step at each of these multiples of the learning rate, and yield the loss before it.

    Random numbers derive from the seed and ``purpose``. The schedule is ignored, since ``rates`` contain it.
    """
    # Without a schedule, the factor of the plateau multiplies the learning rate of each step.
    trial.settings = replace(trial.settings, schedule=Schedule())
    trial.draws = Draws(trial.settings.seed, purpose)
    with trial.stepping():
        trial.module.train()
        for rate, clean in zip(rates, batches, strict=False):
            trial.plateau.factor = rate
            yield trial.take_step(clean).total.item()


def batches_of(trial: Training, purpose: str) -> Iterator[Sample]:
    """Yield shuffled batches without end, in orders that depend on the seed and ``purpose``."""
    for number in count():
        yield from trial.train.shuffled(
            trial.settings.batch, derived_seed(trial.settings.seed, purpose, "order", number)
        )


def in_miniature(fresh: Training, steps: int) -> Sequence[float]:
    """Return the schedule's factors for ``steps`` steps that cover the schedule of the whole run.

    ``plateau`` stays at its first factor.
    """
    schedule, whole = fresh.settings.schedule, fresh.steps
    return [schedule.factor(step * whole // steps, whole, fresh.steps_per_epoch) for step in range(steps)]


def first_batch(trial: Training, batch: int) -> Sample:
    """Return the first ``batch`` images, and wait until they are on the device."""
    images = next(trial.train.in_order(batch))
    wait_for(trial.train.device)
    return images


@contextmanager
def trial_steps(trial: Training, images: Sample) -> Iterator[Callable[[int], None]]:
    """Yield a function that takes a number of complete steps with these images, and waits for the device.

    Within the block steps reuse the memory of earlier ones, as in a run: otherwise they take up to 40 % longer.
    """

    def take(steps: int) -> None:
        for _ in range(steps):
            trial.take_step(images)
        wait_for(trial.train.device)

    with trial.stepping():
        trial.module.train()
        yield take


def wait_for(device: torch.device) -> None:
    """Wait until the device has finished all its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def fits(trial: Training, batch: int) -> bool:
    """Return whether steps of ``trial`` on ``batch`` images fit in memory; a failed step's memory is released."""
    try:
        with trial_steps(trial, first_batch(trial, batch)) as take:
            take(STEPS_TO_FILL)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        # The frames of the failed step still refer to its tensors.
        clear_frames(error.__traceback__)
        _give_back(trial)
        return False
    return True


def _give_back(training: Training) -> None:
    """Free the memory that steps have left behind, including cached device or main memory."""
    training.optimizer.zero_grad(set_to_none=True)
    training.optimizer.state.clear()
    if training.train.device.type == "cuda":
        torch.cuda.empty_cache()
    else:
        give_freed_memory_back()


@contextmanager
def naming_what_fits(training: Training) -> Iterator[None]:
    """Turn an out-of-memory error within the block into one that names a batch size that fits.

    The memory of the failed step and of the optimizer is released, and smaller batches are tried on a copy. The run
    cannot continue after that, but the weights of its best and last epoch are kept. If several processes train
    together, none can try smaller batches, since the others wait in the failed step and hold their memory. Nor can a
    notebook on a CPU: its memory is not limited, so that a batch that does not fit may end it.
    """
    alone, on_cpu = training.processes.count == 1, training.train.device.type == "cpu"
    with refused_beyond_available() if alone and on_cpu else nullcontext():
        try:
            yield
        except OutOfMemoryError as error:
            if not alone or (on_cpu and not is_own_process()):
                raise
            cause = error.__cause__
            if cause is not None:
                clear_frames(cause.__traceback__)
            _give_back(training)
            fitting = largest_fitting(training)
            refused = refused_by_onednn(cause) if fitting is None else None
            raise refused or out_of_memory(training.settings.batch, fitting, tried=True) from cause


def largest_fitting(training: Training) -> int | None:
    """Return the batch size of ``training``, halved until it fits; None if nothing fits into the remaining memory."""
    try:
        trial = copy_of(training)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return None
    size = min(training.settings.batch, len(training.train)) // 2
    while size and not fits(trial, int(HEADROOM * size)):
        size //= 2
    return size or None
