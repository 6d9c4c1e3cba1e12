"""Parts of a trained run that can be exported, as modules without batch statistics or random numbers.

x_bchw: batch, channels, height, width; z: batch, then the code's shape.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from caedsl.inference.samples import own_source
from caedsl.inference.scores import ChosenScore, Compared, on_one_scale
from caedsl.inference.trained_run import TrainedRun
from caedsl.training.preprocessing import normalise_of

_BYTES, _WIDE = 255, 65535
_ROUNDING = 0.02
"""Largest distance from an integer of a 16-bit number that was scaled to the range and back in 32 bits."""


class Encoder(nn.Module):
    """Module from samples in the input's range to codes."""

    def __init__(self, run: TrainedRun) -> None:
        super().__init__()
        self.module = run.module

    def forward(self, x: Tensor) -> Tensor:
        """Return the codes."""
        return self.module.encode(x)


class Decoder(nn.Module):
    """Module from codes to samples in the input's range."""

    def __init__(self, run: TrainedRun) -> None:
        super().__init__()
        self.module = run.module

    def forward(self, z: Tensor) -> Tensor:
        """Return the samples."""
        return self.module.decode(z)


class Full(nn.Module):
    """Module from samples in the input's range to their reconstructions."""

    def __init__(self, run: TrainedRun) -> None:
        super().__init__()
        self.module = run.module

    def forward(self, x: Tensor) -> Tensor:
        """Return the reconstructions."""
        made: Tensor = self.module(x)
        return made


class Scorer(nn.Module):
    """Module from samples of the input's size to an anomaly score per sample and a map of errors.

    Samples are integers 0..``white``, which fill the input's range, or for 0 numbers in this range.
    """

    def __init__(self, run: TrainedRun, score: ChosenScore, white: int) -> None:
        super().__init__()
        self.module = run.module
        self.score = score
        self.low, self.width, self.white = run.fit.low, run.fit.high - run.fit.low, white
        self.values = run.values
        self.normalise = normalise_of(run.module)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the score of each sample, B, and its map, B×space."""
        target = x.float() / self.white * self.width + self.low if self.white else x
        code, maps = self.module.encode_with_maps(target)
        made = self.module.decode(code, maps)
        again = self.module.encode(made) if self.score.kind.needs_second_code else None
        compared = Compared(*on_one_scale(target, made, self.values, self.normalise), code, again)
        return self.score.kind.of(compared, self.score.parameter), self.score.kind.map(compared)


@dataclass(frozen=True)
class ExportedPart:
    """Part that can be exported; ``inputs`` and ``outputs`` are their names in the file."""

    name: str
    about: str
    make: Callable[[TrainedRun, ChosenScore], nn.Module]
    example: Callable[[TrainedRun, Tensor], Tensor]
    """Function that returns the part's input for samples N x channels x space in the input's range."""
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    scores: bool = False
    takes_codes: bool = False
    makes_samples: bool = False


def _samples(_: TrainedRun, samples: Tensor) -> Tensor:
    return samples


@torch.no_grad()
def _codes(run: TrainedRun, samples: Tensor) -> Tensor:
    return run.module.encode(samples)


def white_of(run: TrainedRun, samples: Tensor) -> int:
    """Return the white of the integers that samples in the input's range were stored as, or 0 if they were none."""
    if not run.fit.range.bounded:
        return 0
    for white in (_BYTES, own_source(run.model).white or _WIDE, _WIDE):
        stored = _unit(run, samples) * white
        if bool(((stored - stored.round()).abs() < _ROUNDING).all()):
            return white
    return 0


def _unit(run: TrainedRun, samples: Tensor) -> Tensor:
    return (samples - run.fit.low) / (run.fit.high - run.fit.low)


def _stored(run: TrainedRun, samples: Tensor, white: int) -> Tensor:
    if not white:
        return samples
    return (_unit(run, samples) * white).round().clamp(0, white).to(torch.uint8 if white <= _BYTES else torch.uint16)


def scorer(white: int) -> ExportedPart:
    """Return the scorer of samples stored as integers 0..``white``, or for 0 as numbers in the input's range."""
    return ExportedPart(
        "scorer",
        f"{f'integers 0..{white}' if white else 'sample'} in, score and error map out",
        partial(Scorer, white=white),
        partial(_stored, white=white),
        ("sample",),
        ("score", "map"),
        scores=True,
    )


PARTS = (
    ExportedPart(
        "full",
        "sample in, reconstruction out",
        lambda run, _: Full(run),
        _samples,
        ("sample",),
        ("reconstruction",),
        makes_samples=True,
    ),
    ExportedPart("encoder", "sample in, code out", lambda run, _: Encoder(run), _samples, ("sample",), ("code",)),
    ExportedPart(
        "decoder",
        "code in, sample out",
        lambda run, _: Decoder(run),
        _codes,
        ("code",),
        ("sample",),
        takes_codes=True,
        makes_samples=True,
    ),
    scorer(_BYTES),
)


def part_named(name: str) -> ExportedPart:
    """Return the part of that name; raise ``ValueError`` if there is none."""
    found = next((part for part in PARTS if part.name == name), None)
    if found is None:
        raise ValueError(f'there is no part "{name}": parts are {", ".join(part.name for part in PARTS)}')
    return found
