"""What a probe is, and what it finds."""

from typing import Any, ClassVar, Protocol, TypeVar

from caedsl.doctor.subject import Subject


class Evidence(Protocol):
    """What a probe found: a frozen dataclass of plain numbers."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def lines(self) -> list[str]:
        """Return what was found, a sentence each."""


class Tell(Protocol):
    """Receiver of the progress of a probe."""

    def __call__(self, done: int, total: int) -> None:
        """Say that ``done`` of ``total`` steps are taken."""


def silent(done: int, total: int) -> None:
    """Say nothing."""


Found = TypeVar("Found", bound=Evidence, covariant=True)


class Probe(Protocol[Found]):
    """One look at a subject.

    ``purpose`` says what the look is for; ``run`` takes it.
    """

    name: str
    purpose: str

    def run(self, subject: Subject, tell: Tell = silent) -> Found:
        """Return what is found."""
