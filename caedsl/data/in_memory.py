"""Samples in an array of the caller's, instead of the sources of a spec."""

import numpy as np

from caedsl.data.errors import DataError, silent
from caedsl.data.images import Images
from caedsl.data.intake import Intake
from caedsl.data.layout import layout
from caedsl.data.loading import fit_for
from caedsl.data.source_reader import Request
from caedsl.data.stack import Array, ArrayStack
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.data import DataSource

NAME = "an array in memory"


def images_of(pixels: Array, model: Autoencoder) -> Images:
    """Return the samples of an array N × space, N × space × C or N × C × space, for ``model`` to train on.

    Integers are scaled as those of files are; real numbers must lie in the input's range. Raise a ``DataError`` where
    the array does not suit the input, or holds nothing.
    """
    source = DataSource("npy", NAME)
    fit = fit_for(model, source)
    if not len(pixels):
        raise DataError(f"{NAME} holds no {fit.noun}s")
    stack = ArrayStack(pixels, layout(pixels.shape, fit, NAME), fit, NAME)
    intake = Intake(Request(source, model.folder, (), fit, silent))
    taken = intake.read(stack, np.arange(len(stack)))
    return Images(
        train_pixels=taken.pixels,
        test_pixels=None,
        labels=None,
        test_labels=None,
        class_names=(),
        source=source,
        name=NAME,
        notes=tuple(taken.notes),
        sha256=intake.sha256,
    )
