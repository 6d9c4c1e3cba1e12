"""History of a run, epoch by epoch."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from types import MappingProxyType
from typing import ClassVar, NamedTuple

CODE_LOSS = "code_loss"
"""The name of the loss of the code among the measures of an epoch."""


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
    """One epoch, or the part of one after which a run ended.

    ``step`` counts the optimisation steps since the start. ``loss`` is the mean over the epoch's images of what was
    minimised, penalties included; ``reconstruction`` the same without penalties; ``validation`` the reconstruction loss
    of the held-out images after the epoch, None without such images. ``lr`` is the rate of the last step, ``seconds``
    the time since the start. ``terms`` are the means of the parts of ``loss`` by name, weights included. ``code`` is
    what was measured of the code after the epoch: ``code_loss``, the sum of its own terms with the weights that they
    have in the end, and what ``caedsl.training.code_use`` finds of a variational or quantized code.
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

    __pydantic_config__: ClassVar = {"allow_inf_nan": False}  # of those who read it back

    @property
    def score(self) -> float:
        """Number that the best epoch is chosen by: the validation loss, else the training reconstruction.

        The loss of the code is added at its full weight. Otherwise epochs at the start of a warm-up, when the
        divergence costs nothing yet, would seem the best.
        """
        reconstruction = self.reconstruction if self.validation is None else self.validation
        return reconstruction + self.code.get(CODE_LOSS, 0.0)


_COLUMNS = [column.name for column in fields(Epoch) if column.name not in ("terms", "code")]


@dataclass
class History:
    """All epochs of a run, and why it ended.

    ``ended`` is "finished", "patience", "time", "interrupted", "trouble" (a monitor ended it), "failed" or the reason
    of a callback; it is "running" until then. ``terms`` are the names of the terms of the loss, ``code`` those of what
    is measured of the code.
    """

    epochs: list[Epoch] = field(default_factory=list)
    ended: str = "running"
    terms: tuple[str, ...] = ()
    code: tuple[str, ...] = ()

    @property
    def best(self) -> Epoch | None:
        """The first epoch with the lowest score."""
        return min(self.epochs, key=lambda epoch: epoch.score, default=None)

    def to_csv(self) -> str:
        """Return a header and one line an epoch, with a column for each term and measure; numbers read back exactly."""
        return _csv_line([*_COLUMNS, *self.terms, *self.code]) + "".join(map(csv_line, self.epochs))

    def to_json_lines(self) -> str:
        """Return one JSON object an epoch, each on a line of its own."""
        return "".join(map(json_line, self.epochs))


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
