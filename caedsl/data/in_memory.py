"""Samples passed by the caller, as an array or another object, instead of the sources of a spec."""

from dataclasses import replace
from typing import Any

import numpy as np

from caedsl.data.array_layout import layout
from caedsl.data.errors import DataError, silent
from caedsl.data.files.folder_layout import PARTS
from caedsl.data.images import Images
from caedsl.data.labels import StoredLabels, as_labels
from caedsl.data.loading import fit_for, loaded, wanted_of, weight_notes
from caedsl.data.pairs import compare
from caedsl.data.readers.source_reader import Request, UnreadImages
from caedsl.data.sample_format import SampleFormat
from caedsl.data.sample_weights import as_weights
from caedsl.data.stacks.array_stack import ArrayStack
from caedsl.data.store import Store, StoreStack
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.data import DataSource
from caedsl.vocabulary.shape import noun

NAME, TARGETS = "an array in memory", "an array of targets in memory"


def images_of(given: Any, model: Autoencoder, targets: Any = None, weights: Any = None) -> Images:
    """Return the caller's own samples for training ``model``.

    ``given`` is an array N × space, N × space × C or N × C × space, a ``Store``, or a dataset of Hugging Face.
    ``targets`` are the expected outputs in one of these forms, by default the samples themselves in the target's size
    and range. ``weights`` are one number per sample, its weight in the loss. Integers are scaled as in files; real
    numbers must be in the range. Raise a ``DataError`` if they do not match the spec, or if there are none.
    """
    name = _called(given, NAME)
    source = DataSource("npy", name, target=None if targets is None else _called(targets, TARGETS))
    fit = fit_for(model, source)
    request = Request(source, model.folder, (), fit, silent)
    wanted = wanted_of(model, request)
    found = _found(given, fit, name)
    if weights is not None:
        found.train.weights = as_weights(np.asarray(weights), len(found.train), "the array of weights")
    if wanted is not None:
        called = name if targets is None else _called(targets, TARGETS)
        answers = _found(given if targets is None else targets, wanted.fit, called)
        for part in PARTS:
            inputs, outputs = getattr(found, part), getattr(answers, part)
            if inputs is not None and outputs is not None:
                compare(inputs, outputs, name, called)
            elif inputs is not None or outputs is not None:
                raise DataError(f"only one of {name} and its targets has {part} samples: give both {part} samples")
        found = replace(found, targets=answers)
    return replace(loaded(found, replace(request, targets=wanted), [], None), name=name)


def notes_on_samples(images: Images, model: Autoencoder) -> list[str]:
    """Return the notes on samples that were given, without that on their weights, which were given too."""
    on_weights = weight_notes(images.weights, noun(model.input.shape))
    return [note for note in images.notes if note not in on_weights]


def _called(given: Any, array: str) -> str:
    if isinstance(given, Store):
        return f"the store {type(given).__name__}"
    return "a Hugging Face dataset" if is_dataset(given) else array


def _found(given: Any, fit: SampleFormat, name: str) -> UnreadImages:
    if is_dataset(given):
        from caedsl.data.readers.hugging_face import read_dataset

        return read_dataset(given, fit, name)
    if isinstance(given, Store):
        labels = StoredLabels()
        if given.labels is not None:
            labels = as_labels(np.asarray(given.labels), f"the labels of {name}")
        return UnreadImages(StoreStack(given, fit, name, labels), class_names=labels.names)
    given = _array(given, name)
    if not len(given):
        raise DataError(f"{name} contains no {fit.noun}s")
    return UnreadImages(ArrayStack(given, layout(given.shape, fit, name), fit, name))


def _array(given: Any, name: str) -> Any:
    """Return samples as an array; a tensor is taken from its device."""
    if hasattr(given, "detach"):
        given = given.detach().cpu().numpy()
    if not hasattr(given, "shape"):
        kind = type(given).__name__
        try:
            given = np.asarray(given)
        except ValueError:
            raise DataError(f"{name}: the items of a {kind} differ in shape: pass an array of samples") from None
        if not given.ndim:
            raise DataError(f"{name} is a {kind}: pass an array of samples")
    return given


def is_dataset(given: object) -> bool:
    """Return whether an object is a dataset of Hugging Face, or a dictionary of them by part."""
    return type(given).__module__.partition(".")[0] == "datasets"
