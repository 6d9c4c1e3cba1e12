"""How fast a run goes, and so how long it will take."""

from collections import deque

EPOCHS, SECONDS = 3, 30.0
"""The pace is measured over the last epochs, whole ones, so that validation has its share: so many at least, and so long."""


class Pace:
    """The time left of a run that is told of its steps; times are seconds of any clock that does not go back."""

    def __init__(self) -> None:
        self._marks: deque[tuple[int, float]] = deque()
        self._now: tuple[int, float] | None = None

    def at(self, step: int, seconds: float, epoch_over: bool = False) -> None:
        """So many steps have been taken.

        Measuring begins with the first call: what was before, such as compiling and the steps of a run that goes on,
        says nothing of the pace.
        """
        if not self._marks or epoch_over:
            self._marks.append((step, seconds))
        while len(self._marks) > EPOCHS + 1 and seconds - self._marks[1][1] >= SECONDS:
            self._marks.popleft()
        self._now = step, seconds

    def left(self, steps: int, seconds: float) -> float | None:
        """The seconds until so many ``steps`` have been taken; None where it cannot be known yet."""
        if self._now is None:
            return None
        (first, begun), (done, last) = self._marks[0], self._now
        if done == first:
            return None
        return max(0.0, (last - begun) / (done - first) * (steps - done) - (seconds - last))
