"""Whether the network of a run on CUDA is compiled: two steps are timed, and compiling must pay over the whole run."""

import time
from collections.abc import Callable

from caedsl.backends.torch.instantiate import ConvolutionalAutoencoder
from caedsl.training.compiled_network import CompiledNetwork
from caedsl.training.errors import memory_errors
from caedsl.training.loop import Training
from caedsl.training.parallel.synchronised_layers import sees_whole_batches
from caedsl.training.search.trials import copy_of, first_batch, naming_what_fits, take_steps

COMPILED_ON = ("cuda",)
"""On a CPU the faster form of a network takes the place of a compiled one."""

SECONDS_TO_COMPILE = 60.0
PAYS_FROM = 3 * SECONDS_TO_COMPILE
"""How long an uncompiled run must be: compiled steps, some 1.5 times faster, then make good their start."""

UNTIMED, TIMED = 2, 2
"""Steps that load kernels, and steps that are timed."""


def settle_compilation(training: Training) -> None:
    """Compile the network of a run that is ready to start, where that pays.

    Of several processes the first times its steps, and all do what it comes to. They compile no layers that look at
    whole batches: where the compiler failed in one process alone, the others would wait for it in such a layer.
    """
    if training.train.device.type not in COMPILED_ON or not isinstance(training.module, ConvolutionalAutoencoder):
        return
    if training.processes.count > 1 and sees_whole_batches(training.module):
        return
    if training.processes.from_first(lambda: pays(training)):
        training.network = training.joined = CompiledNetwork(training.module)


def pays(training: Training, clock: Callable[[], float] = time.perf_counter) -> bool:
    """Return whether a run is long enough to be compiled, by the time of two steps of a copy."""
    trial = copy_of(training)
    with naming_what_fits(training), memory_errors(training.settings.batch):
        images = first_batch(trial, training.settings.batch)
        take_steps(trial, images, UNTIMED)
        begun = clock()
        take_steps(trial, images, TIMED)
    return training.steps * (clock() - begun) / TIMED >= PAYS_FROM
