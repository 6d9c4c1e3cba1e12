"""``bottleneck conv``: a convolution at the current resolution."""

from collections.abc import Mapping
from typing import Any

from caedsl.vocabulary.form import CODE_OPTIONS, Form, without_penalty
from caedsl.vocabulary.kind import Draft
from caedsl.vocabulary.layers.conv import Conv
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.sparse_codes import (
    SPARSE_OPTIONS,
    sparse_drafts,
    sparse_misfit,
    sparse_weights,
    without_sparsity,
)
from caedsl.vocabulary.window import KERNEL


class ConvCode(Form):
    """A convolution to this number of channels at the current resolution, linear and with kernel 1 by default."""

    name = "conv"
    words = ("conv",)
    options = (
        *(o._replace(default=(1,)) if o.name == KERNEL.name else o for o in without_penalty(Conv.options)),
        *CODE_OPTIONS,
        *SPARSE_OPTIONS,
    )
    example = "bottleneck conv 8"

    def drafts(self, values: Mapping[str, Any]) -> tuple[Draft, ...]:
        """Return the convolution, and the layer that makes its code sparse."""
        return (Draft(Conv.name, without_sparsity(values)), *sparse_drafts(values))

    def weights(self, values: Mapping[str, Any]) -> dict[str, float]:
        """Return the weight of the divergence of a sparse code."""
        return sparse_weights(values)

    def misfit(self, values: Mapping[str, Any], given: Mapping[str, Any]) -> Misfit | None:
        """Return why the options of a sparse code cannot be combined."""
        return sparse_misfit(self.example, values, given)
