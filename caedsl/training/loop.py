"""The training loop.

The inner loop never waits for the device: losses are written to a ledger there, and read a few times a second and at
the end of each epoch. Every random number comes from the seed and the epoch, so that an epoch can be repeated by
itself. Between two steps the whole state can be kept, and a run that starts from it takes the same steps bit for bit.
Several processes may train together: each takes its part of every batch, and at meetings they settle the ledger and
agree on going on.

x_bchw: batch, channels, height, width.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext

import torch
from torch import Tensor, nn

from caedsl.data.augmentation import augment
from caedsl.data.corruption import corrupt
from caedsl.model.data import InputRange
from caedsl.model.settings import Settled
from caedsl.runs.history import Epoch, History, Step
from caedsl.training.batches import Batches
from caedsl.training.ema import WeightAverage
from caedsl.training.errors import NotFiniteError, memory_errors, remedies
from caedsl.training.ledger import Ledger
from caedsl.training.monitors.engine.probe_schedule import Moments, sizes
from caedsl.training.monitors.engine.watch import Watch
from caedsl.training.non_finite_guard import Standstill
from caedsl.training.objective import Objective
from caedsl.training.optimizers import epsilon, make_optimizer
from caedsl.training.parallel.processes import current
from caedsl.training.precision import Precision, exact_output
from caedsl.training.schedules import Plateau, factor
from caedsl.training.seeds import derived_seed

SECONDS_BETWEEN_READS = 0.25
TO_BE_CONTINUED = ("interrupted", "trouble")
"""Reasons to end within an epoch after which the rest of it may follow, as if nothing had been."""


class Training:
    """A run in progress: what changes from step to step, and the weights of the best and of the last epoch."""

    def __init__(
        self,
        module: nn.Module,
        train: Batches,
        validation: Batches | None,
        settings: Settled,
        objective: Objective,
        input_range: InputRange,
        precision: Precision,
        network: nn.Module | None = None,
    ) -> None:
        """``network`` is what a step calls: another form of ``module`` with its weights, by default the module itself."""
        self.processes = current()
        self.module = _channels_last(module.to(train.device))
        self.network = module if network is None else network
        self.joined: Callable[[Tensor], Tensor] = self.network
        self.train, self.validation = train, validation
        self.settings, self.objective, self.input_range, self.precision = settings, objective, input_range, precision
        self.optimizer = make_optimizer(settings.optimizer, module.parameters())
        self.scaler = precision.scaler()
        self.standstill = Standstill(
            self.optimizer, train.device, not self.scaler.is_enabled(), self.processes.count > 1
        )
        self.watch: Watch | None = None
        self.moments = Moments(sizes(train, settings.batch)[0], settings.batch)
        self.average = WeightAverage(module, settings.ema) if settings.ema is not None else None
        self.plateau = Plateau(settings.schedule)
        self.generator = torch.Generator(train.device)
        self.steps_per_epoch = math.ceil(len(train) / settings.batch)
        self.steps = self.steps_per_epoch * settings.epochs
        self.step = 0
        self.epoch = 1
        self.ledger: Ledger | None = None
        self.history = History()
        self.best_weights = self.last_weights = self.weights()
        self.started = time.monotonic()

    @property
    def seconds(self) -> float:
        """The time since the start."""
        return time.monotonic() - self.started

    @property
    def lr(self) -> float:
        """The learning rate of the next step."""
        scheduled = factor(self.settings.schedule, self.step, self.steps, self.steps_per_epoch)
        return self.settings.optimizer.lr * scheduled * self.plateau.factor

    def weights(self) -> dict[str, Tensor]:
        """A copy in main memory of the state as it would be used now (averaged with ``ema``), in plain layout."""
        with self.averaged():
            return {
                name: value.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
                for name, value in self.module.state_dict().items()
            }

    @contextmanager
    def stepping(self) -> Iterator[None]:
        """Inside, steps can be taken; PyTorch's global random state is then put back as it was found."""
        device = self.train.device
        with ExitStack() as stack:
            stack.enter_context(torch.random.fork_rng([device] if device.type == "cuda" else []))
            stack.enter_context(self.objective.watching(self.network))
            stack.enter_context(self.precision.products())
            if self.precision.name != "fp32":
                stack.enter_context(exact_output(self.network))
            self.joined = stack.enter_context(self.processes.joined(self.network))
            yield

    def optimize(self, x_bchw: Tensor) -> tuple[Tensor, Tensor]:
        """Take one step on this process's part of a batch of clean images; the total and the reconstruction loss.

        They are left on the device. Their means over the processes are the losses of the batch.
        """
        part = self.processes.under_way(x_bchw)
        target = augment(x_bchw, self.settings.augment, self.generator, part)
        seen = corrupt(target, self.settings.corrupt, self.input_range, self.generator, part)
        with self.precision.autocast():
            prediction = self.joined(seen)
        reconstruction = part.weigh(self.objective.reconstruction(prediction, target))
        total = self.objective.total(self.module, reconstruction, part)
        self.standstill.notice(total)
        self.scaler.scale(self.standstill.telling(total)).backward()  # type: ignore[no-untyped-call]
        self._update()
        return self.standstill.marked(total.detach()), reconstruction.detach()

    def _update(self) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr
            if "eps" in group:
                group["eps"] = epsilon(self.settings.optimizer, self.step + 1)
        if self.settings.clip is not None:
            self.scaler.unscale_(self.optimizer)
            norm = nn.utils.clip_grad_norm_(self.module.parameters(), self.settings.clip)
            self.standstill.notice(norm)
        self.standstill.before_step()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        if self.average is not None:
            self.average.update()
        self.step += 1

    def run_epoch(
        self,
        ended: Callable[[], str | None],
        on_step: Callable[[Step], None],
        keep: Callable[["Training", bool], None] = lambda training, now: None,
    ) -> str | None:
        """Train on what is left of the epoch and record it; the reason to end the run within it, if ``ended`` gave one.

        ``ended`` is asked and ``keep`` called after each step. A loss that is not finite is a ``NotFiniteError`` that
        names its step.
        """
        number, ledger = self.epoch, self._open_epoch()
        self._switch(training=True)
        begun = last_read = self.seconds
        images_before, reason, lr = ledger.images, None, self.lr
        order = derived_seed(self.settings.seed, "order", number)
        mine = self.train.sliced(self.processes.number, self.processes.count)
        for x_bchw in mine.shuffled(self.settings.batch, order, skip=ledger.steps):
            lr = self.lr
            images = min(self.settings.batch, len(self.train) - ledger.images)
            self.processes.begin(images)
            ledger.record(*self.optimize(x_bchw), images)
            meeting = self.processes.meeting() or self.moments.due(self.step)
            if not meeting and ledger.steps < self.steps_per_epoch:
                continue
            ledger.settle(self.processes)
            if self.seconds - last_read > SECONDS_BETWEEN_READS:
                last_read = self.seconds
                _, mean = ledger.means()
                rate = (ledger.images - images_before) / (self.seconds - begun)
                on_step(Step(number, self.step, self.steps, mean, rate))
            trouble = self.watch is not None and self.watch.after_step(self)
            reason = self.processes.agreed("trouble" if trouble else ended())
            if ledger.steps < self.steps_per_epoch:
                keep(self, reason in TO_BE_CONTINUED)
            if reason is not None:
                break
        loss, reconstruction = ledger.means()
        rate = (ledger.images - images_before) / max(self.seconds - begun, 1e-9)
        validation = self.validate()
        if ledger.steps == self.steps_per_epoch:
            self.epoch, self.ledger = number + 1, None
        self._record(
            Epoch(number, self.step, loss, reconstruction, validation, lr, round(self.seconds, 3), round(rate, 1))
        )
        return reason

    def _open_epoch(self) -> Ledger:
        """The losses of the epoch under way; one that begins gets the random streams of its own."""
        if self.ledger is None:
            torch.manual_seed(derived_seed(self.settings.seed, "layers", self.epoch))
            self.generator.manual_seed(derived_seed(self.settings.seed, "disturbance", self.epoch))
            self.ledger = Ledger(self.steps_per_epoch, self.train.device, first_step=self.step + 1)
        return self.ledger

    def resume_epoch(self, losses: Tensor, sizes: list[int]) -> None:
        """Go on within an epoch, after the steps with these losses and numbers of images (see ``Ledger.entries``)."""
        self.ledger = Ledger(self.steps_per_epoch, self.train.device, first_step=self.step - len(sizes) + 1)
        self.ledger.restore(losses, sizes)

    def _record(self, row: Epoch) -> None:
        self.history.epochs.append(row)
        self.plateau.update(row.score)
        self.last_weights = self.weights()
        if self.history.best is row:
            self.best_weights = self.last_weights

    @torch.no_grad()
    def validate(self) -> float | None:
        """The reconstruction loss of the validation images, corrupted alike each time; None without such images."""
        if self.validation is None:
            return None
        self.generator.manual_seed(derived_seed(self.settings.seed, "validation"))
        total = torch.zeros((), device=self.train.device, dtype=torch.float64)
        self._switch(training=False)
        with self.averaged():
            mine = self.validation.sliced(self.processes.number, self.processes.count)
            for number, target in enumerate(mine.in_order(self.settings.batch)):
                images = min(self.settings.batch, len(self.validation) - number * self.settings.batch)
                self.processes.begin(images)
                part = self.processes.under_way(target)
                seen = corrupt(target, self.settings.corrupt, self.input_range, self.generator, part)
                with self.precision.autocast():
                    prediction = self.network(seen)
                total += part.weigh(self.objective.reconstruction(prediction, target)) * images
        loss = self.processes.mean(total).item() / len(self.validation)
        if not math.isfinite(loss):
            raise NotFiniteError(f"the validation loss is {loss} after step {self.step}")
        return loss

    def _switch(self, training: bool) -> None:
        for form in (self.module, self.network):
            form.train(training)

    def averaged(self) -> AbstractContextManager[None]:
        """Inside, the module's weights are those it would be used with: with ``ema`` the averages."""
        return nullcontext() if self.average is None else self.average.applied()

    def _ended(self, interrupted: Callable[[], bool]) -> str | None:
        if interrupted():
            return "interrupted"
        after = self.settings.stop.after
        return "time" if after is not None and self.seconds > after else None

    def _out_of_patience(self) -> str | None:
        best, patience = self.history.best, self.settings.stop.patience
        waited = self.history.epochs[-1].epoch - best.epoch if best is not None else 0
        return "patience" if patience is not None and waited >= patience else None

    def run(
        self,
        on_step: Callable[[Step], None] = lambda step: None,
        on_epoch: Callable[["Training"], None] = lambda training: None,
        interrupted: Callable[[], bool] = lambda: False,
        keep: Callable[["Training", bool], None] = lambda training, now: None,
        begin: Callable[["Training"], None] = lambda training: None,
    ) -> History:
        """Train to the end, or to the reason to end before; the module then has the best weights and is in eval mode.

        ``keep`` is called wherever the state is whole, and told whether it must be kept now; ``begin`` is called first,
        and may put a state that was kept in place. PyTorch's global random state is left as it was found.
        """
        with self.stepping(), memory_errors(self.settings.batch):
            begin(self)
            if self.watch is not None:
                self.watch.begin(self)
            self.history.ended = self._run_epochs(on_step, on_epoch, interrupted, keep)
            if self.ledger is None or self.history.ended not in TO_BE_CONTINUED:
                keep(self, True)
        self.joined = self.network
        self.module.load_state_dict(self.best_weights)
        self.module.eval()
        return self.history

    def _run_epochs(
        self,
        on_step: Callable[[Step], None],
        on_epoch: Callable[["Training"], None],
        interrupted: Callable[[], bool],
        keep: Callable[["Training", bool], None],
    ) -> str:
        def ended() -> str | None:
            return self._ended(interrupted)

        # A run that starts from a kept state may have no more to do.
        reason = self.processes.agreed((ended() or self._out_of_patience()) if self.history.epochs else None)
        while reason is None and self.epoch <= self.settings.epochs:
            number = self.epoch
            try:
                reason = self.run_epoch(ended, on_step, keep)
            except NotFiniteError as error:
                self.history.ended = "failed"
                where = self.watch.explain(self, error) if self.watch is not None else ""
                self.processes.wait_for_all()  # the first alone has a watch, and more to say than the others
                found = f" (epoch {number}); {where}" if where else f" (epoch {number})"
                raise NotFiniteError(f"{error}{found}: {remedies(self.settings, self.precision.name)}") from error
            if self.watch is not None and self.ledger is None and self.watch.after_epoch(self):
                reason = reason or "trouble"
            on_epoch(self)
            reason = self.processes.agreed(reason or self._out_of_patience() or ended())
            if self.ledger is None:
                keep(self, False)
        # What would have ended the run before its last epoch says nothing once that is complete.
        return "finished" if reason is None or self.epoch > self.settings.epochs else reason


def _channels_last(module: nn.Module) -> nn.Module:
    """The module with its kernels in the layout that convolutions are fastest in."""
    return module.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
