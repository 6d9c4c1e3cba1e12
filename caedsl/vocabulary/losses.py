"""Reconstruction losses, with one declaration each, used by training, the emitted loop and the rules."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.option import POSITIVE, Domain, Option, Type
from caedsl.vocabulary.words import Words

Options = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class LossKind:
    """Reconstruction loss, a mean over all pixels.

    - ``about`` describes what it measures, and ``unit`` is its unit.
    - ``torch`` returns the call of a function of the reconstruction and the target: one of ``torch.nn.functional``, or
      of ``caedsl/backends/torch/losses.py``. It takes the loss's ``own`` options and the width of the pixels' range.
    - ``pixelwise``: the function is a mean of one number per pixel, and returns these with ``reduction="none"``.
    - ``of_batch``: it is a function of the squared errors of all samples together; others are a mean over samples.
    - ``probabilities``: reconstruction and target must lie in 0..1.
    - ``entropy``: a perfect reconstruction has the loss of the target's entropy; for other losses it is 0.
    - ``gain`` is the decrease from the mean image to a perfect reconstruction, relative to that of the squared error.
    - ``curvature`` is the size of the gradient for an output of slope 1, relative to squared error after a sigmoid;
    None if unknown. ``quadratic``: its second derivative is 2 everywhere.
    """

    name: str
    about: str
    unit: str
    own: tuple[Option, ...]
    torch: Callable[[Options, Any], Call]
    pixelwise: bool
    of_batch: bool
    probabilities: bool
    entropy: bool
    gain: float
    curvature: float | None
    quadratic: bool


MSE = LossKind(
    name="mse",
    about="squared error",
    unit="squared pixel values",
    own=(),
    torch=lambda options, width: call("mse_loss"),
    pixelwise=True,
    of_batch=False,
    probabilities=False,
    entropy=False,
    gain=1.0,
    curvature=16.0,
    quadratic=True,
)
MAE = LossKind(
    name="mae",
    about="absolute error",
    unit="pixel values",
    own=(),
    torch=lambda options, width: call("l1_loss"),
    pixelwise=True,
    of_batch=False,
    probabilities=False,
    entropy=False,
    gain=2.0,
    curvature=None,
    quadratic=False,
)
HUBER = LossKind(
    name="huber",
    about="half the squared error up to `delta`, absolute error beyond",
    unit="squared pixel values",
    own=(Option("delta", Type.NUMBER, 1.0, "error above which `huber` is linear", domain=POSITIVE),),
    torch=lambda options, width: call("huber_loss", **options),
    pixelwise=True,
    of_batch=False,
    probabilities=False,
    entropy=False,
    gain=0.5,
    curvature=None,
    quadratic=False,
)
BCE = LossKind(
    name="bce",
    about="binary cross-entropy",
    unit="nats",
    own=(),
    torch=lambda options, width: call("binary_cross_entropy"),
    pixelwise=True,
    of_batch=False,
    probabilities=True,
    entropy=True,
    gain=3.0,
    curvature=48.0,
    quadratic=False,
)
SSIM = LossKind(
    name="ssim",
    about="1 - structural similarity",
    unit="1",
    own=(),
    torch=lambda options, width: call("ssim_loss", width),
    pixelwise=False,
    of_batch=False,
    probabilities=False,
    entropy=False,
    gain=10.0,
    curvature=None,
    quadratic=False,
)
MS_SSIM = LossKind(
    name="ms_ssim",
    about="1 - structural similarity at up to five scales",
    unit="1",
    own=(),
    torch=lambda options, width: call("ms_ssim_loss", width),
    pixelwise=False,
    of_batch=False,
    probabilities=False,
    entropy=False,
    gain=10.0,
    curvature=None,
    quadratic=False,
)
CHARBONNIER = LossKind(
    name="charbonnier",
    about="absolute error, smooth below `epsilon`",
    unit="pixel values",
    own=(Option("epsilon", Type.NUMBER, 1e-3, "error below which `charbonnier` is smooth", domain=POSITIVE),),
    torch=lambda options, width: call("charbonnier_loss", **options),
    pixelwise=True,
    of_batch=False,
    probabilities=False,
    entropy=False,
    gain=2.0,
    curvature=None,
    quadratic=False,
)
LOGCOSH = LossKind(
    name="logcosh",
    about="logarithm of the hyperbolic cosine of `alpha` times the error, divided by `alpha`",
    unit="pixel values",
    own=(Option("alpha", Type.NUMBER, 1.0, "`logcosh` is an absolute error far above 1 / alpha", domain=POSITIVE),),
    torch=lambda options, width: call("logcosh_loss", **options),
    pixelwise=True,
    of_batch=False,
    probabilities=False,
    entropy=False,
    gain=0.5,
    curvature=None,
    quadratic=False,
)
FOCAL = LossKind(
    name="focal",
    about="binary cross-entropy, weighted by |error| raised to `gamma`",
    unit="nats",
    own=(Option("gamma", Type.NUMBER, 2.0, "exponent of the weights of `focal`", domain=Domain(1, 10)),),
    torch=lambda options, width: call("focal_loss", **options),
    pixelwise=True,
    of_batch=False,
    probabilities=True,
    entropy=False,
    gain=1.0,
    curvature=None,
    quadratic=False,
)
GAUSSIAN = LossKind(
    name="gaussian",
    about="negative log-likelihood of a normal distribution with learned variance",
    unit="nats",
    own=(
        Option(
            "least",
            Type.NUMBER,
            2.5e-3,
            "smallest standard deviation of `gaussian`, for a range of width 1",
            domain=POSITIVE,
        ),
    ),
    torch=lambda options, width: call("gaussian_loss", width, **options),
    pixelwise=False,
    of_batch=True,
    probabilities=False,
    entropy=False,
    gain=100.0,
    curvature=None,
    quadratic=False,
)

LOSSES = Words(__name__, LossKind)
