"""The interface through which a run talks to the person who started it."""

from collections.abc import Sequence

from caedsl.runs.history import Epoch, Step


class Reporter:
    """Receiver of everything that a run says; this one is silent.

    ``caedsl.console`` has those that print.
    """

    def note(self, text: str) -> None:
        """Say something that the person should know, such as data that replace other data."""

    def trouble(self, lines: Sequence[str]) -> None:
        """Say what a monitor found: its name and step, the place and the finding, the remedy."""

    def loading(self, task: str, done: int, total: int, unit: str) -> None:
        """Show the progress of a download, of reading a folder or of a search; ``total`` is 0 where it is unknown."""

    def start(self, name: str, epochs: int, where: str) -> None:
        """Say that training starts; ``where`` names the device and the precision."""

    def resumed(self, epoch: int, step: int, steps: int) -> None:
        """Say that training resumes in this epoch, after ``step`` of all ``steps``."""

    def step(self, step: Step) -> None:
        """Show the position of the training, a few times a second."""

    def epoch(self, row: Epoch) -> None:
        """Show the result of an epoch."""

    def end(self) -> None:
        """Remove everything that moves."""

    def result(self, text: str) -> None:
        """Say a line of the result."""

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show a table of the result: the first column is text, the others are numbers."""
