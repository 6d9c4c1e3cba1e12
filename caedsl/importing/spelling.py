"""Options of foreign layers as a spec writes them, without defaults."""

from collections.abc import Sequence
from math import isfinite

import numpy as np

from caedsl.importing.errors import ImportFailure
from caedsl.vocabulary.shape import sizes_text
from caedsl.vocabulary.window import SAME_UPPER, Axis, convolved, padding, transposition

Pads = Sequence[tuple[int, int]]
"""Zeros before and after, for each spatial axis."""


def number(value: float) -> str:
    """Return a number in the fewest digits that identify it."""
    if float(value).is_integer() and abs(value) < 1e15:
        return str(int(value))
    mantissa, e, exponent = repr(float(value)).partition("e")
    return f"{mantissa}e{int(exponent)}" if e else mantissa


def ends(range_: tuple[float, float] | None) -> str:
    """Return the range of the input as a spec writes it; None stands for numbers without bounds."""
    if range_ is None:
        return "real"
    if not isinstance(range_, Sequence) or len(range_) != 2 or not all(map(_is_finite, range_)):
        raise ImportFailure(
            f"range={range_!r} is not a range: give the smallest and the largest value of the samples, such as (0, 1), "
            "or None if they have no bounds"
        )
    return f"{number(range_[0])}..{number(range_[1])}"


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float | np.number) and isfinite(float(value))


def conv(
    channels: int,
    sizes: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    groups: int,
    pads: Pads,
) -> str | None:
    """Return the options of ``conv`` on a map of ``sizes``; None if no ``pad`` gives these zeros."""
    pad = _conv_pad(sizes, kernel, stride, dilation, pads)
    if pad is None:
        return None
    return _joined(str(channels), *_window(kernel, stride, dilation), _groups(groups), pad)


def deconv(
    channels: int,
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    groups: int,
    padding: Sequence[int],
    output_padding: Sequence[int],
) -> str:
    """Return the options of ``deconv`` with PyTorch's numbers."""
    if _transposes("same", kernel, stride, dilation, padding, output_padding, (0,) * len(kernel)):
        return _joined(str(channels), *_window(kernel, stride, dilation), _groups(groups))
    pads = f"pad={sizes_text(tuple(padding))}" if any(padding) else "pad=valid"
    rest = f"output_pad={sizes_text(tuple(output_padding))}" if any(output_padding) else ""
    return _joined(str(channels), *_window(kernel, stride, dilation), _groups(groups), pads, rest)


def cut_deconv(
    channels: int,
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    groups: int,
    padding: Sequence[int],
    cuts: Pads,
) -> str | None:
    """Return the options of a ``deconv`` that cuts the end of its output by itself; None if none does."""
    if any(before for before, _ in cuts):
        return None
    ends = [cut for _, cut in cuts]
    for word in ("same", SAME_UPPER):
        if _transposes(word, kernel, stride, dilation, padding, (0,) * len(ends), ends):
            pad = "" if word == "same" else f"pad={word}"
            return _joined(str(channels), *_window(kernel, stride, dilation), _groups(groups), pad)
    return None


def _transposes(
    word: str,
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    padding: Sequence[int],
    rest: Sequence[int],
    cuts: Sequence[int],
) -> bool:
    """Return whether ``pad=word`` gives these numbers for every axis."""
    axes = (Axis(0, *each, word) for each in zip(kernel, stride, dilation, strict=True))
    return list(map(transposition, axes)) == list(zip(padding, rest, cuts, strict=True))


def pool(kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int], ceil: bool) -> str:
    """Return the options of ``maxpool`` and ``avgpool``."""
    steps = "" if tuple(stride) == tuple(kernel) else f"s{sizes_text(tuple(stride))}"
    pads = f"pad={sizes_text(tuple(padding))}" if any(padding) else ""
    return _joined(sizes_text(tuple(kernel)), steps, pads, "ceil" if ceil else "")


def margin(pads: Pads) -> str | None:
    """Return the amount of ``pad`` and ``crop``; None if the axes differ in a way that one line cannot express."""
    if all(before == after for before, after in pads):
        return sizes_text(tuple(before for before, _ in pads))
    return f"{pads[0][0]}..{pads[0][1]}" if len(set(pads)) == 1 else None


def upsample(before: Sequence[int], after: Sequence[int], mode: str = "nearest", aligned: bool = False) -> str:
    """Return the options of ``upsample`` from one size to another."""
    word = "" if mode == "nearest" else _joined(mode, "align_corners" if aligned else "")
    if all(large % small == 0 for small, large in zip(before, after, strict=True)):
        factors = tuple(large // small for small, large in zip(before, after, strict=True))
        return _joined(sizes_text(factors), word)
    return _joined("to " + "x".join(map(str, after)), word)


def norm(kind: str, *, affine: bool, eps: float, momentum: float = 0.1, groups: int = 8) -> str:
    """Return the options of ``norm``."""
    return _joined(
        kind,
        "" if affine else "affine=off",
        "" if eps == 1e-5 else f"eps={number(eps)}",
        f"momentum={number(momentum)}" if kind == "batch" and momentum != 0.1 else "",
        f"groups={groups}" if kind == "group" and groups != 8 else "",
    )


def _window(kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]) -> tuple[str, ...]:
    return (
        "" if set(kernel) == {3} else f"k{sizes_text(tuple(kernel))}",
        "" if set(stride) == {1} else f"s{sizes_text(tuple(stride))}",
        "" if set(dilation) == {1} else f"d{sizes_text(tuple(dilation))}",
    )


def _groups(groups: int) -> str:
    return "" if groups == 1 else f"g{groups}"


def _conv_pad(
    sizes: Sequence[int], kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int], pads: Pads
) -> str | None:
    wanted = [tuple(pair) for pair in pads]
    for word in ("same", SAME_UPPER):
        axes = [Axis(*each, word) for each in zip(sizes, kernel, stride, dilation, strict=True)]
        if [padding(axis) for axis in axes] == wanted and all(convolved(axis) > 0 for axis in axes):
            return "" if word == "same" else f"pad={word}"
    if not any(map(any, wanted)):
        return "pad=valid"
    amount = margin(pads)
    return None if amount is None else f"pad={amount}"


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)
