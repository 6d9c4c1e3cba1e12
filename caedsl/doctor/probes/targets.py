"""Check the targets of pairs: are they images, and can they be predicted from the inputs?"""

from dataclasses import dataclass

import torch
from torch import Tensor

from caedsl.doctor.evidence import StepProgress, silent
from caedsl.doctor.subject import Subject, some

FITTED, JUDGED = 2_000, 400
"""Number of pairs for fitting and for evaluation; if there are fewer, four in five are used for fitting."""
NUMBERS = 32
"""Number of principal components of the inputs from which targets are predicted."""
FLAT = 1e-3
"""Share of the targets' spread below which a single target counts as constant."""


@dataclass(frozen=True)
class TargetEvidence:
    """Measurements of pairs of inputs and targets.

    ``flat`` is the share of the targets that are constant. ``explained`` is the share of the variance of held-out
    targets that a linear map of the inputs explains. ``nearest`` is the squared distance between the target of an input
    and that of the most similar other input, relative to that of any two targets.
    """

    pairs: int
    flat: float
    explained: float
    nearest: float

    def lines(self) -> list[str]:
        """See ``Evidence``."""
        return [
            f"{self.pairs:,} pairs of an input and a target: {self.flat:.0%} of the targets are one value each; a "
            f"linear map of the inputs explains {max(0.0, self.explained):.1%} of the variance of the targets",
            f"the targets of similar inputs are {self.nearest:.2f} times as far apart as those of any two inputs",
        ]


class TargetProbe:
    """Probe of the module."""

    name = "targets"
    purpose = "comparing targets with inputs"

    def run(self, subject: Subject, tell: StepProgress = silent) -> TargetEvidence:
        """See ``Probe``."""
        pairs = some(subject.train, FITTED + JUDGED)
        order = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(subject.settings.seed))
        seen, target = pairs.seen.flatten(1).double()[order], pairs.target.flatten(1).double()[order]
        held_out = min(JUDGED, len(seen) // 5)
        tell(1, 1)
        within = target.std(dim=1, correction=0)
        return TargetEvidence(
            pairs=len(subject.train),
            flat=float((within <= FLAT * target.std(correction=0).clamp(min=1e-30)).double().mean()),
            explained=_explained(seen, target, held_out),
            nearest=_nearest(seen, target, held_out),
        )


def _explained(seen: Tensor, target: Tensor, held_out: int) -> float:
    """Return the share of the variance of held-out targets that least squares on the inputs' components explains."""
    mean = seen[held_out:].mean(dim=0)
    rank = min(NUMBERS, *seen[held_out:].shape)
    _, _, axes = torch.svd_lowrank(seen[held_out:] - mean, rank, niter=4)
    codes = torch.cat([(seen - mean) @ axes, seen.new_ones(len(seen), 1)], dim=1)
    weights = torch.linalg.lstsq(codes[held_out:], target[held_out:], driver="gelsd").solution
    error = (target[:held_out] - codes[:held_out] @ weights).square().sum()
    around = (target[:held_out] - target[held_out:].mean(dim=0)).square().sum().clamp(min=1e-30)
    return float(1 - error / around)


def _nearest(seen: Tensor, target: Tensor, held_out: int) -> float:
    """Return the distance between targets of similar inputs, over the distance of any two."""
    similar = torch.cdist(seen[:held_out], seen[held_out:]).argmin(dim=1)
    apart = (target[:held_out] - target[held_out:][similar]).square().sum(dim=1).mean()
    any_two = 2 * target.var(dim=0, correction=0).sum().clamp(min=1e-30)
    return float(apart / any_two)
