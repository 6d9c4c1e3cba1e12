"""Decide whether to compile the network of a run on CUDA: if timed steps show that the run is long enough."""

import time
from collections.abc import Callable

from caedsl.backends.torch.instantiate import ConvolutionalAutoencoder
from caedsl.training.compiled_network import CompiledNetwork
from caedsl.training.errors import memory_errors
from caedsl.training.loop import Training
from caedsl.training.parallel.synchronised_layers import sees_whole_batches
from caedsl.training.search.trials import copy_of, first_batch, naming_what_fits, trial_steps

COMPILED_ON = ("cuda",)
"""Device types on which networks are compiled. On a CPU the faster form of a network is used instead."""

SECONDS_TO_COMPILE = 60.0
PAYS_FROM = 3 * SECONDS_TO_COMPILE
"""Least duration of an uncompiled run in seconds: compiled steps are some 1.5 times faster, which then saves more time
than compiling takes."""

UNTIMED, TIMED = 2, 2
"""Number of steps that load kernels, and of steps that are timed."""


def choose_compilation(training: Training) -> None:
    """Compile the network of a run that is ready to start, if that saves time.

    If several processes train together, the first times its steps, and all follow its decision. They do not compile
    networks with layers that compute over whole batches: if the compiler failed in a single process, the others would
    wait for it in such a layer.
    """
    if training.train.device.type not in COMPILED_ON or not isinstance(training.module, ConvolutionalAutoencoder):
        return
    if training.processes.count > 1 and sees_whole_batches(training.module):
        return
    if training.processes.from_first(lambda: pays(training)):
        training.network = training.joined = CompiledNetwork(training.module)


def pays(training: Training, clock: Callable[[], float] = time.perf_counter) -> bool:
    """Return whether a run is long enough to be compiled, judged by the time of two steps of a copy."""
    trial = copy_of(training)
    with naming_what_fits(training), memory_errors(training.settings.batch):
        images = first_batch(trial, training.settings.batch)
        with trial_steps(trial, images) as take:
            take(UNTIMED)
            begun = clock()
            take(TIMED)
            seconds = clock() - begun
    return training.steps * seconds / TIMED >= PAYS_FROM
