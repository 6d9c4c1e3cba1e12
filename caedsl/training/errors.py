"""What can go wrong with a run that no spec shows; each message is written for the person who started the run."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from caedsl.model.settings import Settled
from caedsl.runs.errors import TrainingError
from caedsl.vocabulary.precisions import FP32, PRECISIONS


class NotFiniteError(TrainingError):
    """Loss that became infinite or not a number.

    ``step`` is the one whose loss it was, None for that of the validation images. ``origin`` says which layer it came
    from, as the end of a sentence; it is empty while that is unknown.
    """

    def __init__(self, message: str, step: int | None = None) -> None:
        super().__init__(message)
        self.step = step
        self.origin = ""


def remedies(settings: Settled, precision: str) -> str:
    """Return what may keep a run of these settings finite, as the end of a sentence."""
    ways = [f"a smaller learning rate than {settings.optimizer.lr:g} (`--set train.optimizer.lr=…`)"]
    if settings.clip is None:
        ways.append("`clip 1.0` in the train block")
    if not PRECISIONS[precision].exact:
        ways.append(f"`precision {FP32.name}`")
    return " or ".join(filter(None, ["try " + ", ".join(ways[:-1] or ways), ways[-1] if len(ways) > 1 else ""]))


class OutOfMemoryError(TrainingError):
    """A step did not fit the memory."""


def out_of_memory(batch: int, fitting: int | None = None, tried: bool = False) -> OutOfMemoryError:
    """Return the error where ``batch`` images did not fit.

    ``fitting`` is how many would, 0 for none, None where that is not known: not tried, or ``tried`` in vain beside what
    the failed run still holds.
    """
    if fitting:
        remedy = f"{fitting} fit: add `--set train.batch={fitting}`, or use fewer channels"
    elif fitting == 0 or batch == 1:
        remedy = "not even one sample fits: use fewer channels, or reduce the size earlier"
    elif tried:
        remedy = (
            "nothing smaller fits beside what is left of this run: try `--set train.batch=1` in a new one; if that "
            "does not "
            "fit either, use fewer channels, or reduce the size earlier"
        )
    else:
        remedy = f"try `--set train.batch={batch // 2}`, or fewer channels"
    return OutOfMemoryError(f"out of memory with batch {batch}: {remedy}")


_NO_PRIMITIVE = "could not create a primitive"
"""What oneDNN says where memory ran out, and also where it has no code for a layer of that size."""

_SAYINGS = ("can't allocate memory", "bad allocation", "bad_alloc", "out of memory", _NO_PRIMITIVE)
"""How PyTorch and its libraries say in plain RuntimeErrors that main memory, or a workspace on the device, ran out."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether ``error`` says that memory of the device, or main memory, ran out."""
    known = isinstance(error, (torch.OutOfMemoryError, MemoryError))
    return known or (isinstance(error, RuntimeError) and any(saying in str(error) for saying in _SAYINGS))


def refused_by_onednn(error: BaseException | None) -> TrainingError | None:
    """Return the error where oneDNN refuses a step that no smaller batch cures; None where ``error`` is another one."""
    if error is None or _NO_PRIMITIVE not in str(error):
        return None
    return TrainingError(
        f"oneDNN, with which PyTorch computes on the CPU, refuses a step of any batch size ({_NO_PRIMITIVE}): it has "
        "no "
        "code for a layer as large as one of these, or no memory for it; use smaller kernels, fewer channels, or a GPU"
    )


@contextmanager
def memory_errors(batch: int) -> Iterator[None]:
    """Turn PyTorch's out-of-memory errors, of the device or of the main memory, into an ``OutOfMemoryError``."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise out_of_memory(batch) from error
