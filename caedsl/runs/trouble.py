"""Findings of monitors: the symptom that a monitor yields, and its record. Nothing here needs torch."""

import json
from dataclasses import asdict, dataclass
from typing import NamedTuple


class Symptom(NamedTuple):
    """Problem that a monitor has found.

    ``where`` is the index of a layer in ``Facts.layers``, or a setting such as ``train.optimizer``. ``message`` is
    shown after the name of that place and a colon; it states the fault with its numbers and what it means. ``remedy``
    says what to change. ``cause`` names the cause that the symptom itself shows, which no finding about the spec can
    explain better; it is empty if there may be several.
    """

    where: int | str
    message: str
    remedy: str
    cause: str = ""


@dataclass(frozen=True)
class Trouble:
    """One line of ``trouble.jsonl``.

    ``layer`` is the layer as a spec writes it, or None if a setting is at fault (``setting`` is then its name).
    ``line`` is the line of either in the ``spec.cae`` of the run folder.
    """

    step: int
    epoch: int
    monitor: str
    layer: str | None
    setting: str | None
    line: int
    message: str
    remedy: str

    def to_json_line(self) -> str:
        """Return the object as one line of JSON, with ``?`` for what is not UTF-8 in the name of a file."""
        return json.dumps(asdict(self), ensure_ascii=False).encode("utf-8", "replace").decode() + "\n"
