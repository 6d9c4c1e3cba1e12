"""``bottleneck quantized``: every position of the code is a vector of a codebook."""

from collections.abc import Mapping
from typing import Any

from caedsl.vocabulary.code_kinds import CODEBOOK, EMA, GRADIENT, SPREAD, UPDATE, Quantizer
from caedsl.vocabulary.convolution import CHANNELS
from caedsl.vocabulary.form import Form
from caedsl.vocabulary.kernel_options import INITIALISATION_OPTIONS
from caedsl.vocabulary.kind import Draft, written
from caedsl.vocabulary.layers.conv import Conv
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import NOT_NEGATIVE, LayerOption, Option, Type
from caedsl.vocabulary.window import KERNEL

COMMIT: LayerOption[float] = LayerOption(
    "commit", Type.NUMBER, 0.25, "weight of the squared distance to the codebook", domain=NOT_NEGATIVE
)
COMMITMENT = "commitment"
CODEBOOK_TERM = "codebook"


class Quantized(Form):
    """A codebook of vectors (van den Oord et al. 2017, arXiv 1711.00937): `512x64` is 512 vectors of 64 channels.

    A convolution with kernel 1 makes the channels, and every position is replaced by the nearest vector. `512` alone is
    a codebook for the encoder's own channels, without that convolution. The gradient passes straight through. The
    codebook follows the inputs by an exponential moving average, and vectors without any nearby input are reset to
    inputs; with `update=gradient` its squared distance to the inputs is added to the loss instead.
    """

    name = "quantized"
    words = ("quantized",)
    options = (CODEBOOK, COMMIT, UPDATE, EMA, SPREAD, *INITIALISATION_OPTIONS)
    example = "bottleneck quantized 512x64"
    limits_copying = True
    averages = True

    def drafts(self, values: Mapping[str, Any]) -> tuple[Draft, ...]:
        """Return the convolution to the vectors' channels, if there are any, and the codebook."""
        channels = values[CODEBOOK.name][1:]
        started: dict[Option, Any] = {option: values[option.name] for option in INITIALISATION_OPTIONS}
        kept: dict[Option, Any] = {option: values[option.name] for option in (CODEBOOK, UPDATE, EMA, SPREAD)}
        codebook = Draft(Quantizer.name, written(kept))
        if not channels:
            return (codebook,)
        return (Draft(Conv.name, written({CHANNELS: channels[0], KERNEL: (1,)} | started)), codebook)

    def weights(self, values: Mapping[str, Any]) -> dict[str, float]:
        """Return the weights of the commitment to the codebook, and of a trained codebook."""
        trained = {CODEBOOK_TERM: 1.0} if values[UPDATE.name] == GRADIENT else {}
        return {COMMITMENT: values[COMMIT.name], **trained}

    def methods(self) -> Mapping[str, str]:
        """Return the method that computes the distance of the codebook."""
        return {CODEBOOK_TERM: "distance"}

    def misfit(self, values: Mapping[str, Any], given: Mapping[str, Any]) -> Misfit | None:
        """Return that an option has no effect on a codebook with another update, or without a convolution."""
        start = next((option for option in INITIALISATION_OPTIONS if option.name in given), None)
        if start is not None and len(values[CODEBOOK.name]) == 1:
            vectors = values[CODEBOOK.name][0]
            return Misfit(
                "option-without-effect",
                f"`{start.name}=` has no effect on this line: `quantized {vectors}` has no convolution",
                help=f"remove `{start.name}=`, or write `quantized {vectors}x64` for a convolution to 64 channels",
                option=start.name,
            )
        idle, way = (EMA, "ema") if values[UPDATE.name] == GRADIENT else (SPREAD, GRADIENT)
        if idle.name not in given:
            return None
        return Misfit(
            "option-without-effect",
            f"`{idle.name}=` has no effect on this line: it belongs to `update={way}`",
            help=f"remove `{idle.name}=`, or write `update={way}`",
            option=idle.name,
        )
