"""Sparse codes: options of a bottleneck, and the layers that implement them."""

from collections.abc import Mapping
from typing import Any

from caedsl.vocabulary.activations import ACTIVATION, LINEAR, Activation
from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.kind import Draft, Kind, Role, written
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import (
    FROM_ONE,
    NOT_NEGATIVE,
    REQUIRED,
    Domain,
    LayerOption,
    Option,
    Options,
    Type,
    Written,
)
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import Shape, elements, rank, text

TOPK: LayerOption[int | None] = LayerOption(
    "topk",
    Type.COUNT,
    None,
    "number of largest values of each sample's code to keep; the others become 0",
    domain=FROM_ONE,
)
SPARSITY: LayerOption[float | None] = LayerOption(
    "sparsity",
    Type.SHARE,
    None,
    "target mean of each unit of the code; the KL divergence from it is added to the loss",
    domain=Domain(0, 1, low_open=True, high_open=True),
)
SPARSITY_WEIGHT: LayerOption[float] = LayerOption(
    "sparsity_weight", Type.NUMBER, 1.0, "weight of the divergence of `sparsity=`", domain=NOT_NEGATIVE
)
SPARSE_OPTIONS: tuple[Option, ...] = (TOPK, SPARSITY, SPARSITY_WEIGHT)
SPARSITY_TERM = "sparsity_kl"

KEPT: LayerOption[int] = LayerOption("kept", Type.COUNT, REQUIRED, "numbers to keep", Written.FIRST)
TARGET: LayerOption[float] = LayerOption("target", Type.SHARE, REQUIRED, "mean of a unit", Written.FIRST)


class TopK(Kind):
    """Largest numbers of a sample; the others become 0."""

    name = "topk"
    has_line = False
    sparse = True
    role = Role.PASSING
    linear = False
    options = (KEPT,)

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Return the input's shape, if it has more numbers than are kept."""
        if options[KEPT] < elements(in_shape):
            return in_shape
        product = f"{text(in_shape)} = " if rank(in_shape) else ""
        return Misfit(
            "out-of-domain",
            f"`topk={options[KEPT]}` keeps all of a code of {product}{elements(in_shape)} numbers",
            help=f"use a number below {elements(in_shape)}, or remove `topk=`",
            option=TOPK.name,
        )

    def operation(self, layer: PlacedLayer) -> tuple[Call, ...]:
        """Return the module that selects the numbers."""
        return (call("TopK", layer.options[KEPT]),)


class Sparsity(Kind):
    """Unchanged code; its module computes the divergence of the units' means."""

    name = "sparsity"
    has_line = False
    sparse = True
    role = Role.PASSING
    options = (TARGET,)

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Return the input's shape."""
        return in_shape

    def operation(self, layer: PlacedLayer) -> tuple[Call, ...]:
        """Return the module that computes the loss."""
        return (call("Sparsity", layer.options[TARGET]),)


def sparse_drafts(values: Mapping[str, Any]) -> tuple[Draft, ...]:
    """Return the line after a code that these options make sparse."""
    if values[TOPK.name] is not None:
        return (Draft(TopK.name, written({KEPT: values[TOPK.name]})),)
    if values[SPARSITY.name] is not None:
        return (Draft(Sparsity.name, written({TARGET: values[SPARSITY.name]})),)
    return ()


def sparse_weights(values: Mapping[str, Any]) -> dict[str, float]:
    """Return the weight of the divergence, if the options ask for one."""
    return {} if values[SPARSITY.name] is None else {SPARSITY_TERM: values[SPARSITY_WEIGHT.name]}


def without_sparsity(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the other options."""
    own = {option.name for option in SPARSE_OPTIONS}
    return {name: value for name, value in values.items() if name not in own}


def sparse_misfit(owner: str, values: Mapping[str, Any], given: Mapping[str, Any]) -> Misfit | None:
    """Return why the options contradict one another or the code's activation, or None."""
    if values[SPARSITY.name] is None:
        if SPARSITY_WEIGHT.name not in given:
            return None
        return Misfit(
            "option-without-effect",
            "`sparsity_weight=` has no effect on this line: it belongs to `sparsity=`",
            help="add `sparsity=0.05`, or remove `sparsity_weight=`",
            option=SPARSITY_WEIGHT.name,
        )
    if values[TOPK.name] is not None:
        return Misfit(
            "contradicting-options",
            "`topk=` sets numbers to 0, but `sparsity=` moves their means towards a small value",
            help="keep one of them",
            option=SPARSITY.name,
        )
    activation: Activation = values.get(ACTIVATION.name, LINEAR)
    if activation.low >= 0 and activation.high <= 1:
        return None
    return Misfit(
        "contradicting-options",
        f"`sparsity=` treats the mean of a unit as a probability, but `{activation}` returns numbers beyond 0..1",
        help=f"write `{owner} sigmoid`",
        option=SPARSITY.name,
    )
