"""Interfaces of a probe and of its evidence."""

from typing import Any, ClassVar, Protocol, TypeVar

from caedsl.doctor.subject import Subject


class Evidence(Protocol):
    """Findings of a probe: a frozen dataclass of plain numbers."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def lines(self) -> list[str]:
        """Return the findings, one sentence each."""


class StepProgress(Protocol):
    """Callback for the progress of a probe."""

    def __call__(self, done: int, total: int) -> None:
        """Report that ``done`` of ``total`` steps are taken."""


def silent(done: int, total: int) -> None:
    """Report nothing."""


Found = TypeVar("Found", bound=Evidence, covariant=True)


class Probe(Protocol[Found]):
    """One measurement of a subject.

    ``purpose`` says what the measurement is for; ``run`` takes it.
    """

    name: str
    purpose: str

    def run(self, subject: Subject, tell: StepProgress = silent) -> Found:
        """Return the evidence."""
