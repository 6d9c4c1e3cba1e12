"""Errors of a run that no spec reveals; each message is written for the person who started the run."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from caedsl.model.settings import Settled
from caedsl.runs.errors import TrainingError
from caedsl.vocabulary.precisions import FP32, PRECISIONS


class NotFiniteError(TrainingError):
    """Loss that became infinite or NaN.

    ``step`` is the step of that loss, or None for the validation loss. ``origin`` names the layer that it came from, as
    the end of a sentence; it is empty while unknown.
    """

    def __init__(self, message: str, step: int | None = None) -> None:
        super().__init__(message)
        self.step = step
        self.origin = ""


def remedies(settings: Settled, precision: str) -> str:
    """Return remedies that may keep a run with these settings finite, as the end of a sentence."""
    ways = [f"a smaller learning rate than {settings.optimizer.lr:g} (`--set train.optimizer.lr=…`)"]
    if settings.clip is None:
        ways.append("`clip 1.0` in the train block")
    if not PRECISIONS[precision].exact:
        ways.append(f"`precision {FP32.name}`")
    return " or ".join(filter(None, ["try " + ", ".join(ways[:-1] or ways), ways[-1] if len(ways) > 1 else ""]))


class OutOfMemoryError(TrainingError):
    """Step that does not fit in memory."""


def out_of_memory(batch: int, fitting: int | None = None, tried: bool = False) -> OutOfMemoryError:
    """Return the error for a step on ``batch`` images that did not fit.

    ``fitting`` is the number of images that fit, 0 for none, or None if unknown: either not tried, or ``tried`` without
    success because the failed run still holds memory.
    """
    if fitting:
        remedy = f"{fitting} fit: add `--set train.batch={fitting}`, or use fewer channels"
    elif fitting == 0 or batch == 1:
        remedy = "not even one sample fits: use fewer channels, or reduce the size earlier"
    elif tried:
        remedy = (
            "no smaller batch fits while this run holds memory: try `--set train.batch=1` in a new run; if that does "
            "not fit either, use fewer channels, or reduce the size earlier"
        )
    else:
        remedy = f"try `--set train.batch={batch // 2}`, or fewer channels"
    return OutOfMemoryError(f"out of memory with batch {batch}: {remedy}")


_NO_PRIMITIVE = "could not create a primitive"
"""Message of oneDNN when memory runs out, or when it has no code for a layer of that size."""

_MESSAGES = ("can't allocate memory", "bad allocation", "bad_alloc", "out of memory", _NO_PRIMITIVE)
"""Messages of plain RuntimeErrors of PyTorch and its libraries when main memory or a workspace on the device runs out.
"""


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether ``error`` means that device memory or main memory ran out."""
    known = isinstance(error, (torch.OutOfMemoryError, MemoryError))
    return known or (isinstance(error, RuntimeError) and any(message in str(error) for message in _MESSAGES))


def refused_by_onednn(error: BaseException | None) -> TrainingError | None:
    """Return the error for a step that oneDNN refuses at any batch size; None if ``error`` has another cause."""
    if error is None or _NO_PRIMITIVE not in str(error):
        return None
    return TrainingError(
        f"oneDNN, PyTorch's library for the CPU, fails for every batch size ({_NO_PRIMITIVE}): a layer is too large "
        "for its code or for the memory; use smaller kernels, fewer channels, or a GPU"
    )


@contextmanager
def memory_errors(batch: int) -> Iterator[None]:
    """Turn PyTorch's out-of-memory errors, for device or main memory, into an ``OutOfMemoryError``."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise out_of_memory(batch) from error
