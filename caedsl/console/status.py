"""The two status lines of a run on a terminal, and the estimate of its remaining time."""

import time
from collections import deque
from collections.abc import Callable

from rich.console import Console, ConsoleOptions, RenderResult
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from caedsl.console.formats import duration, loss_text

LEAST_BAR = 6
LEAST_PLACE = 12
"""Fewest columns in which a bar, or the name of the device, is useful."""

PACE_EPOCHS, PACE_SECONDS = 3, 30.0
"""The speed is measured over at least this many whole epochs, validation included, and at least this many seconds."""


class TimeLeft:
    """Estimate of the remaining time of a run; times are seconds of any monotonic clock."""

    def __init__(self) -> None:
        self._marks: deque[tuple[int, float]] = deque()
        self._now: tuple[int, float] | None = None

    def at(self, step: int, seconds: float, epoch_over: bool = False) -> None:
        """Record that ``step`` steps have been taken.

        Measuring starts with the first call: compilation, and the steps before a run was resumed, do not count.
        """
        if not self._marks or epoch_over:
            self._marks.append((step, seconds))
        while len(self._marks) > PACE_EPOCHS + 1 and seconds - self._marks[1][1] >= PACE_SECONDS:
            self._marks.popleft()
        self._now = step, seconds

    def left(self, steps: int, seconds: float) -> float | None:
        """Return the seconds until ``steps`` steps have been taken; None while they are unknown."""
        if self._now is None:
            return None
        (first, begun), (done, last) = self._marks[0], self._now
        if done == first:
            return None
        return max(0.0, (last - begun) / (done - first) * (steps - done) - (seconds - last))


class Status:
    """Two lines: a bar over the whole run with the time left, then losses, speed, device and precision.

    Fields that do not fit are dropped from the right. A field never becomes narrower, so that nothing moves sideways.
    """

    def __init__(self, epochs: int, where: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.epochs = epochs
        self.where = where
        self.epoch, self.done, self.total = 1, 0, 0
        self.loss: float | None = None
        self.validation: float | None = None
        self.images_per_second: float | None = None
        self._clock = clock
        self._pace = TimeLeft()
        self._widths = {"left": len("0:00 left")}

    def move(self, epoch: int, step: int, steps: int) -> None:
        """Set the position without counting it as progress, as when a run is resumed."""
        self.epoch, self.done, self.total = epoch, step, steps

    def advance(self, epoch: int, step: int, steps: int, epoch_over: bool = False) -> None:
        """Move to a step that was just taken."""
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
            "speed": f"{speed:,.0f} samples/s" if speed is not None else "",
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
