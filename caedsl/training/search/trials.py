"""Steps taken to learn something before a run: on a copy of it, so that nothing of the run itself changes."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from copy import copy, deepcopy
from dataclasses import replace
from itertools import count
from traceback import clear_frames

import torch

from caedsl.backends.torch.seeds import derived_seed
from caedsl.data.memory import refused_beyond_available
from caedsl.data.sample import Sample
from caedsl.model.settings import Schedule
from caedsl.training.device import give_freed_memory_back
from caedsl.training.errors import OutOfMemoryError, is_out_of_memory, out_of_memory, refused_by_onednn
from caedsl.training.loop import Training
from caedsl.training.parallel.processes import ALONE, training_with

STEPS_TO_FILL = 2
"""Steps after which a run holds all it will: the first makes the optimizer's states, the second works beside them."""


HEADROOM = 1.25
"""So many times the images are tried of a batch that is named: a run holds some things that a few steps do not."""


def copy_of(training: Training) -> Training:
    """Return a run that begins like ``training``, with weights, an optimizer and random streams of its own.

    On a GPU it calls the module as it is: compiling costs more than a few steps gain.
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

    Random numbers come from the seed and ``purpose``. The schedule is left out: it is in the rates.
    """
    # The plateau's factor, by which a run's rate may change between two steps, is then the rate itself.
    trial.settings = replace(trial.settings, schedule=Schedule())
    with trial.stepping():
        torch.manual_seed(derived_seed(trial.settings.seed, purpose, "layers"))
        trial.generator.manual_seed(derived_seed(trial.settings.seed, purpose, "disturbance"))
        trial.module.train()
        for rate, clean in zip(rates, batches, strict=False):
            trial.plateau.factor = rate
            yield trial.take_step(clean).total.item()


def batches_of(trial: Training, purpose: str) -> Iterator[Sample]:
    """Yield batches as in training, without an end, in orders that depend on the seed and ``purpose``."""
    for number in count():
        yield from trial.train.shuffled(
            trial.settings.batch, derived_seed(trial.settings.seed, purpose, "order", number)
        )


def in_miniature(fresh: Training, steps: int) -> Sequence[float]:
    """Return the factors of ``steps`` steps that go through the schedule as the whole run does.

    ``plateau`` stays at its first.
    """
    schedule, whole = fresh.settings.schedule, fresh.steps
    return [schedule.factor(step * whole // steps, whole, fresh.steps_per_epoch) for step in range(steps)]


def first_batch(trial: Training, batch: int) -> Sample:
    """Take the first ``batch`` images, and wait until they are there."""
    images = next(trial.train.in_order(batch))
    wait_for(trial.train.device)
    return images


def take_steps(trial: Training, images: Sample, steps: int) -> None:
    """Take so many whole steps (forward, backward and update) with these images, and wait for the device."""
    with trial.stepping():
        trial.module.train()
        for _ in range(steps):
            trial.take_step(images)
        wait_for(trial.train.device)


def wait_for(device: torch.device) -> None:
    """Wait until the device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def fits(trial: Training, batch: int) -> bool:
    """Whether steps of ``trial`` with so many images fit the memory; what a failed one held is given back."""
    try:
        take_steps(trial, first_batch(trial, batch), STEPS_TO_FILL)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        # The frames of the failed step hold its tensors.
        clear_frames(error.__traceback__)
        _give_back(trial)
        return False
    return True


def _give_back(training: Training) -> None:
    """Free what steps have left behind, also what is kept of the device or of main memory for later."""
    training.optimizer.zero_grad(set_to_none=True)
    training.optimizer.state.clear()
    if training.train.device.type == "cuda":
        torch.cuda.empty_cache()
    else:
        give_freed_memory_back()


@contextmanager
def naming_what_fits(training: Training) -> Iterator[None]:
    """Inside, memory that runs out in ``training`` is an error that names the batch size that fits.

    What the failed step and the optimizer held is given back, and then smaller batches are tried on a copy. The run
    cannot go on after that; the weights of its best and last epoch are untouched. Of several processes that train
    together none can try: the others wait in the step that failed, and hold their memory.
    """
    alone = training.processes.count == 1
    with refused_beyond_available() if alone and training.train.device.type == "cpu" else nullcontext():
        try:
            yield
        except OutOfMemoryError as error:
            if not alone:
                raise
            cause = error.__cause__
            if cause is not None:
                clear_frames(cause.__traceback__)
            _give_back(training)
            fitting = largest_fitting(training)
            refused = refused_by_onednn(cause) if fitting is None else None
            raise refused or out_of_memory(training.settings.batch, fitting, tried=True) from cause


def largest_fitting(training: Training) -> int | None:
    """Return the batch size of ``training``, halved until it fits; None where nothing fits beside what it holds."""
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
