"""History of a run by epoch."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from types import MappingProxyType
from typing import ClassVar, NamedTuple

CODE_LOSS = "code_loss"
"""Name of the loss of the code in ``Epoch.code``."""


class Step(NamedTuple):
    """Position of a run: ``reconstruction`` and the ``terms`` are means over the epoch so far; counts start from 1."""

    epoch: int
    step: int
    steps: int
    reconstruction: float
    images_per_second: float
    terms: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True)
class Epoch:
    """One epoch, or the part of an epoch that was trained before the run ended.

    ``step`` counts the optimisation steps since the start. ``loss`` is the mean of the minimised loss over the epoch's
    images, penalties included; ``reconstruction`` is the same without penalties. ``validation`` is the reconstruction
    loss of the held-out images after the epoch, or None if nothing is held out. ``lr`` is the learning rate of the last
    step, ``seconds`` the time since the start. ``terms`` holds the weighted means of the terms of ``loss`` by name.
    ``code`` holds the measures of the code after the epoch: ``code_loss``, the sum of the code's own terms at their
    final weights, and the measures of ``caedsl.training.code_use`` for a variational or quantized code.
    """

    epoch: int
    step: int
    loss: float
    reconstruction: float
    validation: float | None
    lr: float
    seconds: float
    images_per_second: float
    terms: dict[str, float] = field(default_factory=dict)
    code: dict[str, float] = field(default_factory=dict)

    __pydantic_config__: ClassVar = {"allow_inf_nan": False}  # checked when a history is read back

    @property
    def selection_loss(self) -> float:
        """Loss by which the best epoch is chosen: the validation loss, else the training reconstruction loss.

        The loss of the code is added at its full weight. Otherwise the first epochs of a warm-up, in which the
        divergence costs nothing yet, would look best.
        """
        reconstruction = self.reconstruction if self.validation is None else self.validation
        return reconstruction + self.code.get(CODE_LOSS, 0.0)


_COLUMNS = [column.name for column in fields(Epoch) if column.name not in ("terms", "code")]


@dataclass
class History:
    """All epochs of a run, and why it ended.

    ``ended`` is "running" until the run ends, then "finished", "patience", "time", "interrupted", "trouble" (stopped by
    a monitor), "failed" or the reason that a callback returned. ``terms`` are the names of the terms of the loss,
    ``code`` the names of the measures of the code.
    """

    epochs: list[Epoch] = field(default_factory=list)
    ended: str = "running"
    terms: tuple[str, ...] = ()
    code: tuple[str, ...] = ()

    @property
    def best(self) -> Epoch | None:
        """First epoch with the lowest selection loss."""
        return min(self.epochs, key=lambda epoch: epoch.selection_loss, default=None)

    def to_csv(self) -> str:
        """Return a header and one line per epoch, with a column for each term and measure; numbers are exact."""
        return _csv_line([*_COLUMNS, *self.terms, *self.code]) + "".join(map(csv_line, self.epochs))

    def to_json_lines(self) -> str:
        """Return one JSON object per line for each epoch."""
        return "".join(map(json_line, self.epochs))


def best_and_last(epochs: Iterable[Epoch]) -> tuple[Epoch | None, Epoch | None]:
    """Return the first epoch with the lowest selection loss, and the last epoch."""
    best: Epoch | None = None
    last: Epoch | None = None
    for last in epochs:
        best = last if best is None or last.selection_loss < best.selection_loss else best
    return best, last


def thinned(epochs: Iterable[Epoch], stretches: int) -> list[Epoch]:
    """Return a few of many epochs that draw the same curve, the last one included.

    The epochs are divided into at most ``stretches`` (an even number) of equal length. Of each, these are the ones with
    the lowest and the highest selection loss.
    """
    groups: list[list[Epoch]] = []
    length = 1
    last: Epoch | None = None
    for number, last in enumerate(epochs):
        if number % length:
            groups[-1] = _extremes([*groups[-1], last])
            continue
        if len(groups) == stretches:
            groups = [_extremes([*one, *other]) for one, other in zip(groups[::2], groups[1::2], strict=True)]
            length *= 2
        groups.append([last])
    rows = [row for stretch in groups for row in stretch]
    return rows if last is None or last is rows[-1] else [*rows, last]


def _extremes(rows: list[Epoch]) -> list[Epoch]:
    low, high = (choose(rows, key=lambda row: row.selection_loss) for choose in (min, max))
    return [row for row in rows if row is low or row is high]


def csv_line(epoch: Epoch) -> str:
    """Return the line of an epoch in ``history.csv``."""
    values = [*map(epoch.__getattribute__, _COLUMNS), *epoch.terms.values(), *epoch.code.values()]
    return _csv_line("" if value is None else value for value in values)


def json_line(epoch: Epoch) -> str:
    """Return the line of an epoch in ``history.jsonl``."""
    return json.dumps(asdict(epoch)) + "\n"


def _csv_line(values: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()
