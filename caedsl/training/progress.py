"""What a run says while it goes on: a bar on a terminal, one line an epoch elsewhere, nothing when quiet."""

from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from caedsl.training.durations import duration
from caedsl.training.history import Epoch
from caedsl.training.loop import Step


class Reporter:
    """Where a run's words go; this one says nothing."""

    def note(self, text: str) -> None:
        """Say something that the person should know, such as data that were taken instead of others."""

    def loading(self, task: str, done: int, total: int, unit: str) -> None:
        """Show how far a download or the reading of a folder has come; ``total`` is 0 where it is unknown."""

    def start(self, name: str, epochs: int, where: str) -> None:
        """Training begins; ``where`` is the device and the precision."""

    def step(self, step: Step) -> None:
        """Show where training is, a few times a second."""

    def epoch(self, row: Epoch) -> None:
        """Show what came out of an epoch."""

    def end(self) -> None:
        """What was shown to move is over, in whatever way."""

    def result(self, text: str) -> None:
        """Say a line of the result."""

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show a table of the result: the first column is text, the others are numbers."""


class Plain(Reporter):
    """One line an epoch, for logs. Progress and notes go to standard error, results to standard output."""

    def __init__(self, progress: Console | None = None, results: Console | None = None) -> None:
        self.progress = progress or Console(stderr=True, highlight=False, soft_wrap=True)
        self.results = results or Console(highlight=False, soft_wrap=True)
        self._epochs = 0
        self._tasks: set[str] = set()

    def note(self, text: str) -> None:
        """Print it with the word "note" before."""
        self.progress.print(Text.assemble(("note: ", "bold yellow"), text))

    def loading(self, task: str, done: int, total: int, unit: str) -> None:
        """Name each task once."""
        if task not in self._tasks:
            self._tasks.add(task)
            self.progress.print(Text(task))

    def start(self, name: str, epochs: int, where: str) -> None:
        """Print what is trained on what."""
        self._epochs = epochs
        self.progress.print(Text(f"training {name} on {where}"))

    def epoch(self, row: Epoch) -> None:
        """Print one line."""
        left = duration(row.seconds / row.epoch * (self._epochs - row.epoch))
        count = f"{row.epoch:>{len(str(self._epochs))}}/{self._epochs}"
        speed = f"{row.images_per_second:,.0f} images/s"
        loss = _losses(row.reconstruction, row.validation)
        total = "" if row.loss == row.reconstruction else f"  with penalties {row.loss:.5f}"
        self.progress.print(Text(f"epoch {count}  {loss}{total}  {speed}  {left} left"))

    def result(self, text: str) -> None:
        """Print it."""
        self.results.print(Text(text))

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print it, the first row bold: it is the model's."""
        table = Table(box=None, pad_edge=False, header_style="dim")
        for number, heading in enumerate(headings):
            table.add_column(heading, justify="right" if number else "left", no_wrap=True)
        for number, row in enumerate(rows):
            table.add_row(*row, style="" if number else "bold")
        self.results.print(table)


class Live(Plain):
    """A bar over the whole run, with the losses, the speed and the time left."""

    def __init__(self, progress: Console | None = None, results: Console | None = None) -> None:
        super().__init__(progress, results)
        self._validation: float | None = None
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TextColumn("{task.fields[detail]}"),
            TimeRemainingColumn(compact=True),
            console=self.progress,
            transient=True,
        )
        self._shown: dict[str, TaskID] = {}

    def loading(self, task: str, done: int, total: int, unit: str) -> None:
        """Show a bar for each task."""
        amount = f"{done / 1e6:,.1f} MB" if unit == "bytes" else f"{done:,} {unit}"
        self._show(task, task, done, total or None, amount if done else "")
        if total and done >= total:
            self.end()

    def start(self, name: str, epochs: int, where: str) -> None:
        """Print what is trained on what, and show the bar."""
        super().start(name, epochs, where)
        self._show("training", f"epoch 1/{epochs}", 0, None, "")

    def step(self, step: Step) -> None:
        """Move the bar."""
        self._show_training(step.epoch, step.step, step.steps, step.reconstruction, step.images_per_second)

    def epoch(self, row: Epoch) -> None:
        """Move the bar."""
        self._validation = row.validation
        self._show_training(
            row.epoch, row.step, row.step * self._epochs // row.epoch, row.reconstruction, row.images_per_second
        )

    def _show_training(self, epoch: int, step: int, steps: int, loss: float, rate: float) -> None:
        detail = f"{_losses(loss, self._validation)}  {rate:,.0f} images/s"
        self._show("training", f"epoch {epoch}/{self._epochs}", step, steps, detail)

    def _show(self, key: str, description: str, done: int, total: int | None, detail: str) -> None:
        if key not in self._shown:
            self._bar.start()
            self._shown[key] = self._bar.add_task(description, total=total, detail=detail)
        self._bar.update(self._shown[key], description=description, completed=done, total=total, detail=detail)

    def end(self) -> None:
        """Take the bar away."""
        self._bar.refresh()
        for task in self._shown.values():
            self._bar.remove_task(task)
        self._shown.clear()
        self._bar.stop()


def _losses(loss: float, validation: float | None) -> str:
    return f"loss {loss:.5f}" if validation is None else f"loss {loss:.5f}  validation {validation:.5f}"


def make_reporter(quiet: bool = False) -> Reporter:
    """The reporter that fits where standard error goes."""
    if quiet:
        return Reporter()
    progress = Console(stderr=True, highlight=False, soft_wrap=True)
    return Live(progress) if progress.is_terminal else Plain(progress)
