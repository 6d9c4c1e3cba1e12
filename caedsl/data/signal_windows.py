"""Windows of long signals."""

from dataclasses import dataclass

from caedsl.data.sample_format import SampleFormat
from caedsl.model.data import DataSource


@dataclass(frozen=True)
class Windows:
    """Windows of ``length``, each starting ``step`` after the one before."""

    length: int
    step: int

    def count(self, length: int) -> int:
        """Return the number of windows of a signal."""
        return max(0, (length - self.length) // self.step + 1)

    @property
    def notes(self) -> tuple[str, ...]:
        """Note on overlapping windows."""
        if self.step >= self.length:
            return ()
        return (
            f"windows of {self.length:,} overlap because of `step={self.step}`: held-out windows share values with "
            "training windows",
        )


def windows_of(source: DataSource, fit: SampleFormat) -> Windows:
    """Return the windows that a source asks for, by default adjacent and as long as the input."""
    length = source.window or fit.space[0]
    return Windows(length, source.step or length)


def window_name(file: str, start: int) -> str:
    """Return the name of the window of ``file`` that starts at a line or a frame: ``pump.csv:66``."""
    return f"{file}:{start}"
