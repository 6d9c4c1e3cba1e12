"""Evaluation of a trained module, with the mean image and PCA as baselines on the same images.

The module computes in 32 bits, except for its last activation; baselines, metrics and their sums are in 64 bits. Six
digits are reported. Another processor or device sums in another order, which changes at most the last digit.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from caedsl.backends.torch.draws import Draws
from caedsl.backends.torch.fast import fast_form
from caedsl.backends.torch.instantiate import ConvolutionalAutoencoder
from caedsl.data.sample import Sample
from caedsl.evaluation.baselines import Predictor, at_size, fit_pca, no_pca
from caedsl.evaluation.filters import CHOSEN_ON, filters
from caedsl.evaluation.halving import HalvingPredictor
from caedsl.evaluation.metrics import IMAGES, MetricAccumulator, Metrics
from caedsl.evaluation.schema import MODEL
from caedsl.model.data import InputRange
from caedsl.model.settings import Corrupt
from caedsl.training.batches import Batches
from caedsl.training.pixel_range import PixelRange
from caedsl.training.precision import Precision, output_in
from caedsl.training.sample import make_sample
from caedsl.training.step import channels_last_kernels
from caedsl.vocabulary.precisions import FP32
from caedsl.vocabulary.shape import NOUNS, noun, rank

DIGITS = 6
"""Number of significant digits reported; the order of sums in 32 bits changes the mean over images in the eighth."""

CORRUPTED, INPUT, MEAN = "corrupted input", "input", "mean image"


class EvaluationSet:
    """Samples that predictors are evaluated on, with the same corruption each time, drawn from the seed.

    They are computed in 64 bits, including the random numbers, so that they are the same on every device.
    """

    def __init__(
        self,
        images: Batches,
        batch: int,
        input_range: InputRange,
        corrupt: Corrupt,
        seed: int,
        target_range: InputRange | None = None,
    ) -> None:
        """Evaluate on ``images``, ``batch`` at a time; ``target_range`` defaults to the input range."""
        self.target_range = target_range or input_range
        self.images = images
        self.batch = batch
        self.input_range = input_range
        self.corrupt = corrupt
        self.seed = seed

    @property
    def denoises(self) -> bool:
        """Whether the input of predictors differs from their expected output."""
        return self.corrupt != Corrupt() or self.images.targets is not None

    @property
    def changes_form(self) -> bool:
        """Whether targets have another shape or another range than the inputs."""
        return self.images.shape != self.images.target_shape or self.target_range != self.input_range

    @property
    def row_names(self) -> tuple[str, str]:
        """Labels of the target and of the input in pictures."""
        return ("original", "corrupted") if self.images.targets is None else ("target", "input")

    def samples(self, images: Batches | None = None) -> Iterator[Sample]:
        """Yield the samples of ``images``, by default of all images of the set."""
        draws, first = Draws(self.seed, "evaluation"), 0
        for clean in (images or self.images).in_order(self.batch):
            draws.begin(0, len(clean), first, clean.seen.device)
            yield make_sample(clean.double(), draws, self.input_range, self.corrupt)
            first += len(clean)

    @torch.no_grad()
    def predictions(self, predictor: Predictor) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield batches of (prediction, target)."""
        for sample in self.samples():
            yield predictor(sample.seen), sample.target


@dataclass(frozen=True)
class Evaluation:
    """Metrics by predictor: ``model``, ``mean image``, ``PCA-k``, the input of the model, and two filters of the input.

    The input is called ``corrupted input`` for a denoiser, and ``input`` (in the size of the target) for pairs.
    ``part`` is the evaluated part: ``test``, ``validation`` or ``training``. ``noun`` is the noun for a sample, and
    ``notes`` are remarks for the reader.
    """

    part: str
    images: int
    pixels: PixelRange
    code_size: int
    scores: dict[str, Metrics]
    notes: tuple[str, ...]
    noun: str = NOUNS[IMAGES]

    @property
    def model(self) -> Metrics:
        """Metrics of the model itself."""
        return self.scores[MODEL]

    @property
    def pca(self) -> Metrics | None:
        """Metrics of PCA at the same code size, or None if it is exact or was not computed."""
        return self.scores.get(f"PCA-{self.code_size}")

    def as_json(self) -> dict[str, Any]:
        """Return the content of ``metrics.json``; errors refer to pixels mapped from ``pixels`` to 0..1."""
        return {
            "evaluated_on": self.part,
            "images": self.images,
            "pixels": str(self.pixels),
            "code_size": self.code_size,
            "scores": {name: asdict(metrics) for name, metrics in self.scores.items()},
            "notes": list(self.notes),
        }


