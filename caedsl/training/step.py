"""One optimizer step: sample, forward pass, loss, backward pass, update.

The step never waits for the device. Losses stay there until the loop reads them.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.instancenorm import _InstanceNorm

from caedsl.backends.torch.averaging import WeightAverage
from caedsl.backends.torch.batch_parts import parts_of, share_of
from caedsl.backends.torch.draws import Draws, connect, disconnect
from caedsl.data.batch_share import BatchShare
from caedsl.data.sample import Sample
from caedsl.model.data import InputRange
from caedsl.model.settings import Augment, Settled
from caedsl.training.batches import Batches
from caedsl.training.device import computing_with, deterministic_kernels, keeping_freed_memory, timed_convolutions
from caedsl.training.non_finite_guard import NonFiniteGuard
from caedsl.training.objective import Losses, Objective
from caedsl.training.optimizers import epsilon, make_optimizer
from caedsl.training.parallel.processes import current
from caedsl.training.precision import Precision, exact_output
from caedsl.training.sample import NOT_AUGMENTED, make_sample
from caedsl.training.schedules import learning_rate, plateau_of
from caedsl.training.step_graph import StepGraph
from caedsl.training.step_numbers import Number, StepNumbers


class Stepper:
    """Module with everything needed to train it step by step: objective, optimizer, learning rate and random state."""

    def __init__(
        self,
        module: nn.Module,
        train: Batches,
        settings: Settled,
        objective: Objective,
        input_range: InputRange,
        precision: Precision,
        network: nn.Module | None = None,
        target_range: InputRange | None = None,
    ) -> None:
        """Move ``module`` to the device of ``train``.

        ``network`` is the form of ``module`` that a step calls, with the same weights; by default it is the module.
        ``target_range`` defaults to the input range.
        """
        self.processes = current()
        self.module = channels_last_kernels(module.to(train.device))
        self.network = module if network is None else network
        self.joined: Callable[[Tensor], Tensor] = self.network
        self.train = train
        self.settings, self.objective, self.input_range, self.precision = settings, objective, input_range, precision
        self.target_range = target_range or input_range
        self.optimizer = make_optimizer(settings.optimizer, module.parameters())
        self.scaler = precision.scaler()
        self.guard = NonFiniteGuard(
            self.optimizer, train.device, not self.scaler.is_enabled(), self.processes.count > 1
        )
        self.average = WeightAverage(module, settings.ema) if settings.ema is not None else None
        self.plateau = plateau_of(settings.schedule)
        self.draws = Draws(settings.seed)
        """Random numbers of the steps. Layers draw from it in a step, and elsewhere from PyTorch's generator."""
        self.numbers = StepNumbers(train.device)
        self._share: Number = 0.0
        self._step_number: int | Tensor = 0
        self.graph: StepGraph | None = None
        """Graph that replays the steps of whole batches, or None if they are not captured."""
        self.threads: int | None = settings.threads if isinstance(settings.threads, int) else None
        """The number of CPU threads of a step; None keeps PyTorch's."""
        self.steps_per_epoch = math.ceil(len(train) / settings.batch)
        self.steps = self.steps_per_epoch * settings.epochs
        self.step = 0

    @property
    def lr(self) -> float:
        """Learning rate of the next step."""
        return learning_rate(self.settings, self.step, self.steps, self.steps_per_epoch, self.plateau.factor)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Give the module its final weights within the block: with ``ema`` these are the averages."""
        if self.average is not None:
            self.average.swap()
        try:
            yield
        finally:
            if self.average is not None:
                self.average.swap()

    def weights(self) -> dict[str, Tensor]:
        """Return a copy of the state dict with the final weights, contiguous and in main memory."""
        with self.averaged():
            return {
                name: value.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
                for name, value in self.module.state_dict().items()
            }

    @contextmanager
    def stepping(self) -> Iterator[None]:
        """Allow steps within the block; afterwards restore threads, memory settings and layers."""
        device = self.train.device
        with ExitStack() as stack:
            stack.enter_context(computing_with(self.threads))
            stack.enter_context(keeping_freed_memory(device))
            stack.enter_context(drawing(self.network, self.draws))
            stack.enter_context(self.objective.watching(self.network))
            stack.enter_context(self.precision.products())
            stack.enter_context(deterministic_kernels(device, self.settings.deterministic))
            stack.enter_context(timed_convolutions(device, not self.settings.deterministic))
            stack.enter_context(sound_norms(self.module, self.network))
            if not self.precision.kind.exact:
                stack.enter_context(exact_output(self.network))
            self.joined = stack.enter_context(self.processes.joined(self.network))
            yield

    def take_step(self, clean: Sample, whole: int | None = None) -> Losses:
        """Take one optimizer step on the clean samples of this process, accumulating gradients over parts.

        ``whole`` is the number of images of all processes, by default of this one. The losses stay on the device; their
        means over the processes are the losses of the batch.
        """
        whole = len(clean) if whole is None else whole
        self._set_numbers()
        replayed = self.graph is not None and whole == self.settings.batch
        losses = self.graph.take(clean) if self.graph is not None and replayed else self.compute(clean, whole)
        self.step += 1
        return losses

    def _set_numbers(self) -> None:
        """Set the values that change from step to step, before the step."""
        number = self.numbers.set("step", self.step)
        self._step_number = number if isinstance(number, Tensor) else self.step
        self.objective.begin(self.step, self.steps, self.numbers)
        lr = self.numbers.set("learning rate", self.lr)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
            if (eps := epsilon(self.settings.optimizer, self.step + 1)) is not None:
                group["eps"] = self.numbers.set("epsilon", eps)
        if self.average is not None:
            self._share = self.numbers.set("share in the average", self.average.share())

    def compute(self, clean: Sample, whole: int | None = None) -> Losses:
        """Compute a step: all of its work on the device, without waiting for the device."""
        whole = len(clean) if whole is None else whole
        sizes = parts_of(whole, self.settings.accumulate)
        mine = [share_of(size, self.processes.number, self.processes.count) for size in sizes]
        losses: Losses | None = None
        before = 0
        for number, (size, part) in enumerate(zip(sizes, clean.split(mine), strict=True)):
            self.processes.begin(size)
            with self._gradients_sent(number == len(sizes) - 1):
                found = self._add_gradients(part, size / whole, before)
            before += size
            losses = found if losses is None else losses.plus(found)
        assert losses is not None, "a step has images"
        self._update()
        return losses._replace(total=self.guard.marked(losses.total))

    def _gradients_sent(self, last: bool) -> AbstractContextManager[None]:
        """Return a context that reduces gradients across processes only for the last part."""
        keep: Callable[[], AbstractContextManager[None]] | None = getattr(self.joined, "no_sync", None)
        return nullcontext() if last or keep is None else keep()

    def _add_gradients(self, clean: Sample, share: float, before: int) -> Losses:
        """Add the gradients of a part that holds ``share`` of the images of the step, after ``before`` others."""
        part = self.processes.share_of_batch(clean.seen)
        self.draws.begin(self._step_number, len(clean), before + part.start, self.train.device)
        sample = self.sample(clean, self.draws, part, self.settings.augment)
        with self.precision.autocast():
            prediction = self.joined(sample.seen)
        self.draws.end()
        losses = self.objective(self.module, prediction, sample, share, weights_too=before == 0)
        self.guard.notice(losses.total)
        self.scaler.scale(self.guard.signalling(losses.total)).backward()  # type: ignore[no-untyped-call]
        return losses.detached()

    def sample(self, clean: Sample, draws: Draws, part: BatchShare, augmentation: Augment = NOT_AUGMENTED) -> Sample:
        """Make a sample from clean samples, which are ``part`` of a batch, with this run's corruption."""
        return make_sample(
            clean,
            draws,
            self.input_range,
            self.settings.corrupt,
            augmentation=augmentation,
            share=part.weight,
            target_range=self.target_range,
        )

    def _update(self) -> None:
        if self.settings.clip is not None:
            self.scaler.unscale_(self.optimizer)
            norm = nn.utils.clip_grad_norm_(self.module.parameters(), self.settings.clip)
            self.guard.notice(norm)
        self.guard.before_step()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        if self.average is not None:
            include(self.average, self._share)


