"""Synthetic samples, the same each time: heartbeats (signals) and phantoms (volumes), with anomalies."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from caedsl.data.array_layout import layout
from caedsl.data.readers.source_reader import Request, UnreadImages
from caedsl.data.stacks.array_stack import ArrayStack
from caedsl.data.stacks.stack import Labels
from caedsl.vocabulary.shape import Sizes

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, Sizes, str], Floats]
"""Function that draws one sample of a class."""

BEATS = ("normal", "ectopic", "elevated")
"""Classes of heartbeats: normal, with an early and wide beat without P wave, or with an elevated ST segment."""
PHANTOMS = ("normal", "lesion")
"""Classes of phantoms: normal, or with a lesion, a small bright sphere inside."""
_SEED = 0
_SECONDS = 2.0
_TOP = 65535


class Wave(NamedTuple):
    """Gaussian wave of a beat: its time after the R peak in seconds, height in millivolts, and width in seconds."""

    place: float
    height: float
    width: float


P, Q, R, S, T = (
    Wave(-0.17, 0.12, 0.025),
    Wave(-0.035, -0.12, 0.010),
    Wave(0.0, 1.0, 0.012),
    Wave(0.035, -0.2, 0.012),
    Wave(0.28, 0.3, 0.045),
)
"""Waves of an electrocardiogram, with usual times and heights."""
_WIDE = (Wave(0.0, 1.2, 0.045), Wave(0.25, -0.35, 0.06))
_SEGMENT = Wave(0.12, 0.18, 0.045)


def heartbeats(request: Request) -> UnreadImages:
    """Draw two seconds of an electrocardiogram per sample: 4,000 to train on, one in ten abnormal, 800 to test on."""
    return _found(request, "heartbeats", BEATS, (4000, 800), (0.9, 0.5), _beats)


def phantoms(request: Request) -> UnreadImages:
    """Draw volumes of an ellipsoid with a core: 1,000 for training, one in ten with a lesion, and 300 for testing."""
    return _found(request, "phantoms", PHANTOMS, (1000, 300), (0.9, 0.5), _phantom)


def _found(
    request: Request, name: str, classes: tuple[str, ...], counts: Sizes, normal: tuple[float, float], draw: Draw
) -> UnreadImages:
    random = np.random.default_rng(_SEED)
    fit, parts = request.fit, []
    for count, share in zip(counts, normal, strict=True):
        chances = [share, *[(1 - share) / (len(classes) - 1)] * (len(classes) - 1)]
        labels = random.choice(len(classes), count, p=chances)
        samples = np.empty((count, *fit.space), np.uint16)
        for place, label in enumerate(labels.tolist()):
            samples[place] = np.round(draw(random, fit.space, classes[label]).clip(0, 1) * _TOP)
        parts.append(_stack(samples, labels.astype(np.int64), name, request))
    return UnreadImages(parts[0], parts[1], class_names=classes)


def _stack(samples: NDArray[np.uint16], labels: Labels, name: str, request: Request) -> ArrayStack:
    return ArrayStack(samples, layout(samples.shape, request.fit, name), request.fit, name, labels, white=_TOP)


def _beats(random: np.random.Generator, space: Sizes, kind: str) -> Floats:
    """Return a signal in 0..1: beats at a varying rate, a drifting baseline, and noise."""
    time = np.linspace(0, _SECONDS, space[0], endpoint=False)
    period = 60 / random.uniform(55, 95)
    peaks = np.arange(-1, _SECONDS / period + 2) * period + random.uniform(0, period)
    peaks = peaks + random.normal(0, 0.02, len(peaks))
    odd = int(np.abs(peaks - random.uniform(0.3, 0.7) * _SECONDS).argmin()) if kind == "ectopic" else -1
    waves = [Wave(place, height * random.normal(1, 0.1), width) for place, height, width in (P, Q, R, S, T)]
    volts = 0.05 * np.sin(2 * np.pi * (random.uniform(0.2, 0.5) * time + random.random()))
    for number, peak in enumerate(peaks.tolist()):
        own = [*waves, *([_SEGMENT] if kind == "elevated" else [])]
        if number == odd:
            peak, own = peak - 0.25 * period, list(_WIDE)
        for place, height, width in own:
            volts = volts + height * np.exp(-(((time - peak - place) / width) ** 2) / 2)
    return (volts + random.normal(0, 0.02, time.shape) + 0.6) / 2.4


def _phantom(random: np.random.Generator, space: Sizes, kind: str) -> Floats:
    """Return a volume in 0..1: a shell, its interior, a core, noise, and perhaps a lesion between shell and core."""
    axes = np.meshgrid(*(np.linspace(-1, 1, side) for side in space), indexing="ij")
    centre, radii = random.uniform(-0.2, 0.2, 3), random.uniform(0.5, 0.78, 3)
    distance = np.sqrt(sum(((axis - c) / r) ** 2 for axis, c, r in zip(axes, centre, radii, strict=True)))
    volume = (
        0.7 * _inside(distance, 1) - 0.35 * _inside(distance, 0.8) + 0.25 * _inside(distance, random.uniform(0.3, 0.4))
    )
    if kind == "lesion":
        way = random.normal(size=3)
        place = centre + 0.6 * radii * way / np.linalg.norm(way)
        apart = np.sqrt(sum((axis - p) ** 2 for axis, p in zip(axes, place, strict=True)))
        volume = volume + 0.3 * _inside(apart / 0.2, 1)
    return volume + random.normal(0, 0.03, space) + 0.1


def _inside(distance: Floats, edge: float) -> Floats:
    """Return 1 inside ``edge`` and 0 outside, with a smooth transition."""
    inside: Floats = 1 / (1 + np.exp(((distance - edge) / 0.05).clip(-50, 50)))
    return inside
