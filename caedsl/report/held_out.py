"""Held-out samples of a run for its report: errors, chosen reconstructions, codes.

x_bchw: batch, channels, height, width.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from caedsl.backends.torch.instantiate import ConvolutionalAutoencoder
from caedsl.data.files.folder_layout import PARTS, TRAIN
from caedsl.data.images import Images
from caedsl.diagnostics.text import printable
from caedsl.evaluation.code_statistics import CodeStatistics, finite_codes
from caedsl.evaluation.evaluate import EvaluationSet, as_target
from caedsl.evaluation.evaluated_run import evaluation_set
from caedsl.evaluation.metrics import psnr_per_image
from caedsl.evaluation.reconstructions import contrast_text
from caedsl.evaluation.reevaluation import finished_run
from caedsl.report.code_pictures import code_pictures
from caedsl.report.shown import Shown, heat_uri, picture_uri, shortened
from caedsl.training.batches import Batches
from caedsl.training.pixel_range import PixelRange
from caedsl.training.reporter import Reporter
from caedsl.training.run import Run
from caedsl.vocabulary.shape import elements

SHOWN = 4
"""Number of samples of each kind to show."""
MOST_CODES = 2000
"""Largest number of codes to plot: more would hide one another."""
FEWEST_CODES, MOST_CODE_VALUES = 100, 20_000_000
"""Fewer codes are taken if they are large, but at least some."""


@dataclass(frozen=True)
class HeldOut:
    """Samples of the part that the run is evaluated on: ``groups`` by heading, ``codes`` N×2 for a plot.

    ``code_groups`` show the meaning of codes, by heading. ``explained`` are the shares of the codes' variance on both
    axes. ``classes`` is None without labels. ``seen`` is the range of values in which the samples are drawn,
    and ``contrast`` a remark if it is smaller than that of the run.
    """

    part: str
    psnr: NDArray[np.float64]
    groups: dict[str, Sequence[Shown]]
    codes: NDArray[np.float64]
    explained: tuple[float, float]
    classes: Sequence[str] | None
    statistics: CodeStatistics
    seen: PixelRange
    contrast: str
    code_groups: dict[str, Sequence[Shown]]


@torch.no_grad()
def held_out(path: Path, device: str, data_dir: Path | None, reporter: Reporter) -> HeldOut:
    """Return what to show of the run in the folder ``path``; errors are those of ``evaluate_again``."""
    run, images = finished_run(path, device, data_dir, reporter)
    eval_set, module = evaluation_set(run), run.module
    assert isinstance(module, ConvolutionalAutoencoder), "runs train autoencoders"
    errors, codes = [], []
    most = max(FEWEST_CODES, min(MOST_CODES, MOST_CODE_VALUES // elements(run.model.code_shape)))
    every = max(1, -(-len(eval_set.images) // most))
    before, brightest = 0, float("-inf")
    for sample in eval_set.samples():
        brightest = max(brightest, float(sample.target.max()))
        z, maps = module.encode_with_maps(sample.seen.float())
        errors.append(_psnr(module.decode(z, maps), sample.target, run.pixels))
        codes.append(z[(-before) % every :: every].cpu())
        before += len(z)
    psnr = torch.cat(errors).cpu().double().numpy()
    all_codes = torch.cat(codes)
    flat = finite_codes(all_codes.flatten(1).double().numpy(), path)
    points, explained = _leading(flat)
    part, batches = run.held_out
    labels = images.labels_of(part)
    classes = None
    if labels is not None:
        taken = labels[batches.index.cpu()][::every].tolist()
        classes = [images.class_names[number] if images.class_names else str(number) for number in taken]
        classes = classes if len(set(classes)) > 1 else None
    names, seen = _names(images, part, batches), run.pixels.seen(brightest)
    pictures = code_pictures(module, eval_set, all_codes, range(0, len(eval_set.images), every), names[::every], seen)
    contrast = f"The samples are dark, and their {contrast_text(seen)}" if seen != run.pixels else ""
    groups = _groups(run, eval_set, module, psnr, names, seen)
    return HeldOut(part, psnr, groups, points, explained, classes, CodeStatistics.of(flat), seen, contrast, pictures)


def _names(images: Images, part: str, batches: Batches) -> list[str]:
    """Return the names of the samples of a part for captions."""
    named = TRAIN if part not in PARTS else part
    names = [images.name_of(named, number) for number in batches.index.tolist()]
    return [f"sample {name}" if name.isdecimal() else printable(shortened(name)) for name in names]


def _psnr(prediction: Tensor, target: Tensor, pixels: PixelRange) -> Tensor:
    y, x = pixels.to_unit(prediction.double()), pixels.to_unit(target.double())
    return psnr_per_image(y.clamp(0, 1) if pixels.bounded else y, x)


def _leading(codes: NDArray[np.float64]) -> tuple[NDArray[np.float64], tuple[float, float]]:
    """Return codes on their two leading principal components, and the share of the variance of each."""
    centred = codes - codes.mean(axis=0)
    left, values, directions = np.linalg.svd(centred, full_matrices=False)
    # The sign of a component is arbitrary: make the largest weight of each positive.
    signs = np.sign(directions[np.arange(len(directions)), np.abs(directions).argmax(axis=1)])
    points = np.zeros((len(codes), 2))
    count = min(2, len(values))
    points[:, :count] = (left * values * signs)[:, :count]
    shares = np.append(values**2 / max(float((values**2).sum()), np.finfo(float).tiny), (0.0, 0.0))
    return points, (float(shares[0]), float(shares[1]))


def _groups(
    run: Run,
    eval_set: EvaluationSet,
    module: ConvolutionalAutoencoder,
    psnr: NDArray[np.float64],
    names: Sequence[str],
    pixels: PixelRange,
) -> dict[str, Sequence[Shown]]:
    chosen = chosen_places(psnr)
    wanted = {int(place) for places in chosen.values() for place in places}
    drawn: dict[int, Shown] = {}
    before = 0
    for sample in eval_set.samples():
        for place in sorted(wanted & set(range(before, before + len(sample.target)))):
            seen, target = (x[place - before].float() for x in (sample.seen, sample.target))
            rows = {eval_set.row_names[0]: target}
            if eval_set.denoises:
                rows[eval_set.row_names[1]] = as_target(seen[None], eval_set, run.pixels)[0]
            pictures = _pictures(rows, module(seen[None])[0], target, pixels)
            drawn[place] = Shown(f"{names[place]}, {psnr[place]:.1f} dB", pictures)
        before += len(sample.target)
    return {heading: [drawn[int(place)] for place in places] for heading, places in chosen.items()}


def chosen_places(psnr: NDArray[np.float64]) -> dict[str, NDArray[np.intp]]:
    """Return the places of the samples with the best, median and worst PSNR, each sample once."""
    order = np.argsort(psnr, kind="stable")[::-1]
    shown = max(1, min(SHOWN, len(order) // 3))
    others = order[shown : len(order) - shown]
    first = max(0, len(others) - shown) // 2
    chosen = {
        "Best": order[:shown],
        "Median": others[first : first + shown],
        "Worst": order[max(shown, len(order) - shown) :][::-1],
    }
    return {heading: places for heading, places in chosen.items() if len(places)}


def _pictures(
    shown: Mapping[str, Tensor], reconstruction: Tensor, target: Tensor, pixels: PixelRange
) -> dict[str, str]:
    error = (pixels.to_unit(reconstruction) - pixels.to_unit(target)).square().mean(dim=0)
    return {
        **{name: picture_uri(x, pixels) for name, x in shown.items()},
        "output": picture_uri(reconstruction, pixels),
        "error": heat_uri(error),
    }
