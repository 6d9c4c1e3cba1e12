"""Progress of a run: a bar on a terminal, one line per epoch elsewhere, nothing when quiet."""

import time
from collections.abc import Sequence

from rich.console import Console
from rich.live import Live as Display
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from caedsl.console.formats import duration, loss_text
from caedsl.console.status import Status
from caedsl.diagnostics.text import printable
from caedsl.runs.history import Epoch, Step
from caedsl.training.parallel.processes import current
from caedsl.training.reporter import Reporter

SECONDS_OF_SILENCE = 60.0
_WIDEST = 1000
"""Width of the widest table, in terminal columns."""


class Plain(Reporter):
    """One line per epoch, for logs. Progress and notes go to standard error, results to standard output."""

    def __init__(self, progress: Console | None = None, results: Console | None = None) -> None:
        self.progress = progress or Console(stderr=True, highlight=False)
        self.results = results or Console(highlight=False)
        self._epochs = 0
        self._tasks: set[str] = set()
        self._notes: set[str] = set()
        self._last_output = time.monotonic()

    def note(self, text: str) -> None:
        """Print a note once, prefixed with "note": a command may read the same data several times."""
        if text not in self._notes:
            self._notes.add(text)
            self._say(Text.assemble(("note: ", "bold yellow"), printable(text)))

    def trouble(self, lines: Sequence[str]) -> None:
        """Print trouble, prefixed with "trouble", with the other lines indented."""
        self._say(Text.assemble(("trouble: ", "bold red"), "\n  ".join(map(printable, lines))))

    def loading(self, task: str, done: int, total: int, unit: str) -> None:
        """Print the name of each task once."""
        if task not in self._tasks:
            self._tasks.add(task)
            self._say(Text(printable(task)))

    def start(self, name: str, epochs: int, where: str) -> None:
        """Print the name of the model and the device that trains it."""
        self._epochs = epochs
        self._say(Text(printable(f"training {name} on {where}")))

    def resumed(self, epoch: int, step: int, steps: int) -> None:
        """Print where the run resumes."""
        self.note(f"resuming in epoch {epoch} after step {step:,} of {steps:,}")

    def step(self, step: Step) -> None:
        """Print a line if nothing was printed for a minute: epochs can be long."""
        if time.monotonic() - self._last_output >= SECONDS_OF_SILENCE:
            where = f"epoch {step.epoch}/{self._epochs}, step {step.step:,} of {step.steps:,}"
            speed = f"{step.images_per_second:,.0f} samples/s"
            self._say(Text(f"{where}  loss {loss_text(step.reconstruction)}  {speed}"))

    def epoch(self, row: Epoch) -> None:
        """Print one line."""
        left = duration(row.seconds / row.epoch * (self._epochs - row.epoch))
        count = f"{row.epoch:>{len(str(self._epochs))}}/{self._epochs}"
        speed = f"{row.images_per_second:,.0f} samples/s"
        loss = _losses(row.reconstruction, row.validation)
        total = "" if row.loss == row.reconstruction else f"  with penalties {loss_text(row.loss)}"
        self._say(Text(f"epoch {count}  {loss}{total}{printable(_terms(row) + _code(row))}  {speed}  {left} left"))

    def _say(self, text: Text) -> None:
        # Never break a line: a path that is broken cannot be copied.
        self.progress.print(text, soft_wrap=True)
        self._last_output = time.monotonic()

    def result(self, text: str) -> None:
        """Print a result."""
        self.results.print(Text(printable(text)), soft_wrap=True)

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table, its first row bold: it is the model's."""
        table = Table(box=None, pad_edge=False, header_style="dim")
        for number, heading in enumerate(headings):
            table.add_column(heading, justify="right" if number else "left", no_wrap=True)
        for number, row in enumerate(rows):
            table.add_row(*(Text(printable(cell)) for cell in row), style="" if number else "bold")
        # Never cut off a cell: the terminal wraps a line that is too long.
        width, self.results.width = self.results.width, _WIDEST
        self.results.print(table, soft_wrap=True)
        self.results.width = width


class Live(Plain):
    """Two live lines: a bar over the whole run with the time left, the losses, the speed, device and precision."""

    def __init__(self, progress: Console | None = None, results: Console | None = None) -> None:
        super().__init__(progress, results)
        self._status: Status | None = None
        self._shown: Display | None = None
        self._task: tuple[str, Progress] | None = None

    def loading(self, task: str, done: int, total: int, unit: str) -> None:
        """Show a bar for each task."""
        if self._task is None or self._task[0] != task:
            self.end()
            columns = TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.fields[amount]}")
            self._task = task, Progress(*columns, console=self.progress, transient=True)
            self._task[1].add_task(printable(task), total=None, amount="")
            self._task[1].start()
        amount = f"{done / 1e6:,.1f} MB" if unit == "bytes" else f"{done:,} {unit}"
        bar = self._task[1]
        bar.update(bar.task_ids[0], completed=done, total=total or None, amount=amount if done else "")
        if total and done >= total:
            self.end()

    def start(self, name: str, epochs: int, where: str) -> None:
        """Print what is trained, and show the two live lines."""
        self.end()
        super().start(name, epochs, where)
        self._status = Status(epochs, where)
        self._shown = Display(self._status, console=self.progress, transient=True)
        self._shown.start()

    def resumed(self, epoch: int, step: int, steps: int) -> None:
        """Print where the run resumes, and move the bar there."""
        super().resumed(epoch, step, steps)
        if self._status is not None:
            self._status.move(epoch, step, steps)

    def step(self, step: Step) -> None:
        """Move the bar."""
        if self._status is not None:
            self._status.loss, self._status.images_per_second = step.reconstruction, step.images_per_second
            self._status.advance(step.epoch, step.step, step.steps)

    def epoch(self, row: Epoch) -> None:
        """Move the bar."""
        if self._status is not None:
            self._status.loss, self._status.images_per_second = row.reconstruction, row.images_per_second
            self._status.validation = row.validation
            self._status.advance(row.epoch, row.step, row.step * self._epochs // row.epoch, epoch_over=True)

    def end(self) -> None:
        """Remove the live lines."""
        if self._task is not None:
            self._task[1].stop()
        if self._shown is not None:
            self._shown.stop()
        self._task = self._shown = self._status = None


def _losses(loss: float, validation: float | None) -> str:
    shown = f"loss {loss_text(loss)}"
    return shown if validation is None else f"{shown}  validation {loss_text(validation)}"


def _code(row: Epoch) -> str:
    """Return the measurements of the code by name."""
    return "".join(f"  {name.replace('_', ' ')} {value:.3g}" for name, value in row.code.items())


def _terms(row: Epoch) -> str:
    """Return the terms of the loss by name, if it has more than one."""
    if len(row.terms) < 2:
        return ""
    return "  = " + " + ".join(f"{name} {loss_text(value)}" for name, value in row.terms.items())


def make_reporter(quiet: bool = False) -> Reporter:
    """Return the reporter that suits the target of standard error.

    Among processes that train together, only the first reports.
    """
    if quiet or not current().first:
        return Reporter()
    progress = Console(stderr=True, highlight=False)
    # FORCE_COLOR makes rich treat anything as a terminal; only a real one can have live lines.
    moves = progress.file.isatty() and not progress.is_dumb_terminal
    return Live(progress) if moves else Plain(progress)
