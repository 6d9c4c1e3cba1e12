"""Reconstructions of arrays, in the layout, size and type of the original."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from torch import Tensor

from caedsl.data.files.regular_file import open_regular
from caedsl.data.sample_format import unresized
from caedsl.data.stacks.array_stack import ArrayStack
from caedsl.data.stacks.row_file import Rows
from caedsl.data.stacks.stack import Array, Index
from caedsl.inference.data_line import is_data_line, with_data_line
from caedsl.inference.samples import StackSamples
from caedsl.inference.trained_run import TrainedRun


def reconstructed_blocks(run: TrainedRun, samples: StackSamples) -> Iterator[Array]:
    """Yield the reconstructions of samples in blocks, in the format of their array if they come from one.

    Reconstructions of other samples, such as windows of a sound, are in the input's range; targets of another shape or
    range are in the range of the target.
    """
    for batch in run.stream(samples):
        reconstruction = batch.reconstruction.cpu()
        if isinstance(samples.stack, ArrayStack) and run.model.target is run.model.input:
            place = batch.place
            index = np.arange(place.start, place.stop) if samples.index is None else samples.index[place]
            yield as_stored(reconstruction, index, samples.stack)
        else:
            yield reconstruction.numpy()


def as_stored(x: Tensor, index: Index, stack: ArrayStack) -> Array:
    """Convert samples in the input's range to the format in which ``stack`` stores the samples ``index``.

    If the input is the middle of a sample (``resize=crop``), the rest of the original is kept. Colours that were
    converted to grey result in one channel.
    """
    fit, stored = stack.fit, stack.space
    shown = fit.shown(stored)
    values = _values(unresized(x, shown), stack)
    with_channels = values.movedim(1, -1) if stack.layout == "last" else values
    in_layout = values[:, 0] if _without_channels(stack, values) else with_channels
    result = in_layout.numpy().astype(stack.pixels.dtype)
    if shown.part == stored:
        return result
    originals = stack.pixels.take(index) if isinstance(stack.pixels, Rows) else stack.pixels[index]
    whole = originals if originals.ndim == result.ndim else originals.mean(axis=1 if stack.layout == "first" else -1)
    whole = np.array(whole).astype(result.dtype)
    before = 2 if stack.layout == "first" and whole.ndim == len(stored) + 2 else 1
    place = (slice(None),) * before + tuple(slice(a, a + b) for a, b in zip(shown.start, shown.part, strict=True))
    whole[place] = result
    return whole


def _without_channels(stack: ArrayStack, values: Tensor) -> bool:
    """Return whether the result has no channel dimension: the array has none, or its colours were converted to grey."""
    if stack.layout == "none":
        return True
    return bool(stack.pixels.shape[1 if stack.layout == "first" else -1] != values.shape[1])


def _values(x: Tensor, stack: ArrayStack) -> Tensor:
    """Convert samples in the input's range to stored values, which are whole numbers for an array of integers."""
    fit, top, dtype = stack.fit, stack.scale.top, stack.pixels.dtype
    values = x.double()
    if top:
        values = (values - fit.low) / (fit.high - fit.low) * top
    if dtype.kind == "f":
        return values
    values = values.round()
    low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    return values.clamp(max(low, 0) if top else low, min(high, top) if top else high)


def error_blocks(run: TrainedRun, samples: StackSamples) -> Iterator[Array]:
    """Yield the error maps of samples in blocks, N x space: absolute differences on the scale 0..1."""
    for batch in run.stream(samples):
        reconstruction, target = run.values.to_unit(batch.reconstruction), run.values.to_unit(batch.target)
        yield (reconstruction - target).abs().mean(dim=1).cpu().numpy()


def key_of(given: str, run: TrainedRun) -> str | None:
    """Return the name of the array that a path or a data line selects in an npz file; None for other files."""
    if is_data_line(given):
        (source, *_) = with_data_line(run.model, given).data
        path, key = (source.path, source.key) if ".npz" in source.kind.endings else (None, None)
    else:
        path, key = (given, None) if given.lower().endswith(".npz") else (None, None)
    if path is None or key is not None:
        return key
    with open_regular(Path(path)) as file, np.load(file, allow_pickle=False) as arrays:
        return str(arrays.files[0])
