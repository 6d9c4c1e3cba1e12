"""What a run recorded, epoch by epoch."""

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import asdict, astuple, dataclass, field, fields
from typing import ClassVar, NamedTuple


class Step(NamedTuple):
    """Where a run is: ``reconstruction`` is the mean over the epoch so far; counts start from 1."""

    epoch: int
    step: int
    steps: int
    reconstruction: float
    images_per_second: float


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

    __pydantic_config__: ClassVar = {"allow_inf_nan": False}  # of those who read it back

    @property
    def score(self) -> float:
        """What the best epoch is chosen by: the validation loss, or without one the training reconstruction."""
        return self.reconstruction if self.validation is None else self.validation


@dataclass
class History:
    """All epochs of a run, and why it ended.

    ``ended`` is "finished", "patience", "time", "interrupted", "trouble" (a monitor ended it) or "failed"; "running" while it goes on.
    """

    epochs: list[Epoch] = field(default_factory=list)
    ended: str = "running"

    @property
    def best(self) -> Epoch | None:
        """The first epoch with the lowest score."""
        return min(self.epochs, key=lambda epoch: epoch.score, default=None)

    def to_csv(self) -> str:
        """A header and one line an epoch; numbers are written so that they read back exactly."""
        return _csv_line(column.name for column in fields(Epoch)) + "".join(map(csv_line, self.epochs))

    def to_json_lines(self) -> str:
        """One JSON object an epoch, each on a line of its own."""
        return "".join(map(json_line, self.epochs))


def csv_line(epoch: Epoch) -> str:
    """The line of an epoch in ``history.csv``."""
    return _csv_line("" if value is None else value for value in astuple(epoch))


def json_line(epoch: Epoch) -> str:
    """The line of an epoch in ``history.jsonl``."""
    return json.dumps(asdict(epoch)) + "\n"


def _csv_line(values: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()
