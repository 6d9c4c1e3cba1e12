"""Evaluation of a trained module beside the mean image and PCA on the same images.

Everything is computed in 64 bits and reported in ten digits: another processor or device, which adds numbers up in
another order, then gets the same digits.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from caedsl.backends.torch.fast import fast_form
from caedsl.backends.torch.instantiate import ConvolutionalAutoencoder
from caedsl.backends.torch.seeds import derived_seed
from caedsl.evaluation.baselines import Predictor, fit_pca
from caedsl.evaluation.filters import CHOSEN_ON, filters
from caedsl.evaluation.metrics import IMAGES, Scores, Scoring
from caedsl.evaluation.pieces import InPieces
from caedsl.model.data import InputRange
from caedsl.model.settings import Corrupt
from caedsl.training.batches import Batches
from caedsl.training.pixel_range import PixelRange
from caedsl.training.sample import Sample, make_sample
from caedsl.training.step import channels_last_kernels
from caedsl.vocabulary.shape import NOUNS, noun, rank

DIGITS = 10
"""Significant digits that are reported: the order of sums in 64 bits changes the thirteenth or so."""

MODEL, CORRUPTED, MEAN = "model", "corrupted input", "mean image"


class Examination:
    """The images that predictors are evaluated on, and their samples: the same corruption each time, from the seed.

    Images are in 64 bits. Corruption is drawn on the processor, wherever the images are: devices draw other numbers.
    """

    def __init__(self, images: Batches, batch: int, input_range: InputRange, corrupt: Corrupt, seed: int) -> None:
        self.images = images
        self.batch = batch
        self.input_range = input_range
        self.corrupt = corrupt
        self.seed = seed

    @property
    def denoises(self) -> bool:
        """Return whether what predictors see differs from what they must return."""
        return self.corrupt != Corrupt()

    def samples(self, images: Batches | None = None) -> Iterator[Sample]:
        """Make the samples of ``images``, by default of those that are examined."""
        generator = torch.Generator().manual_seed(derived_seed(self.seed, "evaluation"))
        for image_bchw in (images or self.images).in_order(self.batch):
            yield make_sample(image_bchw.double(), generator, self.input_range, self.corrupt)

    @torch.no_grad()
    def predictions(self, predictor: Predictor) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield batches of (what the predictor returns, what it must return)."""
        for sample in self.samples():
            yield predictor(sample.seen), sample.target


@dataclass(frozen=True)
class Evaluation:
    """Scores by predictor: ``model``, ``mean image``, ``PCA-k``, for a denoiser ``corrupted input`` and two filters.

    ``part`` says which samples they are of: ``test``, ``validation`` or ``training``; ``noun`` what a sample is called.
    ``notes`` say what a reader must know.
    """

    part: str
    images: int
    pixels: PixelRange
    code_size: int
    scores: dict[str, Scores]
    notes: tuple[str, ...]
    noun: str = NOUNS[IMAGES]

    @property
    def model(self) -> Scores:
        """The scores of the model itself."""
        return self.scores[MODEL]

    @property
    def pca(self) -> Scores | None:
        """The scores of PCA at the same code size, None where it is exact or was not computed."""
        return self.scores.get(f"PCA-{self.code_size}")

    def as_json(self) -> dict[str, Any]:
        """Return the content of ``metrics.json``; errors are of pixels mapped to 0..1 from ``pixels``."""
        return {
            "evaluated_on": self.part,
            "images": self.images,
            "pixels": str(self.pixels),
            "code_size": self.code_size,
            "scores": {name: asdict(scores) for name, scores in self.scores.items()},
            "notes": list(self.notes),
        }


@torch.no_grad()
def evaluate(
    module: Predictor,
    exam: Examination,
    train: Batches,
    pixels: PixelRange,
    code_size: int,
    part: str,
    baselines: bool = True,
) -> Evaluation:
    """Evaluate ``module``, in eval mode, and the baselines, fitted to ``train``, on the images of ``exam``.

    All are given 64 bits (see ``in_64_bits``) and see the same input, which is read once. PCA of a denoiser is fitted
    to clean images and applied to corrupted ones, as the median filter and the Gaussian blur are.
    """
    predictors: dict[str, Predictor] = {MODEL: module}
    if exam.denoises:
        predictors[CORRUPTED] = _unchanged
    notes: tuple[str, ...] = ()
    if baselines:
        linear = fit_pca(train, code_size)
        predictors[MEAN] = linear.mean
        if linear.predictor is not None:
            predictors[f"PCA-{code_size}"] = linear.predictor
        notes = tuple(filter(None, [linear.note]))
        if exam.denoises:
            classical, note = filters(exam.samples(train.spread(CHOSEN_ON)))
            predictors |= classical
            notes = (*notes, note)
    scorings = {name: Scoring(pixels, rank(exam.images.shape)) for name in predictors}
    for sample in exam.samples():
        for name, predictor in predictors.items():
            scorings[name].add(predictor(sample.seen), sample.target)
    scores = {name: _told(scoring.scores()) for name, scoring in scorings.items()}
    return Evaluation(part, len(exam.images), pixels, code_size, scores, notes, noun(exam.images.shape))


def in_64_bits(module: nn.Module, images: Batches) -> Predictor:
    """Copy ``module`` to compute in 64 bits on the device of ``images``, on a CPU in the form that is fastest there."""
    exact = channels_last_kernels(deepcopy(module).double())
    if images.device.type == "cpu" and isinstance(exact, ConvolutionalAutoencoder):
        return InPieces(fast_form(exact, images.shape))
    return InPieces(exact)


def _told(scores: Scores) -> Scores:
    return Scores(**{name: value and float(f"{value:.{DIGITS}g}") for name, value in asdict(scores).items()})


def _unchanged(x_bchw: Tensor) -> Tensor:
    return x_bchw
