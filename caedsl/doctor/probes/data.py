"""Measure the images: range and spread, duplicates, how the splits differ, and what simple predictors reach."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

import numpy as np
import torch
from torch import Tensor

from caedsl.data.near_duplicates import Thumbnails, nearly_equal, relative_distance, thumbnails, usual_distance
from caedsl.doctor.evidence import StepProgress, silent
from caedsl.doctor.subject import Subject, some
from caedsl.evaluation.baselines import fit_pca
from caedsl.facts.divergence import assumed_noise
from caedsl.training.batches import Batches
from caedsl.vocabulary.shape import elements

MOST_FITTED, MOST_EVALUATED = 2_000, 1_000
"""Number of images that PCA is fitted to, and of images that it is evaluated on."""
MOST_COMPONENTS = 512
MOST_COMPARED = 512 * 2**20
"""Bytes of images that are compared with each other."""
SHARES = (50, 80, 95)
_OUTLIER = 10.0
"""Distance of an image's mean from the median, in interquartile ranges, at which it is an outlier."""


@dataclass(frozen=True)
class Split:
    """Held-out images compared with those of training.

    ``offset`` is the difference of the means in standard deviations of the training images, ``errors`` the same in
    standard errors, and ``scale`` the ratio of the standard deviations. ``inverted`` says that the mean images are
    negatives of each other. ``known`` is the share of the images that are also training images, among the images that
    were compared. At least ``near`` of ``near_of`` images hardly differ from a training image, but are not equal.
    ``nearest`` is the median distance to the nearest training image, as a share of that to any.
    """

    name: str
    images: int
    offset: float
    errors: float
    scale: float
    inverted: bool
    known: float
    near: int
    near_of: int
    nearest: float


@dataclass(frozen=True)
class DataEvidence:
    """Measurements of the images.

    ``used`` is the share of the declared range that the median image takes, None for a range without ends.
    ``different`` is the share of the training images that do not duplicate an earlier one. ``needed`` maps a percentage
    of the variance to the number of principal components that explain it; None for more than were computed.
    ``code_left`` is the share that PCA leaves with as many numbers as the code, and ``divergence_left`` the share that
    the best linear code leaves under the divergence of the spec, whose first component has the variance ``largest``.
    ``entropy`` is the lowest possible binary cross-entropy.
    """

    images: int
    shape: tuple[int, ...]
    declared: str
    low: float
    high: float
    mean: float
    deviation: float
    used: float | None
    constant_pixels: float
    different: float
    far: float
    grey_error: float
    mean_error: float
    needed: Mapping[int, int | None]
    code_size: int
    code_left: float | None
    entropy: float | None
    splits: tuple[Split, ...]
    largest: float = 0.0
    divergence_left: float | None = None

    def lines(self) -> list[str]:
        """See ``Evidence``."""
        found = [
            f"{self.images:,} training images of {'x'.join(map(str, self.shape))} with values from {self.low:.4g} to "
            f"{self.high:.4g} (declared: {self.declared}), mean {self.mean:.4g}, standard deviation "
            f"{self.deviation:.4g}",
            f"{self.constant_pixels:.0%} of the pixels are the same in every image; {1 - self.different:.1%} of the "
            f"images are copies of another; {self.far:.1%} are much brighter or darker than the others",
            f"the mean squared error of a constant grey is {self.grey_error:.4g}, and that of the mean image "
            f"{self.mean_error:.4g}",
            f"PCA needs {', '.join(map(self._need, SHARES))} of the variance",
        ]
        if self.code_left is not None:
            found.append(
                f"PCA with as many numbers as the code ({self.code_size:,}) leaves {self.code_left:.1%} of the variance"
            )
        if self.divergence_left is not None:
            found.append(
                f"the best linear code under the spec's divergence leaves {self.divergence_left:.1%} of the variance"
            )
        if self.entropy is not None:
            found.append(f"binary cross-entropy cannot fall below {self.entropy:.4f} on these images")
        found += [
            f"{split.images:,} {split.name} images: compared with the training images, their mean is "
            f"{split.offset:+.2f} standard deviations away and their contrast {split.scale:.2f} times as high; "
            f"{split.known:.1%} of them are training images, and at least {split.near:,} of {split.near_of:,} "
            f"hardly differ from one; the nearest training image is {split.nearest:.2f} times as far away as any"
            for split in self.splits
        ]
        return found

    def _need(self, share: int) -> str:
        count = self.needed[share]
        more = f"more than {min(MOST_COMPONENTS, elements(self.shape)):,}"
        return f"{f'{count:,}' if count is not None else more} numbers for {share}%"


