"""Interface through which a run reports to the person who started it."""

from collections.abc import Sequence

from caedsl.runs.history import Epoch, Step


class Reporter:
    """Receiver of everything that a run reports; this base class is silent.

    ``caedsl.console`` has the reporters that print.
    """

    def note(self, text: str) -> None:
        """Report something that the user should know, such as data that replace other data."""

    def trouble(self, lines: Sequence[str]) -> None:
        """Report a finding of a monitor: its name and step, the place and the fault, and the remedy."""

    def loading(self, task: str, done: int, total: int, unit: str) -> None:
        """Show the progress of a download, of reading a folder or of a search; ``total`` is 0 if it is unknown."""

    def start(self, name: str, epochs: int, where: str) -> None:
        """Report that training starts; ``where`` names the device and the precision."""

    def resumed(self, epoch: int, step: int, steps: int) -> None:
        """Report that training resumes in ``epoch``, after ``step`` of ``steps`` steps."""

    def step(self, step: Step) -> None:
        """Show the current position, a few times a second."""

    def epoch(self, row: Epoch) -> None:
        """Show the result of an epoch."""

    def end(self) -> None:
        """Remove the progress display."""

    def result(self, text: str) -> None:
        """Report a line of the result."""

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show a table of the result: the first column is text, the others are numbers."""
