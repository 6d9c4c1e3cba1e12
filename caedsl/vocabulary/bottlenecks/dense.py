"""``bottleneck dense``: a fully connected layer."""

from collections.abc import Mapping
from typing import Any

from caedsl.vocabulary.form import CODE_OPTIONS, Form, without_penalty
from caedsl.vocabulary.kind import Draft
from caedsl.vocabulary.layers.dense import Dense
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.sparse_codes import (
    SPARSE_OPTIONS,
    sparse_drafts,
    sparse_misfit,
    sparse_weights,
    without_sparsity,
)


class DenseCode(Form):
    """A fully connected layer to this number of values; the compiler adds the inverse at the start of the decoder."""

    name = "dense"
    words = ("dense",)
    options = (*without_penalty(Dense.options), *CODE_OPTIONS, *SPARSE_OPTIONS)
    example = "bottleneck dense 64"
    inherits = True
    makes_vector = True

    def drafts(self, values: Mapping[str, Any]) -> tuple[Draft, ...]:
        """Return the fully connected layer, and the layer that makes its code sparse."""
        return (Draft(Dense.name, without_sparsity(values)), *sparse_drafts(values))

    def weights(self, values: Mapping[str, Any]) -> dict[str, float]:
        """Return the weight of the divergence of a sparse code."""
        return sparse_weights(values)

    def misfit(self, values: Mapping[str, Any], given: Mapping[str, Any]) -> Misfit | None:
        """Return why the options of a sparse code cannot be combined."""
        return sparse_misfit(self.example, values, given)
