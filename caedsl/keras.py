"""The monitors of ``caedsl train`` as a Keras callback."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import torch
from numpy.typing import ArrayLike

from caedsl.backends.torch.program import CODE
from caedsl.importing.imported import ImportedModel, imported, rebuilt
from caedsl.importing.keras.reading import network_of_model
from caedsl.model.settings import Settled, SettledOptimizer, settled
from caedsl.runs.trouble import Trouble
from caedsl.training.any_loop.loop_watch import LoopWatch


class Watch(keras.callbacks.Callback):  # type: ignore[misc]
    """Monitors of a Functional or Sequential model of Keras 3 while ``fit`` trains it.

    The model is imported when training begins. The monitors inspect its PyTorch twin, which gets the model's weights
    before each inspection. ``samples`` are some of the training samples; ``say`` receives the messages instead of
    standard error.
    """

    def __init__(self, samples: ArrayLike, say: Callable[[str], None] | None = None) -> None:
        super().__init__()
        self._samples = _numbers(samples)
        self._say = say
        self._watch: _TwinWatch | None = None
        self._seen = 0
        self._sum = 0.0

    @property
    def troubles(self) -> Sequence[Trouble]:
        """What the monitors have found so far."""
        return () if self._watch is None else self._watch.troubles

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        """Import the model; raise ``ImportFailure``, which names what a spec cannot express.

        Raise ``ValueError`` if the samples do not have the shape of the model's input.
        """
        if self._watch is None:
            self._watch = _TwinWatch(lambda: self.model, self._say)
        taken, given = tuple(self.model.input_shape[1:]), self._samples.shape[1:]
        if given not in (taken, taken[:-1] if taken[-1] == 1 else taken):
            raise ValueError(
                f"`samples` are {_shape(given)} each, but the model takes {_shape(taken)}: pass training samples as "
                "`fit` gets them"
            )

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Reset the mean loss, as Keras does."""
        self._seen, self._sum = 0, 0.0

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        """Record a step; Keras passes the mean of the losses of the epoch so far."""
        assert self._watch is not None
        total = float((logs or {}).get("loss", 0.0)) * (batch + 1)
        loss, self._sum = total - self._sum, total
        size = min(int(self.params.get("batch_size") or 32), len(self._samples))
        start = self._seen % max(1, len(self._samples) - size + 1)
        self._seen += size
        self._watch.step(loss, self._watch.ours(self._samples[start : start + size]))

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Record the end of an epoch."""
        assert self._watch is not None
        score = (logs or {}).get("val_loss")
        self._watch.epoch(None if score is None else float(score))


def _numbers(samples: ArrayLike) -> np.ndarray[Any, Any]:
    """Return samples in 32 bits; raise ``ValueError`` if there are none, or if they are not numbers."""
    given = np.asarray(samples)
    if not given.ndim or not len(given) or given.dtype.kind not in "biuf":
        raise ValueError(
            f"`samples` has the shape {given.shape} and the type {given.dtype}, but must be an array of samples"
        )
    return given.astype(np.float32)


def _shape(sizes: Sequence[int]) -> str:
    return "x".join(map(str, sizes))


class _TwinWatch(LoopWatch):
    """Monitors of the PyTorch twin of a Keras model."""

    def __init__(self, model: Callable[[], Any], say: Callable[[str], None] | None) -> None:
        """Follow the model that ``model`` returns; on JAX, asking a callback for its model updates the weights."""
        network = network_of_model(model())
        self._model, self._twin = model, imported(network)
        self._rate = _rate(model())
        self._to_ours = network.to_ours
        found = self._twin.written.checked.findings
        super().__init__(
            self._twin.module.train(),
            lambda batch: _settings(self._twin, self._rate, batch),
            code=CODE,
            findings=lambda shape, values, batch: found,
            names=self._twin.modules,
            say=say,
        )

    def ours(self, samples: np.ndarray[Any, Any]) -> torch.Tensor:
        """Return samples in Keras's layout as the twin takes them."""
        return torch.from_numpy(np.ascontiguousarray(self._to_ours(samples)))

    def before_look(self) -> None:
        """Copy the model's current weights into the twin."""
        model = self._model()
        self._rate = _rate(model)
        self._twin.module.load_state_dict(rebuilt(network_of_model(model))[2].state_dict())


def _rate(model: Any) -> float:
    return float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))


def _settings(twin: ImportedModel, rate: float, batch: int) -> Settled:
    """Return the settings of the spec with the current learning rate."""
    known = settled(twin.model.train) if twin.model.train is not None else None
    optimizer = known.optimizer if known is not None else SettledOptimizer()
    return Settled(optimizer=SettledOptimizer(name=optimizer.name, lr=rate, options=optimizer.options), batch=batch)
