"""Use a trained run: encode, decode, reconstruct and score, without its data, optimizer or training state.

z: batch, then the code's shape.
"""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from caedsl.backends.torch.instantiate import ConvolutionalAutoencoder
from caedsl.data.files.picture import read_picture
from caedsl.data.finite import refuse_not_finite
from caedsl.data.loading import fit_for
from caedsl.data.sample_format import SampleFormat, ValueScale
from caedsl.data.stacks.picture_stack import check_input
from caedsl.diagnostics.text import in_backticks
from caedsl.inference.calibration import Calibration
from caedsl.inference.given import Given, samples_of
from caedsl.inference.pictures import ReconstructedFile, read_original, resized_original, restored
from caedsl.inference.samples import Samples, own_source, refuse_empty_batches, tensor_batches
from caedsl.inference.schema import read_calibration
from caedsl.inference.scores import ChosenScore, Compared, ScoreError, on_one_scale, read_score
from caedsl.inference.tiling import reconstruct_tiled
from caedsl.model.autoencoder import Autoencoder
from caedsl.public import PublicNames
from caedsl.runs.errors import RunError
from caedsl.runs.schema import RecordError, read_metrics
from caedsl.training.pixel_range import PixelRange
from caedsl.training.preprocessing import normalise_of
from caedsl.vocabulary.bottlenecks import BY_NAME
from caedsl.vocabulary.shape import Shape, elements, noun, rank, text

Floats = NDArray[np.float32]
Data = Given | Tensor
BATCH = 64
"""Default number of samples per batch."""
_COUNTS = re.compile(r"^[\d,]+ of [\d,]+ \w+ ")
"""The beginning of a note that counts samples: ``3 of 5 images``."""


@dataclass(frozen=True)
class Reconstructed:
    """Batch of samples in the input's range, their codes, and their reconstructions in the target's range."""

    place: slice
    target: Tensor
    code: Tensor
    reconstruction: Tensor


