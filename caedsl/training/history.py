"""What a run recorded, epoch by epoch."""

import csv
import io
from dataclasses import astuple, dataclass, field, fields


@dataclass(frozen=True)
class Epoch:
    """One epoch, or the part of one after which a run ended.

    ``step`` counts the optimisation steps since the start. ``loss`` is the mean over the epoch's images of what was
    minimised, penalties included; ``reconstruction`` the same without penalties; ``validation`` the reconstruction loss
    of the held-out images after the epoch, None without such images. ``lr`` is the rate of the last step, ``seconds``
    the time since the start.
    """

    epoch: int
    step: int
    loss: float
    reconstruction: float
    validation: float | None
    lr: float
    seconds: float
    images_per_second: float

    @property
    def score(self) -> float:
        """What the best epoch is chosen by: the validation loss, or without one the training reconstruction."""
        return self.reconstruction if self.validation is None else self.validation


@dataclass
class History:
    """All epochs of a run, and why it ended: ``ended`` is "finished", "patience", "time", "interrupted" or "failed"."""

    epochs: list[Epoch] = field(default_factory=list)
    ended: str = "finished"

    @property
    def best(self) -> Epoch | None:
        """The first epoch with the lowest score."""
        return min(self.epochs, key=lambda epoch: epoch.score, default=None)

    def to_csv(self) -> str:
        """A header and one line an epoch; numbers are written so that they read back exactly."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(column.name for column in fields(Epoch))
        for epoch in self.epochs:
            writer.writerow("" if value is None else value for value in astuple(epoch))
        return text.getvalue()
