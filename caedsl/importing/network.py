"""Description of a foreign network: every reader makes one, and ``writing`` turns it into a spec."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caedsl.model.data import InputRange
from caedsl.vocabulary.activations import FUNCTIONS, Activation
from caedsl.vocabulary.bottlenecks import BY_NAME
from caedsl.vocabulary.kind import Kind
from caedsl.vocabulary.layers import KINDS
from caedsl.vocabulary.layers.activation import VALUE
from caedsl.vocabulary.option import Option, Options
from caedsl.vocabulary.shape import Shape

Array = NDArray[Any]
INPUT = "input"
"""Key of the network's input."""


@dataclass(frozen=True, eq=False)
class ForeignLayer:
    """Layer of a foreign network in the words of the language.

    ``key`` names its output within the network, and ``name`` is the author's name. ``kind`` is the name of a layer kind
    (``conv``, ``norm``, ``relu``, ``add``), of a form that is a code by itself (``variational``, ``quantized``), or of
    an option of the bottleneck that acts on the code (``noise``, ``topk``, ``l1``). ``options`` are those that are
    known, including defaults, without ``bias``. ``inputs`` are the keys of the outputs that it reads: several for
    ``add`` and ``concat``. ``shape`` is the shape of its output, without the batch. ``weights`` are arrays in PyTorch's
    layout, by their names in the module that the line becomes (``weight``, ``bias``, ``running_mean``).
    """

    key: str
    name: str
    kind: str
    options: Options
    inputs: tuple[str, ...]
    shape: Shape
    weights: Mapping[str, Array] = field(default_factory=dict)

    @property
    def declared(self) -> Kind | None:
        """Declaration of the layer kind; None for a code, and for what acts on one."""
        return KINDS.get(self.kind)

    @property
    def activation(self) -> Activation | None:
        """Activation that it applies, if it does nothing else."""
        return Activation(self.kind, self.options.get(VALUE, None)) if self.kind in FUNCTIONS else None

    @property
    def is_code(self) -> bool:
        """Whether it makes a code by itself."""
        return self.kind in BY_NAME and self.kind not in KINDS

    @property
    def acts_on_code(self) -> bool:
        """Whether it becomes an option of the bottleneck instead of a line."""
        return self.kind not in BY_NAME and self.kind not in KINDS


@dataclass(frozen=True, eq=False)
class Network:
    """Foreign network; ``layers`` are in the order of computation, and the last one returns the reconstruction.

    ``run`` computes the original's output for a batch of samples in PyTorch's layout, without noise. ``code`` is the
    key of the code if the file itself names it. ``data`` is what follows that word in the spec, ``train`` maps the
    settings of a ``train`` block to what follows their words, ``defaults`` are options that every layer of a kind has,
    and ``notes`` is what the user should know. ``frozen`` names what is not trained: layers with all of their weights,
    or weights such as ``encoder.0.bias``.
    """

    name: str
    input_shape: Shape
    layers: tuple[ForeignLayer, ...]
    run: Callable[[Array], Array]
    code: str = ""
    range: InputRange = field(default_factory=InputRange)
    data: str = ""
    train: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Options] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    to_ours: Callable[[Array], Array] = lambda samples: samples
    """Function that returns samples of the original in PyTorch's layout."""
    frozen: frozenset[str] = frozenset()


def number_of(activation: Activation) -> Mapping[Option, Any]:
    """Return the options of an activation on its own line."""
    return {} if activation.parameter is None else {VALUE: activation.parameter}


def single(array: Any) -> Array:
    """Return a weight as an array of 32-bit numbers, except for integer counters."""
    made = np.asarray(array)
    return made.astype(np.float32) if np.issubdtype(made.dtype, np.floating) else made


def with_frozen(network: Network, names: Iterable[str]) -> Network:
    """Return the network with these layers or weights not trained either, and a note about them."""
    frozen = frozenset(names) - network.frozen
    if not frozen:
        return network
    listed = sorted(frozen)
    more = f" and {len(listed) - 4} more" if len(listed) > 4 else ""
    note = f"not trained in the original: {', '.join(listed[:4])}{more}; a spec trains every weight"
    return replace(network, frozen=network.frozen | frozen, notes=(*network.notes, note))


def with_settings(network: Network, *, data: str = "", loss: str = "", optimizer: str = "") -> Network:
    """Return the network with these settings, each as a spec writes it after its word; empty ones change nothing."""
    given = {word: value for word, value in (("loss", loss), ("optimizer", optimizer)) if value}
    return replace(network, data=data or network.data, train={**network.train, **given})