class TrainedRun(PublicNames):
    """Trained autoencoder, read from a run folder by ``caedsl.open``.

    ``model`` is the checked spec, and ``module`` the network with the best weights, in eval mode on ``device``.
    """

    def __init__(self, path: Path, model: Autoencoder, module: ConvolutionalAutoencoder, device: torch.device) -> None:
        self.path = path
        self.model = model
        self.module = module
        self.device = device
        self._warned: set[str] = set()

    def __repr__(self) -> str:
        return f"<TrainedRun {self.model.name}: {text(self.model.input.shape)} -> {text(self.model.code_shape)}>"

    @cached_property
    def calibration(self) -> Calibration | None:
        """Calibration that ``caedsl calibrate`` saved in the run folder, or None."""
        return read_calibration(self.path)

    @cached_property
    def values(self) -> PixelRange:
        """Range of values that scores map to 0..1: the target's, or for ``real`` that of the training images."""
        declared = self.model.target.range
        if declared.low is not None and declared.high is not None:
            return PixelRange(declared.low, declared.high)
        try:
            low, high = map(float, str(read_metrics(self.path)["pixels"]).split(".."))
        except (OSError, RecordError, KeyError, ValueError):
            return PixelRange(0.0, 1.0, bounded=False)
        return PixelRange(low, high, bounded=False)

    @overload
    def encode(self, data: Tensor, batch: int = BATCH) -> Tensor: ...
    @overload
    def encode(self, data: Given, batch: int = BATCH) -> Floats: ...
    def encode(self, data: Data, batch: int = BATCH) -> Tensor | Floats:
        """Return the codes of samples, N x the code's shape: a tensor for a tensor, else an array.

        ``data`` are N samples as a tensor in the input's range (N x channels x space), as an array (integers are scaled
        as in files), an image of Pillow, the path of an image, a folder or an array file, a list of arrays, images or
        paths, or a data line as in a spec (``npz "x.npz" key=images``). A warning says if they were resized or
        converted. Raise a ``DataError`` if they cannot be used, such as for NaN or infinity.
        """
        with self._noted(data) as given:
            return self._whole(data, len(given), self.model.code_shape, self.codes(given, batch))

    @overload
    def reconstruct(self, data: Tensor, batch: int = BATCH) -> Tensor: ...
    @overload
    def reconstruct(self, data: Given, batch: int = BATCH) -> Floats: ...
    def reconstruct(self, data: Data, batch: int = BATCH) -> Tensor | Floats:
        """Return the reconstructions of samples in the target's range, N x channels x space; see ``encode``."""
        with self._noted(data) as given:
            made = (batch_.reconstruction for batch_ in self.stream(given, batch))
            return self._whole(data, len(given), self.model.target.shape, made)

    @overload
    def decode(self, codes: Tensor, batch: int = BATCH) -> Tensor: ...
    @overload
    def decode(self, codes: NDArray[Any], batch: int = BATCH) -> Floats: ...
    @torch.no_grad()
    def decode(self, codes: NDArray[Any] | Tensor, batch: int = BATCH) -> Tensor | Floats:
        """Return the decoded samples of codes, in the target's range.

        ``codes`` are N x the code's shape, or N x the number of values in a code. Raise ``ValueError`` for another
        shape, ``DataError`` for NaN or infinity, and ``RunError`` for a decoder that reads more than the code.
        """
        self._refuse_maps("decode codes")
        refuse_empty_batches(batch)
        with np.errstate(over="ignore"):  # overflow gives infinity, which is refused
            z = codes if isinstance(codes, Tensor) else torch.from_numpy(np.asarray(codes, np.float32))
        shape = self.model.code_shape
        if z.dim() < 1 or tuple(z.shape[1:]) not in (shape, (elements(shape),)):
            raise ValueError(f"codes are N x {text(shape)}, but these are {text(tuple(z.shape))}")
        refuse_not_finite(z, "the tensor" if isinstance(codes, Tensor) else "the array", "code")
        z = z.reshape(len(z), *shape)
        decoded = (self.module.decode(part.to(self.device)) for part in torch.split(z.float(), batch))
        return self._whole(codes, len(z), self.model.target.shape, decoded)

    def sample(self, count: int, seed: int = 0, batch: int = BATCH) -> Floats:
        """Return new samples in the target's range, N x channels x space, decoded from draws of the code's prior.

        The prior of a variational code is a standard normal distribution. Raise ``RunError`` for a code without a
        prior, or for a decoder that reads more than the code, and ``ValueError`` for a negative count.
        """
        if count < 0:
            raise ValueError(f"count is {count}: give the number of samples to draw")
        self._refuse_maps("make new samples")
        shape = self.model.code_shape
        if not BY_NAME[self.model.bottleneck.form].has_prior:
            form = f"variational {text(shape)}" if len(shape) == 1 else f"variational conv {shape[0]}"
            raise RunError(
                f"{self.path} cannot make new samples: its code has no distribution to draw from; train it with "
                f"`bottleneck {form}`, or decode codes of your own with `decode`"
            )
        draws = torch.randn(count, *shape, generator=torch.Generator().manual_seed(seed))
        return self.decode(draws.numpy(), batch)

    def score(self, data: Data, kind: str | ChosenScore | None = None, batch: int = BATCH) -> NDArray[np.float64]:
        """Return the anomaly score of each sample; higher scores mean worse reconstructions.

        ``kind`` is ``mse`` (the default, or the kind that was calibrated), ``mae``, ``top=1%``, ``ssim``, ``latent`` or
        ``blurmax``.
        """
        chosen = self.chosen_score(kind)
        with self._noted(data) as given:
            scores = [self.score_batch(batch_, chosen).cpu().double().numpy() for batch_ in self.stream(given, batch)]
        return np.concatenate(scores) if scores else np.empty(0)

    def predict(self, data: Data, batch: int = BATCH) -> NDArray[np.bool_]:
        """Return whether each sample exceeds the calibrated threshold. Raise ``RunError`` if there is none."""
        if self.calibration is None:
            raise RunError(f"{self.path} has no threshold yet: `caedsl calibrate {self.path} GOOD` sets one")
        with self._noted(data) as given:
            return self.calibration.is_anomaly(self.score(given, self.calibration.score, batch))

    def chosen_score(self, kind: str | ChosenScore | None) -> ChosenScore:
        """Return the kind of score to use: ``kind``, else the calibrated one, else ``mse``.

        Raise ``ScoreError`` if it is unknown or does not suit the model.
        """
        if isinstance(kind, ChosenScore):
            return kind
        chosen = read_score(kind or (self.calibration.score if self.calibration is not None else "mse"))
        if self.model.target is not self.model.input:
            raise ScoreError(
                "a score compares a reconstruction with its input, and this model returns targets of their own: "
                f"{text(self.model.target.shape)} in {self.model.target.range}"
            )
        if rank(self.model.input.shape) not in chosen.kind.ranks:
            held = f"{noun(self.model.input.shape)}s"
            raise ScoreError(f"{chosen} compares images, but this model is for {held}: use `mse` or `top=1%`")
        return chosen

    @torch.no_grad()
    def compare(self, batch: Reconstructed, score: ChosenScore) -> Compared:
        """Return the input of ``score``: ``batch`` on one scale, with the code of the reconstruction if needed."""
        again = self.module.encode(batch.reconstruction) if score.kind.needs_second_code else None
        target, reconstruction = on_one_scale(
            batch.target, batch.reconstruction, self.values, normalise_of(self.module)
        )
        return Compared(target, reconstruction, batch.code, again)

    def score_batch(self, batch: Reconstructed, score: ChosenScore) -> Tensor:
        """Return the score of each sample of a batch."""
        return score.kind.of(self.compare(batch, score), score.parameter)

    @torch.no_grad()
    def codes(self, data: Data, batch: int = BATCH) -> Iterator[Tensor]:
        """Yield the codes of batches of samples, in bounded memory; see ``encode``."""
        for _, x in self._batches(data, batch):
            yield self.module.encode(x.to(self.device))

    @torch.no_grad()
    def stream(self, data: Data, batch: int = BATCH) -> Iterator[Reconstructed]:
        """Yield batches of samples with their codes and reconstructions, in bounded memory."""
        for place, target in self._batches(data, batch):
            x = target.to(self.device)
            code, maps = self.module.encode_with_maps(x)
            yield Reconstructed(place, x, code, self.module.decode(code, maps))

    @torch.no_grad()
    def reconstruct_file(self, path: str | PathLike[str], at_input: bool = False) -> ReconstructedFile:
        """Return the reconstruction of an image file, with pixels in the file's format.

        A fully convolutional network processes an image that is at least as large as its input in the image's own size,
        unless ``at_input``. Otherwise the image is resized to the input's size, and its reconstruction is resized back.
        Raise a ``DataError`` or an ``OSError`` if the file cannot be read.
        """
        check_input(self.fit)
        white = own_source(self.model).white
        original = read_original(Path(path), white)
        own = self.module.sizes.own
        larger = all(size >= least for size, least in zip(original.size, own[1:], strict=True))
        native = not at_input and original.size != own[1:] and larger and self.module.sizes.several
        fit = replace(self.fit, shape=(self.fit.channels, *original.size)) if native else self.fit
        target = ValueScale(255, fit)(read_picture(Path(path), fit, white).x_chw[None]).to(self.device)
        output = reconstruct_tiled(self.module, target) if native else self.module(target)
        if self.model.target is not self.model.input:
            wanted = replace(self.out_fit, shape=tuple(output.shape[1:]))
            pixels = restored(output[0], resized_original(original, fit, wanted), wanted)
            return ReconstructedFile(pixels, None, native, original.remarks)
        errors = (self.values.to_unit(output) - self.values.to_unit(target)).abs().mean(dim=1)[0]
        return ReconstructedFile(restored(output[0], original, fit), errors, native, original.remarks)

    def samples(self, data: Given) -> Samples:
        """Return the given samples; see ``encode``."""
        return samples_of(data, self.model)

    @cached_property
    def fit(self) -> SampleFormat:
        """Format of the network's input samples."""
        return fit_for(self.model, own_source(self.model), trained=True)

    @cached_property
    def out_fit(self) -> SampleFormat:
        """Format of the network's output: the target's shape and range."""
        target = self.model.target
        return replace(self.fit, shape=target.shape, range=target.range)

    def _refuse_maps(self, task: str) -> None:
        """Raise ``RunError`` if the decoder needs maps of the encoder, which a code alone does not have."""
        if self.module.maps:
            raise RunError(
                f"{self.path} cannot {task}: its decoder reads {in_backticks(self.module.maps)} of the encoder besides "
                "the code; train it without skip connections to the encoder, and without `normalize=gcn` or `instance`"
            )

    @contextmanager
    def _noted(self, data: Data) -> Iterator[Samples | Tensor]:
        """Give the samples of ``data`` to the block, and then warn its caller with the notes on them.

        A run warns of each kind of note once. Whoever passes ``Samples`` can read their notes.
        """
        given = data if isinstance(data, Tensor) else self.samples(data)
        yield given
        if isinstance(given, Samples) and given is not data:
            for note in given.notes():
                kind = _COUNTS.sub("", note)
                if kind not in self._warned:
                    self._warned.add(kind)
                    warnings.warn(note, stacklevel=4)

    def _batches(self, data: Data, size: int) -> Iterator[tuple[slice, Tensor]]:
        refuse_empty_batches(size)
        return tensor_batches(data, self.fit, size) if isinstance(data, Tensor) else self.samples(data).batches(size)

    def _whole(self, given: object, count: int, shape: Shape, parts: Iterator[Tensor]) -> Tensor | Floats:
        """Return ``count`` rows of ``shape`` from their parts: a tensor for tensors, else an array.

        The parts are copied one by one: small parts that stay between the large temporary tensors of a network would
        keep all their memory.
        """
        device = given.device if isinstance(given, Tensor) else torch.device("cpu")
        whole, there = torch.empty(count, *shape, device=device), 0
        for part in parts:
            whole[there : there + len(part)] = part
            there += len(part)
        return whole if isinstance(given, Tensor) else whole.numpy()