@contextmanager
def drawing(network: nn.Module, draws: Draws) -> Iterator[None]:
    """Make the random layers of ``network`` draw from ``draws`` in the steps within the block."""
    connect(network, draws)
    try:
        yield
    finally:
        draws.end()
        disconnect(network)


@torch.no_grad()
def include(average: WeightAverage, share: Number) -> None:
    """Update the averages with the weights after a step; ``share`` is the share of the new weights."""
    if not isinstance(share, Tensor):
        torch._foreach_lerp_(average.averages, average.values, share)
        return
    moves = torch._foreach_sub(average.values, average.averages)
    torch._foreach_mul_(moves, share)
    torch._foreach_add_(average.averages, moves)


def channels_last_kernels(module: nn.Module) -> nn.Module:
    """Convert kernels to channels last, in which convolutions are fastest."""
    if any(weight.dim() == 5 for weight in module.parameters()):
        return module  # kernels of volumes need another format, which is no faster on a CPU
    return module.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


@contextmanager
def sound_norms(*networks: nn.Module) -> Iterator[None]:
    """Avoid two faults of PyTorch 2.13 on a CPU within the block; they concern channels-last images.

    The gradient of instance normalisation is wrong for a single image: the equivalent group normalisation is computed.
    The backward pass of group normalisation crashes the process where its input needs no gradient: it gets one.
    """
    layers = {part for network in networks for part in network.modules()}
    for layer in layers:
        if isinstance(layer, _InstanceNorm):
            vars(layer)["forward"] = _for_single_images(layer, layer.forward)
        elif isinstance(layer, nn.GroupNorm):
            vars(layer)["forward"] = _with_gradient(layer.forward)
    try:
        yield
    finally:
        for layer in layers:
            if isinstance(layer, _InstanceNorm | nn.GroupNorm):
                vars(layer).pop("forward", None)


def _with_gradient(plain: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    def forward(x: Tensor) -> Tensor:
        return plain(x.detach().requires_grad_() if torch.is_grad_enabled() and not x.requires_grad else x)

    return forward


def _for_single_images(layer: _InstanceNorm, plain: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    def forward(x: Tensor) -> Tensor:
        if len(x) != 1 or layer.track_running_stats:
            return plain(x)
        return _with_gradient(as_groups)(x)

    def as_groups(x: Tensor) -> Tensor:
        return functional.group_norm(x, layer.num_features, layer.weight, layer.bias, layer.eps)

    return forward
