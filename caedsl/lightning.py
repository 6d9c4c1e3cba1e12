"""The monitors of ``caedsl train`` as a Lightning callback."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor

from caedsl import api
from caedsl.extras import explaining_missing_packages
from caedsl.runs.trouble import Trouble
from caedsl.training.any_loop.loop_watch import LoopWatch

with explaining_missing_packages():
    try:
        from lightning.pytorch import Callback
    except ModuleNotFoundError:
        from pytorch_lightning import Callback  # type: ignore[assignment]


class Watch(Callback):
    """Monitors of a ``LightningModule`` whose ``forward`` reconstructs samples.

    A batch is the samples themselves, or a tuple that begins with them. ``validation`` is the name of the logged
    validation loss; the other parameters are those of ``caedsl.watch``.
    """

    def __init__(
        self,
        *,
        loss: Callable[[Tensor, Tensor], Tensor] | None = None,
        code: str | None = None,
        say: Callable[[str], None] | None = None,
        validation: str = "val_loss",
    ) -> None:
        self._options: dict[str, Any] = {"loss": loss, "code": code, "say": say}
        self._validation = validation
        self._watch: LoopWatch | None = None

    @property
    def troubles(self) -> Sequence[Trouble]:
        """What the monitors have found so far."""
        return () if self._watch is None else self._watch.troubles

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Record a step."""
        if not trainer.is_global_zero:
            return
        if self._watch is None:
            self._watch = api.watch(pl_module, trainer.optimizers[0], **self._options)
        loss = outputs["loss"] if isinstance(outputs, Mapping) else outputs
        samples = batch[0] if isinstance(batch, Sequence) and batch else batch
        if not isinstance(samples, Tensor):
            raise ValueError(
                f"a batch is a {type(batch).__name__}, but `Watch` needs a tensor of samples, or a tuple that begins "
                "with one: call `caedsl.watch` in `training_step` instead"
            )
        self._watch.step(loss, samples)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Record the end of an epoch."""
        if self._watch is not None:
            score = trainer.callback_metrics.get(self._validation)
            self._watch.epoch(None if score is None else float(score))
