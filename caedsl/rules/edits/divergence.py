"""The edit that gives the divergence of a variational code another weight."""

from caedsl.diagnostics.finding import Edit
from caedsl.model.autoencoder import Autoencoder
from caedsl.source import Span
from caedsl.vocabulary.bottlenecks.variational import BETA
from caedsl.vocabulary.spelling import number_text

MARGIN = 10
"""Choose a weight at which the largest eigenvalue of the images is this many times the noise (heuristic)."""


def rounded_weight(beta: float) -> float:
    """Return `beta` rounded to one significant digit."""
    return float(f"{beta:.1g}")


def write_weight(model: Autoencoder, beta: float) -> Edit:
    """Write `beta` in place of the one in the bottleneck, or at its end."""
    place = model.bottleneck.layers[-1].spans.get(BETA.name)
    text = f"{BETA.name}={number_text(beta)}"
    if place is not None:
        return Edit(place, text)
    end = model.bottleneck.span.end
    return Edit(Span(end, end), f" {text}")
