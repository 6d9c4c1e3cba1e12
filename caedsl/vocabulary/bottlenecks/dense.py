"""``bottleneck dense``: a fully connected layer."""

from collections.abc import Mapping
from typing import Any

from caedsl.vocabulary.form import CODE_OPTIONS, Form, without_penalty
from caedsl.vocabulary.kind import Draft
from caedsl.vocabulary.layers.dense import Dense


class DenseCode(Form):
    """A fully connected layer to so many numbers; the decoder starts with the way back, which the compiler writes."""

    name = "dense"
    words = ("dense",)
    options = (*without_penalty(Dense.options), *CODE_OPTIONS)
    example = "bottleneck dense 64"
    inherits = True
    makes_vector = True

    def drafts(self, values: Mapping[str, Any]) -> tuple[Draft, ...]:
        """Return the fully connected layer."""
        return (Draft(Dense.name, dict(values)),)
