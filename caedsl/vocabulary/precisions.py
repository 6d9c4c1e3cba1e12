"""Number formats of the computation, with one declaration each. Weights and losses always use 32 bits."""

from dataclasses import dataclass

from caedsl.vocabulary.words import Words


@dataclass(frozen=True, kw_only=True)
class PrecisionKind:
    """Number format of the forward pass.

    ``dtype`` is its name in ``torch``. ``exact``: nothing is rounded to fewer than 32 bits. ``scaled``: the loss is
    scaled so that gradients do not underflow, which needs a CUDA device. ``largest`` is the largest number of the
    format.
    """

    name: str
    dtype: str
    exact: bool
    scaled: bool
    largest: float


FP32 = PrecisionKind(name="fp32", dtype="float32", exact=True, scaled=False, largest=3.4e38)
BF16 = PrecisionKind(name="bf16", dtype="bfloat16", exact=False, scaled=False, largest=3.4e38)
FP16 = PrecisionKind(name="fp16", dtype="float16", exact=False, scaled=True, largest=65504.0)

PRECISIONS = Words(__name__, PrecisionKind)
