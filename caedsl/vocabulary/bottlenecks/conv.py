"""``bottleneck conv``: a convolution at the current resolution."""

from collections.abc import Mapping
from typing import Any

from caedsl.vocabulary.form import CODE_OPTIONS, Form, without_penalty
from caedsl.vocabulary.kind import Draft
from caedsl.vocabulary.layers.conv import Conv
from caedsl.vocabulary.window import KERNEL


class ConvCode(Form):
    """A convolution to so many channels at the current resolution, with a kernel of 1 and linear by default."""

    name = "conv"
    words = ("conv",)
    options = (
        *(o._replace(default=(1,)) if o.name == KERNEL.name else o for o in without_penalty(Conv.options)),
        *CODE_OPTIONS,
    )
    example = "bottleneck conv 8"

    def drafts(self, values: Mapping[str, Any]) -> tuple[Draft, ...]:
        """Return the convolution."""
        return (Draft(Conv.name, dict(values)),)
