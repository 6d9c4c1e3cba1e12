"""The KL divergence outweighs the reconstruction: the code cannot carry any information.

## What it does
Warns about a variational code with such a large `beta` that even the first principal component of a published dataset
costs more divergence than it saves in reconstruction. It covers `loss mse` and `loss bce`, with either `reduction`,
because a spec always reduces the divergence and the reconstruction in the same way.

`w · |x - x̂|² + beta · KL` is the negative evidence lower bound of a decoder with Gaussian noise of variance beta / 2w.
For a linear decoder, the best code uses one number for each eigenvalue of the images' covariance that exceeds this
variance, and none if even the largest is smaller.

`w · BCE + beta · KL` is that of a decoder that draws each pixel from a Bernoulli distribution. Around the mean image p,
where the code is unused, the cross-entropy has the curvature p(1 - p) in the logit of a pixel. Expanded to second order
there, a number of the code saves more than it costs only if the largest eigenvalue of the covariance, with each pixel
divided by √(p(1 - p)), exceeds beta / w.

## Why is this bad?
Posterior collapse: the means are the same for all images, the divergence is 0, and the decoder returns the mean image.
On digits, `beta=4` with a summed `bce` ended in this state: 0.004 nats and no active unit after 57 epochs. The bound is
3.35 there: `beta=3.1` collapsed too, and `beta=2.5` kept seven of eight units active.

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
The eigenvalues are measured. For `mse`, the bound is proved for linear decoders; a deep decoder can gain slightly more
from each number of the code. For `bce`, it is proved only close to the collapsed state: that state is then stable,
which does not exclude a better one far from it. `warmup` delays the collapse but does not prevent it: on digits,
`beta=3.7 warmup=50%` with `bce` had eight active units after 20 epochs and none after 70.

## References
- Lucas et al. 2019, "Don't blame the ELBO! A linear VAE perspective on posterior collapse", arXiv 1911.02469.
- Higgins et al. 2017, "beta-VAE", ICLR.
"""

from collections.abc import Iterator
from typing import NamedTuple

from caedsl.diagnostics.finding import Applicability, Finding, Fix, Severity
from caedsl.facts.divergence import costs_from_zero, only_term
from caedsl.facts.presets import as_published, image_variance
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import LossTerm
from caedsl.rules.edits.divergence import MARGIN, rounded_weight, write_weight
from caedsl.rules.engine.rule import Rule
from caedsl.rules.engine.wording import plain
from caedsl.vocabulary.bottlenecks.variational import BETA, KL
from caedsl.vocabulary.presets import Preset
from caedsl.vocabulary.shape import elements

RULE = Rule("CAE708", "strong-divergence", Severity.WARNING)


class _Bound(NamedTuple):
    """Bound on `beta`: from ``ratio`` times the ``weight`` of the reconstruction on, no number of the code is worth it.

    ``evidence`` is the message that explains it.
    """

    ratio: float
    weight: float
    evidence: str


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the bottleneck's `beta`."""
    beta, known = model.bottleneck.weights.get(KL, 0.0), as_published(model)
    term = only_term(model.train) if model.train else None
    if not beta or term is None or known is None or not model.bottleneck.layers:
        return
    draw = model.bottleneck.layers[-1]
    bound = _of_squares(model, known, term, beta) or _of_coins(model, known, term, beta)
    if bound is None or beta < bound.ratio * bound.weight or not costs_from_zero(draw):
        return
    lower = rounded_weight(bound.weight * bound.ratio / MARGIN)
    edit = write_weight(model, lower)
    weaker = f"beta={plain(lower)}"
    summed = " reduction=sum" if model.train and model.train.loss.reduction == "sum" else ""
    yield RULE.found(
        draw.spans.get(BETA.name) or model.bottleneck.span,
        bound.evidence,
        label="every number of the code costs more than it saves",
        help=f"use `{weaker}`, or give the reconstruction more weight: "
        f"`loss {plain(MARGIN * beta / bound.ratio, 2)} {term.kind.name}{summed}`",
        fix=Fix(f"use {weaker}", (edit,), Applicability.UNSAFE),
        data={"beta": beta, "bound": bound.ratio * bound.weight},
    )


def _of_squares(model: Autoencoder, known: Preset, term: LossTerm, beta: float) -> _Bound | None:
    """Return the bound of a squared error: the largest eigenvalue must exceed the noise."""
    if not term.kind.quadratic or not known.unexplained:
        return None
    largest = (1 - known.unexplained[1]) * image_variance(model) * elements(model.input.shape)
    return _Bound(
        2 * largest,
        term.weight,
        f"the divergence outweighs the squared error: `beta={plain(beta)}` assumes noise of variance "
        f"{plain(beta / (2 * term.weight), 3)} on the images, but the largest eigenvalue of {model.data[0].name} is "
        f"{plain(largest, 3)}",
    )


def _of_coins(model: Autoencoder, known: Preset, term: LossTerm, beta: float) -> _Bound | None:
    """Return the bound of a cross-entropy: beyond it, an unused code is stable."""
    values, largest = model.target.range, known.bernoulli_eigenvalue
    if not term.kind.entropy or largest is None or (values.low, values.high) != (0, 1) or model.preprocessing:
        return None
    return _Bound(
        largest,
        term.weight,
        f"the divergence outweighs the cross-entropy: it has {plain(beta / term.weight, 3)} times its weight, but from "
        f"{plain(largest, 3)} times on, a code of {model.data[0].name} that is unused stays unused",
    )