class DataProbe:
    """See the module."""

    name = "data"
    purpose = "examining the data"

    def run(self, subject: Subject, tell: StepProgress = silent) -> DataEvidence:
        """See ``Probe``."""
        train = subject.train
        fitted = some(train, MOST_FITTED).seen
        evaluated = some(subject.held_out, MOST_EVALUATED).seen
        declared = subject.model.input.range
        flat = fitted.flatten(1)
        spans = flat.amax(dim=1) - flat.amin(dim=1)
        width = declared.high - declared.low if declared.high is not None and declared.low is not None else None
        codes = elements(subject.model.code_shape)
        left = _left(train, evaluated)
        compared = _Compared.of(train)
        components = (left[:-1] - left[1:]) * float(flat.double().var(dim=0, correction=0).sum())
        unit = width is not None and (declared.low, declared.high) == (0.0, 1.0)
        others = (("validation", subject.baseline.validation), ("test", subject.test))
        tell(1, 1)
        return DataEvidence(
            images=len(train),
            shape=tuple(train.shape),
            declared=str(declared),
            low=float(flat.min()),
            high=float(flat.max()),
            mean=float(flat.mean(dtype=torch.float64)),
            deviation=float(flat.double().std(correction=0)),
            used=float(spans.median()) / width if width else None,
            constant_pixels=float((flat.amax(dim=0) == flat.amin(dim=0)).float().mean()),
            different=len(set(compared.digests)) / len(compared.digests),
            far=_outliers(flat),
            grey_error=float((flat.double() - flat.double().mean()).square().mean()),
            mean_error=float((flat.double() - flat.double().mean(dim=0)).square().mean()),
            needed={share: _components(left, share) for share in SHARES},
            code_size=codes,
            code_left=0.0 if codes >= elements(train.shape) else float(left[codes]) if codes < len(left) else None,
            entropy=_entropy(flat) if unit else None,
            splits=tuple(_split(name, batches, flat, compared) for name, batches in others if batches is not None),
            largest=float(components[0]) if len(components) else 0.0,
            divergence_left=_divergence_left(components[:codes], flat, assumed_noise(subject.model)),
        )


def _left(train: Batches, evaluated: Tensor) -> Tensor:
    """Return the share of the variance of ``evaluated`` that PCA with 0, 1, 2, … components leaves."""
    fitted = train.of_inputs().spread(MOST_FITTED)
    count = min(MOST_COMPONENTS, elements(train.shape) - 1, len(fitted) - 1)
    linear = fit_pca(fitted, count) if count > 0 else None
    centred = evaluated.double().flatten(1) - evaluated.double().flatten(1).mean(dim=0)
    if linear is not None and linear.predictor is not None:
        centred = evaluated.double().flatten(1) - linear.predictor.mean_d.to(evaluated.device)
        components_kd = linear.predictor.components_kd.to(centred).flip(0)  # the largest first
        explained = (centred @ components_kd.T).square().sum(dim=0)
    else:
        explained = centred.new_zeros(0)
    total = centred.square().sum().clamp(min=1e-30)
    gone = torch.cat([explained.new_zeros(1), explained.cumsum(dim=0)]) / total
    return (1 - gone).clamp(min=0)


