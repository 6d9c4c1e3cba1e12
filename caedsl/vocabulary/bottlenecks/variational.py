"""``bottleneck variational``: a normal distribution per sample instead of a point."""

from collections.abc import Mapping
from typing import Any, ClassVar

from caedsl.vocabulary.code_kinds import CAPACITY, FREE, FREE_BITS, FREE_NATS, Gaussian
from caedsl.vocabulary.convolution import CHANNELS
from caedsl.vocabulary.form import WARMUP, Form
from caedsl.vocabulary.kernel_options import INITIALISATION_OPTIONS
from caedsl.vocabulary.kind import Draft, written
from caedsl.vocabulary.layers.conv import Conv
from caedsl.vocabulary.layers.dense import UNITS, Dense
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import NOT_NEGATIVE, LayerOption, Option, Type
from caedsl.vocabulary.window import KERNEL

BETA: LayerOption[float] = LayerOption(
    "beta", Type.NUMBER, 1.0, "weight of the KL divergence; 1 is the evidence lower bound", domain=NOT_NEGATIVE
)
KL = "kl"


class Variational(Form):
    """A normal distribution over this number of values for each sample (Kingma and Welling 2014, arXiv 1312.6114).

    The decoder gets a sample from it during training and its mean otherwise. The KL divergence from a standard normal
    distribution is added to the loss. `beta=1` is the evidence lower bound with either `reduction`. Runs can generate
    new samples: `caedsl sample`.
    """

    name = "variational"
    words: ClassVar[tuple[str, ...]] = ("variational",)
    options: ClassVar[tuple[Option, ...]] = (UNITS, BETA, WARMUP, *FREE, CAPACITY, *INITIALISATION_OPTIONS)
    example = "bottleneck variational 32 beta=1"
    makes_vector = True
    limits_copying = True
    has_prior = True

    def drafts(self, values: Mapping[str, Any]) -> tuple[Draft, ...]:
        """Return the layer that makes means and log-variances, and the sampling."""
        return (Draft(Dense.name, _made(UNITS, values)), _draw(values))

    def weights(self, values: Mapping[str, Any]) -> dict[str, float]:
        """Return the weight of the divergence."""
        return {KL: values[BETA.name]}

    def misfit(self, values: Mapping[str, Any], given: Mapping[str, Any]) -> Misfit | None:
        """Return that only one option can say which divergence costs nothing, or None."""
        chosen = [option for option in (*FREE, CAPACITY) if values[option.name]]
        if len(chosen) < 2:
            return None
        meanings = {
            FREE_BITS: "is free for each number of the code",
            FREE_NATS: "is free for their sum",
            CAPACITY: "is the only divergence that costs nothing",
        }
        *others, last = (f"`{option.name}=` {meanings[option]}" for option in chosen)
        return Misfit(
            "contradicting-options",
            f"{', '.join(others)}, but {last}",
            help="keep one of them",
            option=chosen[-1].name,
        )


class VariationalConv(Variational):
    """A normal distribution for every number of a map with this number of channels."""

    name = "variational conv"
    words = ("variational", "conv")
    options = (CHANNELS, BETA, WARMUP, *FREE, CAPACITY, *INITIALISATION_OPTIONS)
    example = "bottleneck variational conv 4"
    makes_vector = False

    def drafts(self, values: Mapping[str, Any]) -> tuple[Draft, ...]:
        """Return the convolution that makes means and log-variances, and the sampling."""
        return (Draft(Conv.name, written({KERNEL: (1,)}) | _made(CHANNELS, values)), _draw(values))


def _made(numbers: Option, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the layer that makes a mean and a log-variance for each of ``numbers``."""
    started = {option.name: values[option.name] for option in INITIALISATION_OPTIONS}
    return {numbers.name: 2 * values[numbers.name], **started}


def _draw(values: Mapping[str, Any]) -> Draft:
    return Draft(Gaussian.name, written({option: values[option.name] for option in Gaussian.options}))
