"""Findings about a PyTorch module, which name the author's layers instead of lines."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from math import isfinite
from typing import Any

import numpy as np
from torch import nn

from caedsl.data.errors import DataError
from caedsl.data.in_memory import images_of
from caedsl.diagnostics.finding import Finding, Label
from caedsl.importing.errors import ImportFailure
from caedsl.importing.imported import imported
from caedsl.importing.network import ForeignLayer, Network, with_settings
from caedsl.importing.torch.modules import module_network
from caedsl.importing.torch.settings import loss_text, optimizer_text, takes_logits
from caedsl.importing.writing import WrittenSpec, write
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.data import InputRange, usual_range
from caedsl.vocabulary.option import Options
from caedsl.vocabulary.shape import elements, text


@dataclass(frozen=True)
class ModuleFinding(Finding):
    """Finding about a module: ``layers`` are the paths of its layers, or the name of what else it is about.

    ``primary`` and ``related`` point into ``spec``, the text that describes the same network.
    """

    layers: tuple[str, ...] = ()
    spec: str = ""

    def __str__(self) -> str:
        where = ", ".join(self.layers)
        lines = [f"{where}: {self.severity.value}[{self.rule}]: {self.summary}", *(f"note: {n}" for n in self.notes)]
        return "\n  ".join([*lines, *([f"help: {self.advice}"] if self.advice else [])])


def check_module(
    module: nn.Module,
    shape: Sequence[int],
    values: InputRange,
    loss: Any = None,
    optimizer: Any = None,
    data: Any = None,
) -> tuple[ModuleFinding, ...]:
    """Return what ``check`` finds in the spec of a module; raise ``ImportFailure`` if no spec describes the module.

    ``data`` is what a spec writes after ``data``, or an array of samples, which must match the input. Real samples
    outside the range are judged in the range that holds them: that is what the module gets.
    """
    network = module_network(module, shape, _range_of(data, values))
    network = with_settings(
        network,
        data=data if isinstance(data, str) else "",
        loss=loss_text(loss) if loss is not None else "",
        optimizer=optimizer_text(optimizer) if optimizer else "",
    )
    written = write(_with_sigmoid(network) if takes_logits(loss) else network)
    if written.checked.can_be_built:
        made = imported(replace(network, train={}, data=""))  # a spec with other outputs would have other findings
        if data is not None and not isinstance(data, str):
            _check_data_fits(data, made.model)
    return tuple(_renamed(each, written) for each in written.checked.findings if each.name not in _OF_SPECS)


_OF_SPECS = ("no-data",)
"""Findings about what a module leaves to the author's own training loop."""


def _with_sigmoid(network: Network) -> Network:
    last = network.layers[-1]
    end = ForeignLayer("logits", "the loss's sigmoid", "sigmoid", Options({}), (last.key,), last.shape)
    return replace(network, layers=(*network.layers, end))


def _range_of(data: Any, declared: InputRange) -> InputRange:
    """Return the range that holds the samples, if they are real numbers outside the declared one."""
    if not hasattr(data, "shape") or declared.ends is None:
        return declared
    values = np.asarray(data.detach().cpu() if hasattr(data, "detach") else data)
    if values.dtype.kind != "f" or not values.size:
        return declared
    low, high = float(values.min()), float(values.max())
    start, end = declared.ends
    inside = not isfinite(high - low) or (start <= low and high <= end)  # what is not finite is an error of its own
    return declared if inside else usual_range(low, high)


def _check_data_fits(data: Any, model: Autoencoder) -> None:
    """Raise ``ImportFailure`` unless the samples match the input; a training loop does not resize them."""
    try:
        images_of(data, model)
    except DataError as error:
        raise ImportFailure(f"the data does not suit the module: {error}") from None
    if hasattr(data, "shape") and elements(tuple(data.shape[1:])) != elements(model.input.shape):
        raise ImportFailure(
            f"the data does not suit the module: its samples are {text(tuple(data.shape[1:]))}, but the input is "
            f"{text(model.input.shape)}; pass the samples that the module gets, or another `input`"
        )


def _renamed(finding: Finding, written: WrittenSpec) -> ModuleFinding:
    """Return a finding with the author's names as its place."""
    related = tuple(
        Label(label.span, f"{', '.join(_names(label.span.start, written))}: {label.text}") for label in finding.related
    )
    values = {each.name: getattr(finding, each.name) for each in fields(Finding)}
    values |= {"related": related, "proposal": None}
    return ModuleFinding(**values, layers=_names(finding.primary.span.start, written), spec=written.text)


def _names(place: int, written: WrittenSpec) -> tuple[str, ...]:
    """Return the layers at a place of the spec, or the word of its statement if it has no layer."""
    line = written.text.rfind("\n", 0, place) + 1
    before = [(start, names) for start, names in written.places if start <= place]
    if before and before[-1][0] >= line:
        return before[-1][1]
    word = (written.text[line:].split() or [""])[0]
    if word == "bottleneck" and before:
        return before[-1][1][-1:]
    return (word,)