def _divergence_left(components: Tensor, flat: Tensor, noise: float | None) -> float | None:
    """Return the share of the variance that the best linear code leaves if it is trained for noise of this variance.

    It uses the components with a variance above that of the noise, and shrinks each of them by the noise (Lucas et al.
    2019, "Don't blame the ELBO!", arXiv 1911.02469).
    """
    if noise is None:
        return None
    used = components[components > noise]
    total = flat.double().var(dim=0, correction=0).sum().clamp(min=1e-30)
    return float(1 - (used - noise**2 / used).sum() / total)


def _components(left: Tensor, share: int) -> int | None:
    enough = (left <= 1 - share / 100).nonzero()
    return int(enough[0]) if len(enough) else None


def _outliers(flat: Tensor) -> float:
    """Return the share of the images whose mean is far from the other means."""
    means = flat.double().mean(dim=1)
    low, middle, high = torch.quantile(means, means.new_tensor([0.25, 0.5, 0.75]))
    return float(((means - middle).abs() > _OUTLIER * (high - low).clamp(min=1e-12)).double().mean())


def _entropy(flat: Tensor) -> float:
    p = flat.double().clamp(1e-12, 1 - 1e-12)
    return float(-(p * p.log() + (1 - p) * (1 - p).log()).mean())


@dataclass(frozen=True)
class _Compared:
    """Images that are compared with others: their digests, which are equal for equal images, and their thumbnails."""

    batches: Batches
    digests: list[bytes]
    small: Thumbnails

    @classmethod
    def of(cls, batches: Batches) -> "_Compared":
        """Read the images, evenly spaced ones if there are too many."""
        chosen = batches.of_inputs().spread(max(1, MOST_COMPARED // (4 * elements(batches.shape))))
        digests, small = [], []
        for block in chosen.in_order(1024):
            rows = block.seen.cpu().contiguous().flatten(1).numpy()
            digests += [blake2b(row.tobytes(), digest_size=16).digest() for row in rows]
            small.append(thumbnails(block.seen))
        return cls(chosen, digests, np.concatenate(small))

    @cached_property
    def usual(self) -> float:
        """Usual distance between neighbours."""
        return usual_distance(self.small)

    def near(self, held_out: "_Compared") -> tuple[int, int, float]:
        """Return how many held-out images hardly differ from one of these, but are not equal, and of how many.

        The last number is their ``relative_distance`` from these.
        """
        chosen = np.linspace(0, len(held_out.small) - 1, min(MOST_EVALUATED, len(held_out.small))).round().astype(int)

        def images(mine: int, other: int) -> tuple[Tensor, Tensor]:
            return self._image(mine), held_out._image(int(chosen[other]))

        small = held_out.small[chosen]
        count = sum(1 for _ in nearly_equal(self.small, small, self.usual, images))
        return count, len(chosen), relative_distance(small, self.small)

    def _image(self, place: int) -> Tensor:
        return next(Batches(self.batches.images, self.batches.index[[place]]).in_order(1)).seen


def _split(name: str, batches: Batches, train: Tensor, compared: _Compared) -> Split:
    """Compare held-out images with those of training, some of which are the rows of ``train``."""
    mine = some(batches, MOST_EVALUATED).seen.flatten(1).double()
    train = train.double()
    deviation = float(train.std(correction=0)) or 1e-12
    offset = float(mine.mean() - train.mean())
    means = torch.cat([train.mean(dim=1), mine.mean(dim=1)])
    error = float(means.std(correction=0)) * (1 / len(mine) + 1 / len(train)) ** 0.5 or 1e-12
    together = torch.corrcoef(torch.stack([train.mean(dim=0), mine.mean(dim=0)]))[0, 1]
    held_out, known = _Compared.of(batches), set(compared.digests)
    near, near_of, nearest = compared.near(held_out)
    return Split(
        name=name,
        images=len(batches),
        offset=offset / deviation,
        errors=abs(offset) / error,
        scale=float(mine.std(correction=0)) / deviation,
        inverted=bool(together < -0.5),
        known=sum(digest in known for digest in held_out.digests) / len(held_out.digests),
        near=near,
        near_of=near_of,
        nearest=nearest,
    )
