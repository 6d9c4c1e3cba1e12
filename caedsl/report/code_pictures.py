"""Pictures of the meaning of codes: traversals of units, interpolations between samples, nearest neighbours.

z: batch, then the code's shape.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from caedsl.backends.torch.instantiate import ConvolutionalAutoencoder
from caedsl.evaluation.evaluate import EvaluationSet
from caedsl.report.shown import Shown, picture_uri
from caedsl.training.pixel_range import PixelRange

UNITS = 6
"""Number of units, or directions, to traverse."""
STEPS = (-2.0, -1.0, 0.0, 1.0, 2.0)
"""Steps of a traversal, in standard deviations from the mean code."""
ROWS, BETWEEN = 3, 5
"""Number of pairs of samples to interpolate, and of steps for each."""
QUERIES, NEAREST = 6, 4
"""Number of samples to look up, and of neighbours to show for each."""

Codes = NDArray[np.float64]


@torch.no_grad()
def code_pictures(
    module: ConvolutionalAutoencoder,
    eval_set: EvaluationSet,
    codes: Tensor,
    places: Sequence[int],
    names: Sequence[str],
    pixels: PixelRange,
) -> dict[str, Sequence[Shown]]:
    """Return pictures by heading for codes of held-out samples; ``places`` are their numbers in ``eval_set``.

    ``names`` are those of the samples. Some pictures are missing if the decoder reads more than the code, or if there
    are too few samples.
    """
    if len(codes) < 2 * ROWS:
        return {}
    flat = codes.flatten(1).double().numpy()
    groups: dict[str, Sequence[Shown]] = {}
    if not module.maps:
        heading, rows = _traversals(flat, vector=codes.dim() == 2)
        groups[heading] = _decoded(module, codes, rows, pixels)
        between = "Interpolations between the codes of two samples"
        groups[between] = _decoded(module, codes, _interpolations(flat, names), pixels)
    shown_as = f", shown as {eval_set.row_names[0]}s" if eval_set.denoises else ""
    groups[f"Nearest neighbours by code{shown_as}"] = _neighbours(eval_set, flat, places, names, pixels)
    return groups


def _traversals(flat: Codes, vector: bool) -> tuple[str, dict[str, dict[str, Codes]]]:
    """Return the codes of each row: units of a vector one by one, or the leading principal components of a map."""
    mean, deviations = flat.mean(axis=0), flat.std(axis=0)
    if vector:
        order = np.argsort(deviations, kind="stable")[::-1][:UNITS]
        directions = {f"unit {unit}": _one(unit, deviations) for unit in order.tolist() if deviations[unit] > 0}
    else:
        _, values, components = np.linalg.svd(flat - mean, full_matrices=False)
        scaled = components[:UNITS] * (values[:UNITS, None] / np.sqrt(len(flat)))
        directions = {f"component {number}": row for number, row in enumerate(scaled, 1) if np.abs(row).max() > 0}
    rows = {name: {_step(step): mean + step * direction for step in STEPS} for name, direction in directions.items()}
    what = "units that vary most" if vector else "leading principal components"
    return f"Traversals of the {what}", rows


def _step(step: float) -> str:
    return f"{step:+g} σ".replace("-", "\N{MINUS SIGN}") if step else "mean"


def _one(unit: int, deviations: Codes) -> Codes:
    direction = np.zeros_like(deviations)
    direction[unit] = deviations[unit]
    return direction


def _interpolations(flat: Codes, names: Sequence[str]) -> dict[str, dict[str, Codes]]:
    """Return the codes of each row: the way from one sample to another, with pairs spread over all samples."""
    ends = np.linspace(0, len(flat) - 1, 2 * ROWS).round().astype(int)
    shares = np.linspace(0, 1, BETWEEN)
    return {
        f"{names[a]} to {names[b]}": {f"{share:.0%}": (1 - share) * flat[a] + share * flat[b] for share in shares}
        for a, b in zip(ends[:ROWS].tolist(), ends[ROWS:].tolist(), strict=True)
    }


def _decoded(
    module: ConvolutionalAutoencoder, codes: Tensor, rows: Mapping[str, Mapping[str, Codes]], pixels: PixelRange
) -> list[Shown]:
    shown = []
    device = next(iter(module.parameters())).device
    for caption, row in rows.items():
        z = torch.from_numpy(np.stack(list(row.values()))).to(codes).view(-1, *codes.shape[1:]).to(device)
        made = module.decode(z).cpu()
        shown.append(Shown(caption, {name: picture_uri(x, pixels) for name, x in zip(row, made, strict=True)}))
    return shown


def _neighbours(
    eval_set: EvaluationSet, flat: Codes, places: Sequence[int], names: Sequence[str], pixels: PixelRange
) -> list[Shown]:
    """Return samples and those with the nearest codes, by Euclidean distance.

    A sample is drawn as its target: in corrupted samples the likeness could not be seen.
    """
    queries = np.linspace(0, len(flat) - 1, QUERIES).round().astype(int)
    rows = {}
    for query in dict.fromkeys(queries.tolist()):
        distances = np.square(flat - flat[query]).sum(axis=1)
        distances[query] = -1.0
        rows[query] = np.argsort(distances, kind="stable")[: NEAREST + 1].tolist()
    wanted = {places[number] for row in rows.values() for number in row}
    drawn: dict[int, str] = {}
    before = 0
    for sample in eval_set.samples():
        for place in sorted(wanted & set(range(before, before + len(sample.target)))):
            drawn[place] = picture_uri(sample.target[place - before].float().cpu(), pixels)
        before += len(sample.target)
    columns = ["sample", *(f"{number}." for number in range(1, NEAREST + 1))]
    return [
        Shown(names[query], {name: drawn[places[number]] for name, number in zip(columns, row, strict=False)})
        for query, row in rows.items()
    ]
