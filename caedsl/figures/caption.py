"""The words of a diagram: what a layer does, how large a code is, how many parameters there are."""

from typing import Any

from caedsl.model.autoencoder import Autoencoder
from caedsl.vocabulary.kind import WEIGHTS
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.option import Option, Written
from caedsl.vocabulary.shape import Shape, elements
from caedsl.vocabulary.spelling import written

_HOW_IT_LEARNS = {option.name for option in WEIGHTS} | {"affine", "eps", "momentum"}
_HOW_IT_FITS = {"pad", "output_pad"}


def caption(layer: Layer) -> tuple[str, tuple[str, ...]]:
    """What a layer does: its kind with its one obvious number, and the words that tell it from its kind's defaults.

    Kernels, and strides and the like above 1, always show; how weights start and are held back never does. The
    paddings of a mirrored layer are left out too: they follow from the shapes.
    """
    hidden = _HOW_IT_LEARNS | (_HOW_IT_FITS if layer.mirrors else set())
    first, rest = layer.kind.name, []
    for option in layer.kind.options:
        value = layer.options.get(option.name)
        if value is None or option.name in hidden or _goes_without_saying(option, value, layer):
            continue
        if option.written is Written.FIRST:
            first += " " + written(option, value)
        else:
            rest.append(written(option, value))
    return first, tuple(rest)


def line(layer: Layer) -> str:
    """The caption in one line."""
    first, rest = caption(layer)
    return " ".join((first, *rest))


def shape_text(shape: Shape) -> str:
    """The shape as a figure writes it: ``32×14×14``."""
    return "×".join(map(str, shape))


def count(number: int) -> str:
    """``12,193``."""
    return f"{number:,}"


def plural(number: int, noun: str) -> str:
    """``1 parameter``, ``12,193 parameters``."""
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def size_of_code(model: Autoencoder) -> tuple[str, str]:
    """How many numbers the code holds, and how that compares with the input."""
    return plural(elements(model.code_shape), "number"), _comparison(model.compression)


def _comparison(compression: float) -> str:
    factor = compression if compression >= 1 else 1 / compression
    if factor == 1:
        return "same size as the input"
    figure = f"{factor:.2f}" if factor < 1.05 else f"{factor:.1f}" if factor < 100 else f"{factor:,.0f}"
    return f"{figure}× smaller" if compression > 1 else f"{figure}× larger than the input"


def _goes_without_saying(option: Option, value: Any, layer: Layer) -> bool:
    if option.written is Written.SHORT:
        absent = layer.options.get("kernel") if option.default is None else option.default
        return bool(value == absent and value in (1, (1, 1), layer.options.get("kernel")) and option.short != "k")
    return bool(value == option.default)
