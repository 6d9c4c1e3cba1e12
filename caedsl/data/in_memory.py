"""Samples in an array of the caller's, instead of the sources of a spec."""

from dataclasses import replace

from caedsl.data.errors import DataError, silent
from caedsl.data.fit import SampleFormat
from caedsl.data.images import Images
from caedsl.data.layout import layout
from caedsl.data.loading import fit_for, loaded, wanted_of
from caedsl.data.pairs import compare
from caedsl.data.source_reader import Request, UnreadImages
from caedsl.data.stack import Array, ArrayStack
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.data import DataSource

NAME, TARGETS = "an array in memory", "an array of targets in memory"


def images_of(pixels: Array, model: Autoencoder, targets: Array | None = None) -> Images:
    """Return the samples of an array N × space, N × space × C or N × C × space, for ``model`` to train on.

    ``targets`` is another such array, of what must be returned for each; by default that is the sample itself, in the
    target's size and range. Integers are scaled as those of files are; real numbers must lie in the range.
    Raise a ``DataError`` where an array does not suit its line, or holds nothing.
    """
    source = DataSource("npy", NAME, target=None if targets is None else TARGETS)
    fit = fit_for(model, source)
    if not len(pixels):
        raise DataError(f"{NAME} holds no {fit.noun}s")
    request = Request(source, model.folder, (), fit, silent)
    wanted = wanted_of(model, request)
    found = UnreadImages(_stack(pixels, fit, NAME))
    if wanted is not None:
        name = NAME if targets is None else TARGETS
        answers = _stack(pixels if targets is None else targets, wanted.fit, name)
        compare(found.train, answers, NAME, name)
        found = replace(found, targets=UnreadImages(answers))
    return replace(loaded(found, replace(request, targets=wanted), [], None), name=NAME)


def _stack(pixels: Array, fit: SampleFormat, name: str) -> ArrayStack:
    return ArrayStack(pixels, layout(pixels.shape, fit, name), fit, name)
