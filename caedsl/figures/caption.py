"""Texts of a diagram: what a layer does, how large a code is, how many parameters there are."""

from collections.abc import Sequence

from caedsl.diagnostics.text import counted
from caedsl.facts.code import FLOAT_BITS, code_bits
from caedsl.model.autoencoder import Autoencoder
from caedsl.vocabulary.bottlenecks.quantized import COMMIT, COMMITMENT
from caedsl.vocabulary.bottlenecks.variational import BETA, KL
from caedsl.vocabulary.form import CODE_L1, NOISE, WARMUP
from caedsl.vocabulary.kernel_options import WEIGHTS
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.option import Option, Written
from caedsl.vocabulary.shape import Shape, elements
from caedsl.vocabulary.sparse_codes import SPARSITY_TERM, SPARSITY_WEIGHT
from caedsl.vocabulary.spelling import changed, written

_WEIGHTS_OF_TERMS: dict[str, Option] = {KL: BETA, SPARSITY_TERM: SPARSITY_WEIGHT, COMMITMENT: COMMIT}
_PENALTIES = {"l1", "l2"}
_HOW_IT_LEARNS = {option.name for option in WEIGHTS} - _PENALTIES | {"affine", "eps", "momentum"}
_HOW_IT_FITS = {"pad", "output_pad"}


def output_word(model: Autoencoder) -> str:
    """Return what to call the decoder's output: a reconstruction, or the output if it has a target of its own."""
    return "output" if model.paired else "reconstruction"


def caption(layer: Layer) -> tuple[str, tuple[str, ...]]:
    """Return what a layer does: its kind with its main number, and the words that differ from its kind's defaults.

    Kernels, strides and dilations above 1, and penalties always show; initialisation never does. The paddings of a
    mirrored layer are omitted too, since they follow from the shapes.
    """
    hidden = _HOW_IT_LEARNS | (_HOW_IT_FITS if layer.mirrors else set())
    shown = changed(layer.kind.options, layer.options, layer.kind.implied(layer.options))
    first, rest = layer.kind.name, []
    for option in layer.kind.options:
        value = layer.options.of_any_type(option)
        if value is None or option.name in hidden or (option.short != "k" and option not in shown):
            continue
        if option.written is Written.FIRST:
            first += " " + written(option, value)
        else:
            rest.append(written(option, value))
    return first, tuple(rest)


def line(layer: Layer) -> str:
    """Return the caption on one line."""
    first, rest = caption(layer)
    return " ".join((first, *rest))


def shape_text(shape: Shape) -> str:
    """Return the shape as a figure shows it: ``32×14×14``."""
    return "×".join(map(str, shape))


def count(number: int) -> str:
    """Return a number with separators: ``12,193``."""
    return f"{number:,}"


def size_of_code(model: Autoencoder) -> tuple[str, str]:
    """Return how many numbers the code holds, and how it compares with the input, with the skips past it.

    A code that is stored in fewer bits than its numbers, such as the indices of a codebook, is given in bits instead.
    """
    numbers, bits = elements(model.code_shape), code_bits(model)
    if bits < FLOAT_BITS * numbers and not model.bypasses:
        return counted(numbers, "number"), f"in {counted(bits, 'bit')}"
    beside = "with skips " if model.bypasses else ""
    return counted(numbers, "number"), beside + _comparison(model.compression)


def code_options(model: Autoencoder) -> tuple[str, ...]:
    """Return the penalties, noise and warm-up of the code as a spec writes them, if they say more than the defaults."""
    code = model.bottleneck
    options: list[tuple[Option, float]] = [(CODE_L1, code.l1), (NOISE, code.noise)]
    options += ((option, code.weights[term]) for term, option in _WEIGHTS_OF_TERMS.items() if term in code.weights)
    options.append((WARMUP, code.warmup))
    return tuple(written(option, value) for option, value in options if value != (option.default or 0.0))


def parameters_each(numbers: Sequence[int]) -> str:
    """Return the parameters of one copy of a layer, given those of all copies; empty if it has none.

    The first copy often differs from the others, because its input has other channels.
    """
    rest = set(numbers[1:])
    if not any(numbers):
        return ""
    if len(numbers) == 1:
        return counted(numbers[0], "parameter")
    if rest == {numbers[0]}:
        return f"{counted(numbers[0], 'parameter')} each"
    if len(rest) == 1:
        return f"{count(numbers[0])}, then {counted(numbers[1], 'parameter')}" + (" each" if len(numbers) > 2 else "")
    return f"{count(min(numbers))} to {counted(max(numbers), 'parameter')} each"


def _comparison(compression: float) -> str:
    factor = compression if compression >= 1 else 1 / compression
    if factor == 1:
        return "same size as the input"
    figure = f"{factor:.2f}" if factor < 1.05 else f"{factor:.1f}" if factor < 100 else f"{factor:,.0f}"
    return f"{figure}× smaller" if compression > 1 else f"{figure}× larger than the input"
