"""Suspicions about the images."""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Edit
from caedsl.diagnostics.text import counted
from caedsl.doctor.certainty import CERTAIN, LIKELY, UNPROVEN
from caedsl.doctor.probes.data import DataEvidence, Split
from caedsl.doctor.probes.memorise import IMAGES, STEPS
from caedsl.doctor.suspicion import ProbesSoFar, ProposedChange, Suspicion
from caedsl.doctor.wording import rounded
from caedsl.facts.divergence import assumed_noise
from caedsl.rules.edits.divergence import MARGIN, rounded_weight, write_weight
from caedsl.rules.engine.causes import KNOWN
from caedsl.vocabulary.bottlenecks.variational import BETA, KL
from caedsl.vocabulary.shape import elements, is_map
from caedsl.vocabulary.spelling import number_text

USED = 0.05
"""Share of the declared range below which the images were scaled twice."""
REAL_SMALL, REAL_LARGE = 1 / 30, 30.0
"""Standard deviations beyond which real values were not standardised."""
FEW_DIFFERENT = 0.5
FEW_IMAGES = 2
LEAKING = 0.01
"""Share of held-out images that are training images, or nearly, above which their error says little."""
SHIFTED, ERRORS = 0.25, 5.0
"""Difference of means, in standard deviations and in standard errors, from which a split has another distribution."""
RESCALED = 2.0
"""Ratio of standard deviations from which images were preprocessed differently."""
HALF_LOST = 0.5
WEAKER = 100
"""Factor by which a divergence whose cost is unknown is divided in a trial."""
TIMES_NEEDED = 4
"""A code is too small if PCA leaves half with it, and needs this many times its numbers for 80 %."""


def suspect(seen: ProbesSoFar) -> Iterator[Suspicion]:
    """Yield suspicions about the images; constant images make all others meaningless."""
    if _constant(seen):
        data = seen.data
        what = (
            f"the {data.images:,} training images have a variance of {data.mean_error:.1e} about their mean; only "
            f"{_different(seen):,} of them are different"
        )
        yield of_data(seen, "constant-images", CERTAIN, what)
        return
    yield from _images(seen)
    for split in seen.data.splits:
        yield from _split(seen, split)
    yield from _code(seen)
    yield from _divergence(seen)


def _constant(seen: ProbesSoFar) -> bool:
    data = seen.data
    return data.mean_error <= 1e-6 * data.grey_error or _different(seen) <= FEW_IMAGES


def _different(seen: ProbesSoFar) -> int:
    return round(seen.data.different * seen.data.images)


def _images(seen: ProbesSoFar) -> Iterator[Suspicion]:
    data = seen.data
    if data.different < FEW_DIFFERENT:
        yield of_data(
            seen,
            "duplicate-images",
            CERTAIN,
            f"only {_different(seen):,} of the {data.images:,} training images are different; the others are copies",
        )
    if data.used is not None and data.used < USED:
        yield of_data(
            seen,
            "image-scale",
            CERTAIN,
            f"the values of a typical image span {data.used:.2%} of the declared range {data.declared}; over all "
            f"images they run from {data.low:.3g} to {data.high:.3g}",
        )
    elif seen.stretched is not None and seen.stretched.memorised:
        assert seen.memorise is not None
        yield of_data(
            seen,
            "image-scale",
            CERTAIN,
            f"after {STEPS} steps on the same images, {seen.memorise.left:.1%} of their variance is left, but "
            f"{seen.stretched.left:.1%} if they are stretched {rounded(seen.stretched.factor)} times, from the values "
            f"{rounded(data.low)} to {rounded(data.high)} to {_filled(data)}",
        )
    elif data.used is None and not REAL_SMALL < data.deviation < REAL_LARGE:
        yield of_data(
            seen,
            "image-scale",
            LIKELY,
            f"the values have a standard deviation of {data.deviation:.3g}, far from the 1 of standardised images",
        )


def _filled(data: DataEvidence) -> str:
    return "a standard deviation of 1" if data.used is None else f"the whole of {data.declared}"


