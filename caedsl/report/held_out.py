"""What a report shows of the held-out samples of a run: errors, chosen reconstructions, codes.

x_bchw: batch, channels, height, width.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from caedsl.backends.torch.instantiate import ConvolutionalAutoencoder
from caedsl.evaluation.again import finished_run
from caedsl.evaluation.evaluate import Examination, as_target
from caedsl.evaluation.metrics import psnr_per_image
from caedsl.evaluation.reconstructions import picture_of, png
from caedsl.evaluation.run import examination
from caedsl.inference.pictures import heat
from caedsl.training.pixel_range import PixelRange
from caedsl.training.reporter import Reporter
from caedsl.training.train import Run

SHOWN = 4
"""Samples of each kind that are shown."""
MOST_CODES = 2000
"""Codes that are plotted: more hide one another."""


@dataclass(frozen=True)
class Shown:
    """One sample: pictures as data URIs by what they show, and what to say of it."""

    caption: str
    pictures: dict[str, str]


@dataclass(frozen=True)
class HeldOut:
    """Samples of the part that the run is evaluated on: ``groups`` by heading, ``codes`` N×2 for a plot.

    ``explained`` are the shares of the codes' variance that both axes have; ``classes`` are None without labels.
    """

    part: str
    psnr: NDArray[np.float64]
    groups: dict[str, Sequence[Shown]]
    codes: NDArray[np.float64]
    explained: tuple[float, float]
    classes: Sequence[str] | None


@torch.no_grad()
def held_out(path: Path, device: str, data_dir: Path | None, reporter: Reporter) -> HeldOut:
    """Return what to show of the run in the folder ``path``; errors are those of ``evaluate_again``."""
    run, images = finished_run(path, device, data_dir, reporter)
    exam, module = examination(run), run.module
    assert isinstance(module, ConvolutionalAutoencoder), "runs train autoencoders"
    errors, codes = [], []
    every = max(1, -(-len(exam.images) // MOST_CODES))
    before = 0
    for sample in exam.samples():
        z = module.encode(sample.seen.float())
        errors.append(_psnr(module.decode(z), sample.target, run.pixels))
        codes.append(z.flatten(1)[(-before) % every :: every].cpu())
        before += len(z)
    psnr = torch.cat(errors).cpu().double().numpy()
    points, explained = _leading(torch.cat(codes).double().numpy())
    part, batches = run.held_out
    labels = images.test_labels if part == "test" else images.labels
    classes = None
    if labels is not None:
        taken = labels[batches.index.cpu()][::every].tolist()
        classes = [images.class_names[number] if images.class_names else str(number) for number in taken]
        classes = classes if len(set(classes)) > 1 else None
    return HeldOut(part, psnr, _groups(run, exam, module, psnr), points, explained, classes)


def _psnr(prediction: Tensor, target: Tensor, pixels: PixelRange) -> Tensor:
    y, x = pixels.to_unit(prediction.double()), pixels.to_unit(target.double())
    return psnr_per_image(y.clamp(0, 1) if pixels.bounded else y, x)


def _leading(codes: NDArray[np.float64]) -> tuple[NDArray[np.float64], tuple[float, float]]:
    """Return codes on their two leading principal components, and the share of the variance of each."""
    centred = codes - codes.mean(axis=0)
    left, values, directions = np.linalg.svd(centred, full_matrices=False)
    # The sign of a component is arbitrary: the largest weight of each is positive.
    signs = np.sign(directions[np.arange(len(directions)), np.abs(directions).argmax(axis=1)])
    points = np.zeros((len(codes), 2))
    count = min(2, len(values))
    points[:, :count] = (left * values * signs)[:, :count]
    shares = np.append(values**2 / max(float((values**2).sum()), np.finfo(float).tiny), (0.0, 0.0))
    return points, (float(shares[0]), float(shares[1]))


def _groups(
    run: Run, exam: Examination, module: ConvolutionalAutoencoder, psnr: NDArray[np.float64]
) -> dict[str, Sequence[Shown]]:
    order = np.argsort(psnr, kind="stable")[::-1]
    shown = min(SHOWN, len(order))
    middle = max(0, len(order) // 2 - shown // 2)
    chosen = {
        "Best": order[:shown],
        "Median": order[middle : middle + shown],
        "Worst": order[len(order) - shown :][::-1],
    }
    wanted = {int(place) for places in chosen.values() for place in places}
    drawn: dict[int, Shown] = {}
    before = 0
    for sample in exam.samples():
        for place in sorted(wanted & set(range(before, before + len(sample.target)))):
            seen, target = (x[place - before].float() for x in (sample.seen, sample.target))
            rows = {exam.row_names[0]: target}
            if exam.denoises:
                rows[exam.row_names[1]] = as_target(seen[None], exam, run.pixels)[0]
            pictures = _pictures(rows, module(seen[None])[0], target, run.pixels)
            drawn[place] = Shown(f"{psnr[place]:.1f} dB", pictures)
        before += len(sample.target)
    return {heading: [drawn[int(place)] for place in places] for heading, places in chosen.items()}


def _pictures(
    shown: Mapping[str, Tensor], reconstruction: Tensor, target: Tensor, pixels: PixelRange
) -> dict[str, str]:
    error = (pixels.to_unit(reconstruction) - pixels.to_unit(target)).square().mean(dim=0)
    return {
        **{name: data_uri(png(picture_of(x, pixels))) for name, x in shown.items()},
        "output": data_uri(png(picture_of(reconstruction, pixels))),
        "error": heat_uri(error),
    }


def heat_uri(map_: Tensor) -> str:
    """Return an error map as a picture."""
    from PIL import Image

    return data_uri(png(Image.fromarray(heat(map_))))


def data_uri(content: bytes, kind: str = "image/png") -> str:
    """Return a picture as an address that holds it."""
    return f"data:{kind};base64,{b64encode(content).decode()}"
