"""What can go wrong with a run that no spec shows; each message is written for the person who started the run."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


class TrainingError(Exception):
    """Training cannot start or cannot go on; the message names the place, the value and the remedy."""


class RunError(TrainingError):
    """A run folder cannot be made or written."""


class NotFiniteError(TrainingError):
    """The loss became infinite or not a number."""


@contextmanager
def memory_errors(batch: int) -> Iterator[None]:
    """Turn PyTorch's out-of-memory errors, of the device or of the main memory, into a ``TrainingError``."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        exhausted = isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "can't allocate memory" in str(error)
        if not exhausted:
            raise
        smaller = (
            f"try `--set train.batch={max(1, batch // 2)}`" if batch > 1 else "the model itself is too large for it"
        )
        raise TrainingError(f"out of memory with batch {batch}: {smaller}, or fewer channels") from error