def _split(seen: ProbesSoFar, split: Split) -> Iterator[Suspicion]:
    if split.inverted or not 1 / RESCALED <= split.scale <= RESCALED:
        how = (
            "are negatives of the training images"
            if split.inverted
            else f"have {split.scale:.3g} times the contrast of the training images"
        )
        yield of_data(seen, "evaluation-preprocessing", CERTAIN, f"the {split.name} images {how}")
    elif abs(split.offset) > SHIFTED and split.errors > ERRORS:
        yield of_data(
            seen,
            "shifted-split",
            CERTAIN,
            f"the mean of the {split.name} images is {split.offset:+.2f} standard deviations from that of the training "
            "images",
        )
    if split.known > LEAKING:
        yield of_data(
            seen, "leaking-split", CERTAIN, f"{split.known:.1%} of the {split.name} images are also training images"
        )
    elif split.near > LEAKING * split.near_of:
        yield of_data(
            seen,
            "leaking-split",
            LIKELY,
            f"at least {split.near:,} of {split.near_of:,} {split.name} images hardly differ from a training image",
        )


def _code(seen: ProbesSoFar) -> Iterator[Suspicion]:
    """Yield the suspicion that the code is too small for the images."""
    data, needed = seen.data, seen.data.needed[80]
    if data.code_left is None or data.code_left <= HALF_LOST:
        return
    if needed is not None and needed < TIMES_NEEDED * data.code_size:
        return
    wanted = needed or TIMES_NEEDED * data.code_size
    yield Suspicion(
        "code-too-small",
        LIKELY if data.code_left < 0.7 else CERTAIN,
        f"the best linear code of {counted(data.code_size, 'number')} loses {data.code_left:.0%} of the variance; "
        f"keeping 80% of it takes {f'{needed:,}' if needed else 'many more'} numbers",
        _bottleneck(seen),
        f"use a code of {wanted:,} numbers",
        _larger(seen, wanted),
    )


def _divergence(seen: ProbesSoFar) -> Iterator[Suspicion]:
    """Yield the suspicion that the divergence alone, not the size of the code, costs most of the variance."""
    data, model = seen.data, seen.subject.model
    noise, beta = assumed_noise(model), model.bottleneck.weights.get(KL, 0.0)
    if noise is None and beta and seen.fails:
        yield Suspicion(
            "strong-divergence",
            UNPROVEN,
            f"the divergence has a weight of {rounded(beta)}, and the network cannot memorise {IMAGES} images",
            _bottleneck(seen),
            KNOWN["strong-divergence"].remedy,
            (_weaker(seen, rounded_weight(beta / WEAKER)),),
        )
    if noise is None or data.divergence_left is None or data.divergence_left <= HALF_LOST:
        return
    if data.code_left is None or data.code_left > HALF_LOST:
        return
    change = _weaker(seen, rounded_weight(beta * data.largest / (MARGIN * noise)))
    yield Suspicion(
        "strong-divergence",
        LIKELY,
        f"the divergence stands for noise of variance {rounded(noise)}, and the largest variance of a component of the "
        f"images is {rounded(data.largest)}: the best linear code under it loses {data.divergence_left:.0%} of the "
        f"variance, and {data.code_left:.0%} without it",
        _bottleneck(seen),
        f"use {change.title}",
        (change,),
    )


def _weaker(seen: ProbesSoFar, beta: float) -> ProposedChange:
    """Return the change that gives the divergence this weight."""
    return ProposedChange(f"`{BETA.name}={number_text(beta)}`", (write_weight(seen.subject.model, beta),))


def _bottleneck(seen: ProbesSoFar) -> str:
    model = seen.subject.model
    return f"{seen.subject.shown_path}:{model.source.position(model.bottleneck.span.start).line}: `bottleneck`"


def _larger(seen: ProbesSoFar, wanted: int) -> tuple[ProposedChange, ...]:
    """Return the change that gives the code about ``wanted`` numbers."""
    model = seen.subject.model
    if not model.bottleneck.layers:
        return ()
    layer = model.bottleneck.layers[-1]
    name = "channels" if is_map(model.code_shape) else "units"
    place = layer.spans.get(name)
    room = elements(model.code_shape[1:]) if is_map(model.code_shape) else 1
    count = -(-wanted // room)
    if place is None:
        return ()
    return (ProposedChange(f"a code of {count * room:,} numbers", (Edit(place, str(count)),)),)


def of_data(seen: ProbesSoFar, cause: str, sure: float, evidence: str) -> Suspicion:
    """Return a suspicion about the images, which no change of the spec fixes."""
    source = seen.subject.model.source
    line = source.position(seen.subject.model.place("data").start).line
    return Suspicion(cause, sure, evidence, f"{seen.subject.shown_path}:{line}: `data`", KNOWN[cause].remedy)
