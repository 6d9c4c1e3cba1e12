"""Refuse samples and codes that contain NaN or infinity."""

from collections.abc import Sequence

import torch
from torch import Tensor

from caedsl.data.errors import DataError
from caedsl.diagnostics.text import counted


def not_finite(name: str, bad: Sequence[int], samples: int, noun: str) -> str:
    """Return the message about the positions ``bad`` of those of the ``samples`` in ``name`` that are not finite."""
    contain = "contains" if len(bad) == 1 else "contain"
    return (
        f"{name}: {len(bad)} of {counted(samples, noun)} {contain} NaN or infinity (as 32-bit numbers); the first is "
        f"{noun} {bad[0]} (counted from 0): remove these {noun}s, or replace the values"
    )


def refuse_not_finite(x: Tensor, name: str, noun: str) -> None:
    """Raise a ``DataError`` if a number in ``x``, N x any shape, is NaN or infinite in 32 bits."""
    # The extremes need no memory of the size of `x`, and wait for a GPU only once.
    if not x.numel() or not x.is_floating_point() or bool(torch.stack(x.aminmax()).float().isfinite().all()):
        return
    bad = [place for place, sample in enumerate(x) if not bool(sample.float().isfinite().all())]
    raise DataError(not_finite(name, bad, len(x), noun))
