"""The two lines that a terminal shows of a run while it goes on."""

import time
from collections.abc import Callable

from rich.console import Console, ConsoleOptions, RenderResult
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from caedsl.training.durations import duration
from caedsl.training.loss_text import loss_text
from caedsl.training.pace import Pace

LEAST_BAR = 6
LEAST_PLACE = 12
"""The columns below which a bar, and the words for the device, say nothing."""


class Status:
    """A bar over the whole run with the time left; below it the losses, the speed, the device and the precision.

    What does not fit into the terminal is left out from the right. A field never gets narrower, so that nothing moves
    sideways.
    """

    def __init__(self, epochs: int, where: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.epochs = epochs
        self.where = where
        self.epoch, self.done, self.total = 1, 0, 0
        self.loss: float | None = None
        self.validation: float | None = None
        self.images_per_second: float | None = None
        self._clock = clock
        self._pace = Pace()
        self._widths = {"left": len("0:00 left")}

    def move(self, epoch: int, step: int, steps: int) -> None:
        """The run is at this step of so many in all, without having taken them now."""
        self.epoch, self.done, self.total = epoch, step, steps

    def advance(self, epoch: int, step: int, steps: int, epoch_over: bool = False) -> None:
        """The run has come to this step."""
        self.move(epoch, step, steps)
        self._pace.at(step, self._clock(), epoch_over)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._first_line(options.max_width)
        yield self._second_line(options.max_width)

    def _first_line(self, width: int) -> Table | Text:
        left = self._pace.left(self.total, self._clock())
        count = f"epoch {self.epoch:>{len(str(self.epochs))}}/{self.epochs}"
        share = f"{100 * self.done // self.total if self.total else 0:>3}%"
        time_left = self._padded("left", f"{duration(left)} left" if left is not None else "")
        texts = [count, share, time_left]
        if width < sum(map(len, texts)) + 2 * len(texts) + LEAST_BAR:
            return Text("  ".join(texts), no_wrap=True, overflow="ellipsis")
        line = Table.grid(padding=(0, 2, 0, 0), pad_edge=False, expand=True)
        line.add_column(no_wrap=True)
        line.add_column(ratio=1)
        cells: list[Text | ProgressBar] = [Text(count), ProgressBar(self.total or 1, self.done)]
        for text in texts[1:]:
            line.add_column(no_wrap=True)
            cells.append(Text(text))
        line.add_row(*cells)
        return line

    def _second_line(self, width: int) -> Text:
        speed = self.images_per_second
        fields = {
            "loss": f"loss {loss_text(self.loss)}" if self.loss is not None else "",
            "validation": f"validation {loss_text(self.validation)}" if self.validation is not None else "",
            "speed": f"{speed:,.0f} images/s" if speed is not None else "",
        }
        line = ""
        for name, text in fields.items():
            longer = f"{line}{self._padded(name, text)}  "
            line = longer if text and len(longer) <= width + 2 else line
        if width - len(line) < min(LEAST_PLACE, len(self.where)):
            return Text(line, no_wrap=True)
        where = Text(self.where, style="dim")
        where.truncate(width - len(line), overflow="ellipsis")
        return Text.assemble(line, where, no_wrap=True)

    def _padded(self, name: str, text: str) -> str:
        self._widths[name] = max(self._widths.get(name, 0), len(text))
        return text.ljust(self._widths[name])
