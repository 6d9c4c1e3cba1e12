"""Program: the torch modules that compute an ``Autoencoder``, as data.

``lower`` makes a program from a model. ``render`` prints it as source and ``instantiate`` builds a module from it; both
use the same calls, so that they cannot differ.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from caedsl.vocabulary.call import Call
from caedsl.vocabulary.joining import Joining
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.shape import Shape
from caedsl.vocabulary.term import Term

WEIGHTED = ("Linear", *(f"{name}{rank}d" for name in ("Conv", "ConvTranspose") for rank in (1, 2, 3)))
"""Classes of ``torch.nn`` whose kernels a spec initialises and penalises."""

WITH_OWN_WEIGHTS = ("SqueezeExcitation", "SelfAttention")
"""Modules with biases of their own, which keep PyTorch's initialisation."""

RAW_INPUT = "raw input"
"""Name of the unprocessed sample, from which a decoder takes its mean and contrast; no output can have this name."""

CODE = "bottleneck"
"""Path of the module whose output is the code."""


@dataclass(frozen=True)
class ModuleStep:
    """Module of a ``Sequential``: its call, and for a group the sequences that are its arguments.

    ``shape`` is the output's shape if this step decides it, ``heading`` a comment for the reader before it.
    """

    call: Call
    branches: "tuple[tuple[ModuleStep, ...], ...]" = ()
    shape: str = ""
    heading: str = ""


@dataclass(frozen=True)
class WeightInitialisation:
    """Initialisation of the weights of the modules at ``paths``: a function of ``torch.nn.init`` with its arguments.

    ``title`` is the name of the initialisation.
    """

    call: Call
    paths: tuple[str, ...]
    title: str


@dataclass(frozen=True)
class Penalty:
    """λ₁·Σ|w| + λ₂·Σw² over the parameter of that name in the ``state_dict``."""

    parameter: str
    l1: float
    l2: float


@dataclass(frozen=True)
class LayerModules:
    """Modules at ``paths`` that implement a layer, in the order in which they compute."""

    layer: Layer
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Keep:
    """Map before the module at ``place`` of a part, kept under a name.

    With a ``call``, the second result of that function of the map is kept.
    """

    place: int
    name: str
    call: Call | None = None


@dataclass(frozen=True)
class JoinKept:
    """Map before the module at ``place`` of a part, joined with the kept one of that name.

    ``how`` is a function of both maps, or the way of joining.
    """

    place: int
    name: str
    how: Call | Joining


Link = Keep | JoinKept


@dataclass(frozen=True)
class Program:
    """Everything that defines the torch module: three sequences, the initialisation of their weights, and penalties.

    ``shape`` is the shape of a sample, ``target`` the shape of the output, and ``terms`` are what the code adds to the
    loss. ``bottleneck`` is empty if the encoder's output is the code. ``origins`` has every layer that became modules,
    in the order of computation: a group after the layers inside it.
    """

    shape: Shape
    target: Shape
    encoder: tuple[ModuleStep, ...]
    bottleneck: tuple[ModuleStep, ...]
    decoder: tuple[ModuleStep, ...]
    initialisations: tuple[WeightInitialisation, ...]
    zero_biases: tuple[str, ...]
    penalties: tuple[Penalty, ...]
    terms: tuple[Term, ...]
    origins: tuple[LayerModules, ...]
    encoder_links: tuple[Link, ...] = ()
    bottleneck_links: tuple[Link, ...] = ()
    decoder_links: tuple[Link, ...] = ()
    weight_normed: tuple[str, ...] = ()
    """Paths of the modules whose kernels are split into direction and length after initialisation."""
    maps: tuple[str, ...] = ()
    """Names of the maps that the decoder reads besides the code."""

    @property
    def links(self) -> tuple[Link, ...]:
        """All links, in the order of computation."""
        return (*self.encoder_links, *self.bottleneck_links, *self.decoder_links)

    @property
    def linked(self) -> bool:
        """Whether some layer reads an output by its name."""
        return bool(self.links)

    @property
    def fixed_size(self) -> bool:
        """Whether some module or function returns a size of its own, whatever the size of the sample."""
        calls = [step.call for step in self.steps]
        done = (link.how if isinstance(link, JoinKept) else link.call for link in self.links)
        calls += [each for each in done if isinstance(each, Call)]
        return any(keyword in ("size", "output_size") for each in calls for keyword, _ in each.kwargs)

    @property
    def steps(self) -> Iterator[ModuleStep]:
        """All steps, including those inside branches."""
        return steps((*self.encoder, *self.bottleneck, *self.decoder))

    @property
    def all_biases_zero(self) -> bool:
        """Whether every bias of a weighted module starts at zero."""
        if any(step.call.name in WITH_OWN_WEIGHTS for step in self.steps):
            return False
        return len(self.zero_biases) == sum(map(_has_bias, self.steps))


def steps(sequence: Sequence[ModuleStep]) -> Iterator[ModuleStep]:
    """Yield the steps of a sequence, including those inside branches."""
    for step in sequence:
        yield step
        for branch in step.branches:
            yield from steps(branch)


def _has_bias(step: ModuleStep) -> bool:
    return step.call.name in WEIGHTED and ("bias", False) not in step.call.kwargs
