"""The training loop and its callbacks.

Losses are read a few times a second, at probes and at the end of each epoch. All random numbers derive from the seed,
the step and the sample, so that a step can be repeated on its own. Whenever losses are read, the complete state can be
saved, and a run that resumes from it takes the same steps bit for bit. Several processes may train together: each takes
its part of every batch. When they read losses, they average them and agree on whether to stop.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from caedsl.backends.torch.draws import Draws
from caedsl.backends.torch.seeds import derived_seed
from caedsl.model.data import InputRange
from caedsl.model.settings import Settled
from caedsl.runs.errors import TrainingError
from caedsl.runs.history import CODE_LOSS, Epoch, History, Step
from caedsl.runs.run_folder import RunFolder
from caedsl.training.batches import Batches
from caedsl.training.code_use import MEASURED, code_use, measure_of
from caedsl.training.errors import NotFiniteError, memory_errors, remedies
from caedsl.training.ledger import Ledger
from caedsl.training.losses import scaled
from caedsl.training.monitors.engine.probe_schedule import ProbeSchedule, sizes
from caedsl.training.objective import Objective
from caedsl.training.optimizers import obstacle
from caedsl.training.precision import Precision
from caedsl.training.step import Stepper
from caedsl.training.step_graph import CudaRecorder, StepGraph

RESUMABLE = ("interrupted", "trouble")
"""Reasons to stop within an epoch after which the rest of the epoch can be trained as if the run had not stopped."""


class Callback:
    """Base class of callbacks. Override the methods you need; each is called with the run, and may read all of it.

    A string returned by ``on_start``, ``on_step`` or ``on_epoch`` is a reason to stop: the run ends there, and
    ``history.ended`` is that string. A callback is called only in the first of several processes. After a crash, steps
    and epochs since the last checkpoint are repeated.
    """

    def on_start(self, training: "Training") -> str | None:
        """Prepare. A resumed run has its past epochs in ``training.history``; discard records of any later ones."""
        return None

    def on_step(self, training: "Training", step: Step) -> str | None:
        """Handle new losses, which are read a few times a second and after the last step of an epoch."""
        return None

    def on_epoch(self, training: "Training") -> str | None:
        """Handle the end of an epoch, the last in ``training.history``; ``last_weights`` are its weights."""
        return None

    def on_end(self, training: "Training") -> None:
        """Clean up, however the run ended; ``training.failure`` is the exception that ended it, or None."""

    def state(self) -> dict[str, Any] | None:
        """Return the state of this callback for a checkpoint, as JSON values; None if it has none."""
        return None

    def restore(self, state: dict[str, Any]) -> None:
        """Restore what ``state`` returned; called before ``on_start`` of this callback when a run is resumed."""


class Training(Stepper):
    """Run in progress: the step, the epochs so far, and the weights of the best and of the last epoch."""

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
        target_range: InputRange | None = None,
    ) -> None:
        """Prepare a run. The arguments are those of ``Stepper``, and the ``validation`` images."""
        super().__init__(module, train, settings, objective, input_range, precision, network, target_range)
        self.validation = validation
        self.callbacks: Sequence[Callback] = ()
        self.folder: RunFolder | None = None
        self.note: Callable[[str], None] = lambda text: None
        """Report something to the person who started the run."""
        self.probes = ProbeSchedule(sizes(train, settings.images_at_once)[0], settings.batch)
        self.epoch = 1
        self.ledger: Ledger | None = None
        measured = measure_of(module)
        added = (CODE_LOSS,) if objective.code else ()
        self.history = History(terms=tuple(objective.names), code=(*added, *(measured.names if measured else ())))
        self.reads_losses = False
        """Whether losses are read after this step, regardless of when they were last read."""
        self.stop_reason: str | None = None
        self.failure: BaseException | None = None
        self.best_weights = self.last_weights = self.weights()
        self.started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Time since the start, including the earlier parts of a resumed run."""
        return time.monotonic() - self.started

    def run(self) -> History:
        """Train to the end, or until a callback returns a reason to stop.

        The module then has the best weights and is in eval mode. PyTorch's global random state is left unchanged. Raise
        ``NotFiniteError`` for a non-finite loss, ``OutOfMemoryError`` if memory runs out.
        """
        try:
            with self.stepping(), self._replaying(), self._followed(), memory_errors(self.settings.batch):
                while self.stop_reason is None and self.epoch <= self.settings.epochs:
                    self.run_epoch()
                    self._ask("on_epoch")
                if not self.history.epochs:
                    raise TrainingError(
                        f"a callback ended the run before its first step, with the reason {self.stop_reason!r}: "
                        "return None from its `on_start` to train"
                    )
                # A reason to stop no longer matters once the last epoch is complete.
                complete = self.stop_reason is None or self.epoch > self.settings.epochs
                self.history.ended = "finished" if complete else str(self.stop_reason)
        except NotFiniteError as error:
            self.processes.wait_for_all()  # only the first finds the origin; the others must not end before it
            where = f" (epoch {self.epoch})" + (f"; {error.origin}" if error.origin else "")
            found = f"{error}{where}: {remedies(self.settings, self.precision.name)}"
            raise NotFiniteError(found, error.step) from error
        self.joined = self.network
        self.module.load_state_dict(self.best_weights)
        self.module.eval()
        return self.history

    @contextmanager
    def _replaying(self) -> Iterator[None]:
        """Replay steps of whole batches on CUDA within the block, if they can be captured; then free the graph."""
        device = self.train.device
        alone = self.processes.count == 1
        if device.type == "cuda" and alone and obstacle(self.optimizer, self.scaler) is None:
            self.graph = StepGraph(self, CudaRecorder(device), lambda text: self.note(text))
        try:
            yield
        finally:
            self.graph = None

    @contextmanager
    def _followed(self) -> Iterator[None]:
        """Call ``on_start`` of the callbacks, and at the end ``on_end`` in reverse order."""
        with ExitStack() as ends:
            try:
                for callback in self.callbacks:
                    self._stop_for(callback.on_start(self), callback, "on_start")
                    ends.callback(callback.on_end, self)
                yield
            except BaseException as error:
                self.failure = error
                if isinstance(error, NotFiniteError):
                    self.history.ended = "failed"
                raise

    def _ask(self, hook: str, *arguments: Any) -> None:
        """Call a method of each callback in turn; the first reason to stop counts."""
        for callback in self.callbacks:
            self._stop_for(getattr(callback, hook)(self, *arguments), callback, hook)

    def _stop_for(self, reason: str | None, callback: Callback, hook: str) -> None:
        if reason is not None and (not isinstance(reason, str) or not reason):
            raise TrainingError(
                f"{type(callback).__name__}.{hook} returned {reason!r}: return None to continue, or the reason to stop "
                'as a string, such as "low enough"'
            )
        self.stop_reason = self.stop_reason or reason

    def run_epoch(self) -> None:
        """Train on the rest of the epoch, or until there is a reason to stop, and record it."""
        number, ledger = self.epoch, self._open_epoch()
        self._switch(training=True)
        begun, images_before, lr = self.seconds, ledger.images, self.lr
        order = derived_seed(self.settings.seed, "order", number)
        mine = self.train.sliced(self.processes.number, self.processes.count, self.settings.accumulate)
        for clean in mine.shuffled(self.settings.batch, order, skip=ledger.steps):
            lr = self.lr
            images = min(self.settings.batch, len(self.train) - ledger.images)
            ledger.record(self.take_step(clean, images), images)
            due = self.processes.meeting() or self.probes.due(self.step) or self.reads_losses
            if not due and ledger.steps < self.steps_per_epoch:
                continue
            self.reads_losses = False
            ledger.read(self.processes)
            rate = (ledger.images - images_before) / (self.seconds - begun)
            self._ask("on_step", Step(number, self.step, self.steps, ledger.reconstruction, rate, ledger.terms))
            if self.stop_reason is not None:
                break
        rate = (ledger.images - images_before) / max(self.seconds - begun, 1e-9)
        validation, code = self._after_epoch()
        if ledger.steps == self.steps_per_epoch:
            self.epoch, self.ledger = number + 1, None
        row = Epoch(
            epoch=number,
            step=self.step,
            loss=ledger.total,
            reconstruction=ledger.reconstruction,
            validation=validation,
            lr=lr,
            seconds=round(self.seconds, 3),
            images_per_second=round(rate, 1),
            terms=dict(ledger.terms),
            code=code,
        )
        self._record(row)

    def _open_epoch(self) -> Ledger:
        """Return the ledger of the current epoch; a new epoch gets a new ledger."""
        if self.ledger is None:
            self.ledger = Ledger(self.objective.names, first_step=self.step + 1)
        return self.ledger

    def resume_epoch(self, losses: Tensor) -> None:
        """Resume within an epoch, after steps with these losses (see ``Ledger.entries``)."""
        images, batch = len(self.train), self.settings.batch
        counts = [min(batch, images - step * batch) for step in range(len(losses))]
        self.ledger = Ledger(self.objective.names, first_step=self.step - len(counts) + 1)
        self.ledger.restore(losses, counts)

    def _record(self, row: Epoch) -> None:
        self.history.epochs.append(row)
        self.plateau.update(row.selection_loss)
        self.last_weights = self.weights()
        if self.history.best is row:
            self.best_weights = self.last_weights

    def validate(self) -> float | None:
        """Return the reconstruction loss of the validation images, or None if there are none.

        The corruption of the images is the same each time.
        """
        return None if self.validation is None else self._held_out(self.validation)[0]

    @torch.no_grad()
    def _held_out(self, batches: Batches) -> tuple[float, float]:
        """Return the reconstruction loss and the loss of the code in eval mode, with the same corruption each time."""
        draws = Draws(self.settings.seed, "validation")
        total = torch.zeros(2, device=self.train.device, dtype=torch.float64)
        self._switch(training=False)
        self.processes.validates = True
        with self.averaged(), ExitStack() as ends:
            ends.callback(setattr, self.processes, "validates", False)
            mine = batches.sliced(self.processes.number, self.processes.count)
            size = self.settings.images_at_once
            for number, clean in enumerate(mine.in_order(size)):
                images = min(size, len(batches) - number * size)
                if not len(clean) and not self.objective.code:
                    continue  # a batch with fewer images than processes
                self.processes.begin(images)
                part = self.processes.share_of_batch(clean.seen)
                draws.begin(0, len(clean), number * size + part.start, self.train.device)
                sample = self.sample(clean, draws, part)
                with self.precision.autocast():
                    prediction = self.network(sample.seen)
                losses = [self.objective.reconstruction(prediction, sample.target, sample.weight)]
                if self.objective.code:
                    losses.append(self.objective.code_loss(sample.target))
                total[: len(losses)] += scaled(torch.stack(losses), sample.share) * images
        reconstruction, code = (self.processes.mean(total) / len(batches)).tolist()
        if not math.isfinite(reconstruction + code):
            raise NotFiniteError(f"the validation loss is {reconstruction + code} after step {self.step}")
        return reconstruction, code

    def _after_epoch(self) -> tuple[float | None, dict[str, float]]:
        """Return the validation loss and the measures of the code after an epoch.

        The code is computed from held-out images, or from training images if none are held out.
        """
        validation, measures = None, {}
        if self.validation is not None or self.objective.code:
            reconstruction, code = self._held_out(self.validation or self.train.spread(MEASURED))
            validation = None if self.validation is None else reconstruction
            measures = {CODE_LOSS: code} if self.objective.code else {}
        self._switch(training=False)
        with self.averaged():
            use = code_use(self.module, self.validation or self.train, self.settings.images_at_once)
        return validation, measures | use

    def _switch(self, training: bool) -> None:
        for form in (self.module, self.network):
            form.train(training)
