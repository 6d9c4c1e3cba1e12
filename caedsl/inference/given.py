"""Samples as a caller gives them: an array, an image of Pillow, a list of either, paths, or a data line."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from caedsl.data.errors import DataError
from caedsl.data.files.picture import picture_of
from caedsl.data.loading import fit_for
from caedsl.data.sample_format import SampleFormat, ValueScale
from caedsl.data.stacks.array_stack import shape_text
from caedsl.data.stacks.picture_stack import check_input
from caedsl.diagnostics.text import counted
from caedsl.inference.data_line import is_data_line
from caedsl.inference.samples import Samples, from_array, from_files, from_line, from_path, own_source
from caedsl.model.autoencoder import Autoencoder
from caedsl.vocabulary.shape import Shape

SingleSample = NDArray[Any] | Image.Image | str | PathLike[str]
Given = Samples | SingleSample | list[Any] | tuple[Any, ...]
"""Samples in any form but a tensor; the items of a list are of one form."""


def samples_of(given: Given, model: Autoencoder) -> Samples:
    """Return the given samples of ``model``.

    Raise a ``DataError`` if they cannot be used, and ``TypeError`` for an object that has none of the forms.
    """
    if isinstance(given, Samples):
        return given
    if isinstance(given, np.ndarray):
        return _from_array(given, model)
    if isinstance(given, Image.Image):
        return _from_pictures([given], model)
    if isinstance(given, list | tuple):
        return _from_several(given, model)
    if not isinstance(given, str | PathLike):
        raise TypeError(f"a {type(given).__name__} cannot be read as samples: {_remedy(given, model)}")
    return from_line(str(given), model) if is_data_line(str(given)) else from_path(Path(given), model)


def _remedy(given: object, model: Autoencoder) -> str:
    if hasattr(given, "to_numpy"):  # tables and columns of pandas and polars, arrays of xarray
        return f"give an array, as in `x.to_numpy().reshape(-1, {', '.join(map(str, model.input.shape))})`"
    return "give an array, a tensor, an image of Pillow, a path, a data line, or a list of arrays, images or paths"


def _from_several(given: Sequence[Any], model: Autoencoder) -> Samples:
    if not given:
        raise DataError(f"the {type(given).__name__} of samples is empty: give at least one sample")
    if all(isinstance(item, str | PathLike) for item in given):
        return from_files([Path(item) for item in given], Path(), model)
    if all(isinstance(item, Image.Image) for item in given):
        return _from_pictures(given, model)
    if all(isinstance(item, np.ndarray) for item in given):
        if len({(item.shape, item.dtype) for item in given}) == 1:
            return from_array(np.stack(given), model)
        read = [partial(_read_array, item, number, model) for number, item in enumerate(given)]
        return Singles(read, fit_for(model, own_source(model), trained=True).noun)
    kinds = " and ".join(sorted({type(item).__name__ for item in given}))
    raise TypeError(
        f"a {type(given).__name__} of {kinds} cannot be read as samples: give arrays, images of Pillow, or paths, and "
        "join tensors by `torch.stack`"
    )


@dataclass(frozen=True)
class Singles(Samples):
    """Samples that are read one by one, because they differ in size.

    Each reader returns a sample, 1 x channels x space, and remarks on its conversion.
    """

    readers: Sequence[Callable[[], tuple[Tensor, Sequence[str]]]]
    noun: str
    _remarks: Counter[str] = field(default_factory=Counter)

    @property
    def names(self) -> list[str]:  # type: ignore[override]
        """Numbers from 0."""
        return list(map(str, range(len(self.readers))))

    def batches(self, size: int) -> Iterator[tuple[slice, Tensor]]:
        """See ``Samples``."""
        self._remarks.clear()
        for start in range(0, len(self.readers), size):
            read = [reader() for reader in self.readers[start : start + size]]
            for _, remarks in read:
                self._remarks.update(remarks)
            yield slice(start, start + len(read)), torch.cat([values for values, _ in read])

    def notes(self) -> Sequence[str]:
        """See ``Samples``."""
        of = counted(len(self.readers), self.noun)
        return [f"{remark}: {count} of {of}" for remark, count in self._remarks.items()]


def _from_pictures(images: Sequence[Image.Image], model: Autoencoder) -> Samples:
    own = own_source(model)
    fit = fit_for(model, own, trained=True)
    check_input(fit)
    read = [partial(_read_picture, image, number, fit, own.white) for number, image in enumerate(images)]
    return Singles(read, fit.noun)


def _read_picture(
    image: Image.Image, number: int, fit: SampleFormat, white: int | None
) -> tuple[Tensor, Sequence[str]]:
    found = picture_of(image, f"image {number} (counted from 0)", fit, white)
    return ValueScale(255, fit)(found.x_chw[None]), found.remarks


def _read_array(pixels: NDArray[Any], number: int, model: Autoencoder) -> tuple[Tensor, Sequence[str]]:
    samples = from_array(pixels[None], model, f"array {number} (counted from 0)")
    ((_, values),) = samples.batches(1)
    return values, samples.notes()


def _from_array(pixels: NDArray[Any], model: Autoencoder) -> Samples:
    fit = fit_for(model, own_source(model), trained=True)
    if _is_one(pixels.shape, fit):
        found = shape_text(pixels.shape)
        raise DataError(f"the array is {found}, a single {fit.noun}: add an axis for the samples, as in `x[None]`")
    return from_array(pixels, model)


def _is_one(shape: Shape, fit: SampleFormat) -> bool:
    """Return whether an array has the shape of one sample, and could not be several."""
    channels, *space = fit.shape
    return shape == tuple(space) or (channels > 1 and shape in (fit.shape, (*space, channels)))
