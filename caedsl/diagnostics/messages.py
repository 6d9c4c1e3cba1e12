"""Messages for users, in which names of files and data may contain any character, line ends included."""

from collections.abc import Sequence

from caedsl.diagnostics.text import printable


class MessageError(Exception):
    """Error with a message for users; each argument is a line of it, or an error whose lines it repeats.

    Characters that would break a line or control a terminal are shown in visible form.
    """

    def __init__(self, *lines: object) -> None:
        super().__init__("\n".join(shown_lines(*lines)))

    @property
    def lines(self) -> Sequence[str]:
        """Lines of the message."""
        return str(self).split("\n")


def shown_lines(*parts: object) -> list[str]:
    """Return the lines of a message that are safe to print: those of an error with a message, one for anything else."""
    return [
        line for part in parts for line in (part.lines if isinstance(part, MessageError) else [printable(str(part))])
    ]
