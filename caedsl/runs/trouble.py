"""What a monitor says, and what becomes of it in the terminal and in the record. Nothing here needs torch."""

import json
from dataclasses import asdict, dataclass
from typing import NamedTuple


class Sign(NamedTuple):
    """What a monitor is sure of.

    ``where`` is the number of a layer in ``Seen.layers``, or a setting such as ``train.optimizer``. ``message`` stands
    behind the name of the place and a colon, and says what is the case and what that means, with numbers; ``remedy``
    what to change.
    """

    where: int | str
    message: str
    remedy: str


@dataclass(frozen=True)
class Trouble:
    """One line of ``trouble.jsonl``.

    ``layer`` is the layer in the words of the language, None where a setting is at fault (``setting`` is then its
    name); ``line`` is its line in the ``spec.cae`` of the run folder.
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
        """Return the object on a line of its own."""
        return json.dumps(asdict(self), ensure_ascii=False) + "\n"