@torch.no_grad()
def evaluate(
    module: Predictor,
    eval_set: EvaluationSet,
    train: Batches,
    pixels: PixelRange,
    code_size: int,
    part: str,
    baselines: bool = True,
) -> Evaluation:
    """Evaluate ``module``, in eval mode, and baselines fitted to ``train`` on the images of ``eval_set``.

    All predictors get the same input in 64 bits, which is read once. For a denoiser, PCA is fitted to clean images and
    applied to corrupted ones, like the median filter and the Gaussian blur.
    """
    predictors: dict[str, Predictor] = {MODEL: module}
    unchanged = unchanged_input(eval_set, pixels) if eval_set.denoises else None
    if unchanged is not None:
        predictors[input_name(eval_set)] = unchanged
    notes: tuple[str, ...] = ()
    if baselines:
        linear = fit_pca(train.of_targets(), code_size) if train.shape == train.target_shape else no_pca(train)
        predictors[MEAN] = linear.mean
        if linear.predictor is not None:
            predictors[f"PCA-{code_size}"] = linear.predictor
        notes = tuple(filter(None, [linear.note]))
        if eval_set.denoises and not eval_set.changes_form:
            classical, note = filters(eval_set.samples(train.spread(CHOSEN_ON)))
            predictors |= classical
            notes = (*notes, note)
    sums = MetricAccumulator(predictors, pixels, rank(eval_set.images.target_shape))
    with Precision(FP32.name, eval_set.images.device.type).products():
        for sample in eval_set.samples():
            sums.add({name: predictor(sample.seen) for name, predictor in predictors.items()}, sample.target)
    scores = {name: _rounded(found) for name, found in sums.scores().items()}
    return Evaluation(part, len(eval_set.images), pixels, code_size, scores, notes, noun(eval_set.images.target_shape))


def predictor_of(module: nn.Module, images: Batches) -> Predictor:
    """Return a copy of ``module``, in its fast form on a CPU, that computes in 32 bits in pieces that fit in memory.

    The last activation is in 64 bits: in 32, a sigmoid is exactly 1 for inputs above 17, where the binary cross-entropy
    of a black pixel would be infinite instead of 17.
    """
    network = channels_last_kernels(deepcopy(module))
    if images.device.type == "cpu" and isinstance(network, ConvolutionalAutoencoder):
        network = fast_form(network, images.shape)
    output_in(torch.float64, network)
    return HalvingPredictor(lambda x_bchw: network(x_bchw.float()))


def _rounded(metrics: Metrics) -> Metrics:
    return Metrics(**{name: value and float(f"{value:.{DIGITS}g}") for name, value in asdict(metrics).items()})


def input_name(eval_set: EvaluationSet) -> str:
    """Return the name of the input among the predictors, for a denoiser or for pairs."""
    return CORRUPTED if eval_set.images.targets is None else INPUT


def unchanged_input(eval_set: EvaluationSet, pixels: PixelRange) -> Predictor | None:
    """Return the predictor that returns the input itself, in the target's size and range.

    Return None if input and target differ in their number of channels.
    """
    same = eval_set.images.target_shape[0] == eval_set.images.shape[0]
    return partial(as_target, eval_set=eval_set, pixels=pixels) if same else None


def as_target(x_bchw: Tensor, eval_set: EvaluationSet, pixels: PixelRange) -> Tensor:
    """Return inputs in the size of their targets and, if both ranges are bounded, in the range of the targets."""
    x, low, high = x_bchw, eval_set.input_range.low, eval_set.input_range.high
    if low is not None and high is not None and pixels.bounded and (low, high) != (pixels.low, pixels.high):
        x = (x - low) * (pixels.width / (high - low)) + pixels.low
    return at_size(x, eval_set.images.target_shape[1:])
