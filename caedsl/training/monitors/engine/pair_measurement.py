"""Measure pairs: are the targets images, and do they follow from the inputs?"""

import torch
from torch import Tensor

from caedsl.training.monitors.engine.pair_relation import PairRelation

MOST_HELD_OUT = 400
"""Number of pairs for evaluation; if there are few, four in five are used for fitting."""
MOST_VALUES = 4_096
"""Number of values of each input and target that are compared, evenly spaced."""
COMPONENTS = 32
"""Number of principal components of the inputs from which targets are predicted."""
CONSTANT = 1e-3
"""Share of the targets' spread below which a single target counts as constant."""


def relation_of(inputs: Tensor, targets: Tensor, seed: int) -> PairRelation:
    """Measure at least ten pairs, in an order that depends on ``seed``."""
    order = torch.randperm(len(inputs), generator=torch.Generator().manual_seed(seed))
    seen, target = (_thinned(values.flatten(1)).double().cpu()[order] for values in (inputs, targets))
    held_out = min(MOST_HELD_OUT, len(seen) // 5)
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        explained = _explained(seen, target, held_out)
    return PairRelation(_flat(target), explained, _nearest(seen, target, held_out))


def _thinned(values: Tensor) -> Tensor:
    return values[:, :: -(-values.shape[1] // MOST_VALUES)]


def _flat(target: Tensor) -> float:
    """Return the share of the targets that are constant, 0 if those all have the same value."""
    least = CONSTANT * target.std(correction=0)
    constant = target.std(dim=1, correction=0) <= least
    values = target[constant].mean(dim=1)
    several = len(values) > 0 and values.max() - values.min() > least
    return float(constant.double().mean()) if several else 0.0


def _explained(seen: Tensor, target: Tensor, held_out: int) -> float:
    """Return the share of the variance of held-out targets that least squares on the inputs' components explains."""
    mean = seen[held_out:].mean(dim=0)
    rank = min(COMPONENTS, *seen[held_out:].shape)
    _, _, axes = torch.svd_lowrank(seen[held_out:] - mean, rank, niter=4)
    codes = torch.cat([(seen - mean) @ axes, seen.new_ones(len(seen), 1)], dim=1)
    weights = torch.linalg.lstsq(codes[held_out:], target[held_out:], driver="gelsd").solution
    error = (target[:held_out] - codes[:held_out] @ weights).square().sum()
    around = (target[:held_out] - target[held_out:].mean(dim=0)).square().sum().clamp(min=1e-30)
    return float(1 - error / around)


def _nearest(seen: Tensor, target: Tensor, held_out: int) -> float:
    """Return the distance between targets of similar inputs, over the distance of any two; copies do not count."""
    apart = torch.cdist(seen[:held_out], seen[held_out:])
    similar = apart.masked_fill(apart == 0, torch.inf).argmin(dim=1)
    distance = (target[:held_out] - target[held_out:][similar]).square().sum(dim=1).mean()
    any_two = 2 * target.var(dim=0, correction=0).sum().clamp(min=1e-30)
    return float(distance / any_two)
