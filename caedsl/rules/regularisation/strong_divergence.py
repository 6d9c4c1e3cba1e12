"""The KL divergence outweighs the reconstruction: the code cannot carry any information.

## What it does
Warns about a variational code with such a large `beta` that even the first principal component of a published dataset
costs more divergence than it saves in squared error. It covers `loss mse` only, with either `reduction`, because a spec
always reduces the divergence and the reconstruction in the same way.

`w · |x - x̂|² + beta · KL` is the negative evidence lower bound of a decoder with Gaussian noise of variance beta / 2w.
For a linear decoder, the best code uses one number for each eigenvalue of the images' covariance that exceeds this
variance, and none if even the largest is smaller.

## Why is this bad?
Posterior collapse: the means are the same for all images, the divergence is 0, and the decoder returns the mean image.
On digits, `beta=4` with a summed `bce` ended in this state: 0.004 nats and no active unit after 57 epochs.

## Example
```cae
input 1x8x8
data digits
encoder { conv 16 k4 s2 relu }
bottleneck variational 8 beta=4
train { loss mse; epochs 60 }
```

## Instead
```cae
input 1x8x8
data digits
encoder { conv 16 k4 s2 relu }
bottleneck variational 8 beta=0.07
train { loss mse; epochs 60 }
```

## How sure
Proved for linear decoders; the eigenvalues are measured. A deep decoder can gain slightly more from each number of the
code. `warmup` delays the collapse but does not prevent it.

## References
- Lucas et al. 2019, "Don't blame the ELBO! A linear VAE perspective on posterior collapse", arXiv 1911.02469.
- Higgins et al. 2017, "beta-VAE", ICLR.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Severity
from caedsl.facts.presets import as_published, image_variance
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Train
from caedsl.rules.engine.rule import Rule
from caedsl.rules.engine.wording import plain
from caedsl.source import Span
from caedsl.vocabulary.bottlenecks.variational import BETA, KL
from caedsl.vocabulary.code_kinds import FREE_BITS
from caedsl.vocabulary.shape import elements

RULE = Rule("CAE708", "strong-divergence", Severity.WARNING)

MARGIN = 10
"""Let the fix make the first component this many times the noise (heuristic)."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the bottleneck's `beta`."""
    beta, known = model.bottleneck.weights.get(KL, 0.0), as_published(model)
    weight = _weight_of_squares(model.train) if model.train else None
    if not beta or weight is None or known is None or not known.unexplained or not model.bottleneck.layers:
        return
    draw = model.bottleneck.layers[-1]
    largest = (1 - known.unexplained[1]) * image_variance(model) * elements(model.input.shape)
    noise = beta / (2 * weight)
    if noise < largest or draw.options.get(FREE_BITS, 0.0):
        return
    lower = float(f"{2 * weight * largest / MARGIN:.1g}")
    place = draw.spans.get(BETA.name)
    end = Span(model.bottleneck.span.end, model.bottleneck.span.end)
    weaker = f"beta={plain(lower)}"
    edit = Edit(end, f" {weaker}") if place is None else Edit(place, weaker)
    summed = " reduction=sum" if model.train and model.train.loss.reduction == "sum" else ""
    yield RULE.found(
        place or model.bottleneck.span,
        f"the divergence outweighs the squared error: `beta={plain(beta)}` assumes noise of variance "
        f"{plain(noise, 3)} on the images, but the largest eigenvalue of {model.data[0].name} is {plain(largest, 3)}",
        label="every number of the code costs more than it saves",
        help=f"use `{weaker}`, or give the reconstruction more weight: "
        f"`loss {plain(MARGIN * noise / largest * weight, 2)} mse{summed}`",
        fix=Fix(f"use {weaker}", (edit,), Applicability.UNSAFE),
        data={"beta": beta, "noise": noise, "eigenvalue": largest},
    )


def _weight_of_squares(train: Train) -> float | None:
    """Return the weight of the squared error if it is the only reconstruction loss, else None."""
    term = train.loss.terms[0]
    whole = len(train.loss.terms) == 1 and train.loss.worst is None and term.weight > 0
    return term.weight if whole and term.kind.quadratic else None
