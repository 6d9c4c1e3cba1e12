"""Meaning of the dimensions of an array."""

from collections.abc import Callable
from pathlib import Path

from caedsl.data.errors import DataError
from caedsl.data.files.folder_layout import TEST, VALIDATION
from caedsl.data.readers.source_reader import Request
from caedsl.data.sample_format import SampleFormat
from caedsl.data.stacks.array_stack import ArrayStack, Layout, shape_text
from caedsl.data.stacks.row_file import RowFile
from caedsl.data.stacks.stack import Array, Labels, Weights
from caedsl.diagnostics.text import counted
from caedsl.vocabulary.shape import MOST_AXES, NOUNS, a_sample, text

_SPACE = ("", "L", "H x W", "D x H x W")


def array_stack(
    pixels: Array | RowFile, path: Path, request: Request, labels: Labels | None, weights: Weights | None = None
) -> ArrayStack:
    """Return the samples of an array, with the layout that its shape and the input's imply."""
    where = layout(pixels.shape, request.fit, str(path), request.source.layout)
    return ArrayStack(pixels, where, request.fit, str(path), labels, request.source.white, weights)


def parts_of(request: Request, read: Callable[[str], tuple[Array | RowFile, Path]]) -> dict[str, ArrayStack]:
    """Return the validation and test arrays that the source names, by part; ``read`` opens one of them."""
    named = {VALIDATION: request.source.validation, TEST: request.source.test}
    opened = {part: read(written) for part, written in named.items() if written}
    return {part: array_stack(pixels, path, request, None) for part, (pixels, path) in opened.items()}


def layout(shape: tuple[int, ...], fit: SampleFormat, file: str, declared: str | None = None) -> Layout:
    """Return the position of the channels of an array N × space, N × space × C or N × C × space.

    ``declared`` is ``first`` or ``last`` if the author states it. Raise a ``DataError`` if the array is none of these
    or could be two.
    """
    found, axes = f"{file} is {shape_text(shape)}", len(fit.space)
    if len(shape) == axes + 1:
        if fit.channels == 1:
            return "none"
        one = f"so {a_sample(fit.shape)} has one channel"
        remedy = f"give {fit.channels} channels" if fit.trained else f"write `{fit.word} {fit.input_of(1)}`"
        raise DataError(f"{found}, {one}, but the {fit.word} is {fit.input}: {remedy}")
    space = _SPACE[axes]
    if len(shape) != axes + 2:
        raise DataError(
            f"{found}: {fit.noun}s are N x {space}, N x {space} x C or N x C x {space}, but the {fit.word} is "
            f"{fit.input}; {_other_rank(shape, fit)}reshape the array and save it again"
        )
    wanted = (1, 3) if fit.gray and fit.channels == 1 else (fit.channels,)
    first, last = shape[1] in wanted, shape[-1] in wanted
    if declared is not None:
        return _declared(declared, first if declared == "first" else last, fit, found)
    if first and last:
        raise DataError(
            f"{found}: for the {fit.word} {fit.input}, this can be read as N x C x {space} and as N x {space} x C: "
            + (
                "pass a tensor, which is read in the first way, or write `layout=first` or `layout=last` in a data line"
                if fit.trained
                else "write `layout=first` or `layout=last`"
            )
        )
    if first or last:
        return "first" if first else "last"
    raise DataError(f"{found}, but the {fit.word} is {fit.input}: {_wrong_channels(shape, fit)}")


def _declared(declared: str, possible: bool, fit: SampleFormat, found: str) -> Layout:
    if not possible:
        place = "second" if declared == "first" else "last"
        raise DataError(
            f"{found}, but `layout={declared}` with the {fit.word} {fit.input} needs "
            f"{counted(fit.channels, 'channel')} in the {place} dimension: correct one of the two"
        )
    return "first" if declared == "first" else "last"


def _other_rank(shape: tuple[int, ...], fit: SampleFormat) -> str:
    """Return the input that fits an array of this shape, if there is one; a target has the axes of the input."""
    if fit.word != "input":
        return f"targets have as many axes as the input, {len(fit.space)}: "
    axes = len(shape) - 1
    if fit.trained:
        return ""
    return f"write `input {text((1, *shape[1:]))}` for {NOUNS[axes]}s, or " if 1 <= axes <= MOST_AXES else ""


def _wrong_channels(shape: tuple[int, ...], fit: SampleFormat) -> str:
    if fit.trained:
        return f"convert the {fit.noun}s to {counted(fit.channels, 'channel')}"
    if fit.noun == "image" and fit.channels == 1 and 3 in (shape[1], shape[-1]):
        colours = f"write `{fit.word} {fit.input_of(3)}`"
        return f"to convert colours to grey, add `gray` to the source; to train on colours, {colours}"
    if 1 in (shape[1], shape[-1]):
        have = "the images are grey" if fit.noun == "image" else f"the {fit.noun}s have one channel"
        return f"{have}: write `{fit.word} {fit.input_of(1)}`"
    neither = f"neither dimension 2 nor dimension {len(shape)} is {fit.channels}, the number of channels"
    return (
        f"{neither}; {_other_rank(shape, fit)}reshape the array"
        if fit.channels == 1 and len(shape) - 1 <= MOST_AXES
        else neither
    )
