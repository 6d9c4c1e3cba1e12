"""Parts of a trained run that can be exported, as modules without batch statistics or random numbers.

x_bchw: batch, channels, height, width; z: batch, then the code's shape.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from caedsl.inference.scores import ChosenScore, Compared, on_one_scale
from caedsl.inference.trained_run import TrainedRun
from caedsl.training.preprocessing import normalise_of


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

    Samples are bytes 0..255, which fill the input's range, or the numbers themselves for an input in ``real``.
    """

    def __init__(self, run: TrainedRun, score: ChosenScore) -> None:
        super().__init__()
        self.module = run.module
        self.score = score
        self.low, self.width, self.bounded = run.fit.low, run.fit.high - run.fit.low, run.fit.range.bounded
        self.values = run.values
        self.normalise = normalise_of(run.module)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the score of each sample, B, and its map, B×space."""
        target = x.float() / 255 * self.width + self.low if self.bounded else x
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


def _bytes(run: TrainedRun, samples: Tensor) -> Tensor:
    if not run.fit.range.bounded:
        return samples
    unit = (samples - run.fit.low) / (run.fit.high - run.fit.low)
    return (unit * 255).round().clamp(0, 255).to(torch.uint8)


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
    ExportedPart(
        "scorer", "sample in, score and error map out", Scorer, _bytes, ("sample",), ("score", "map"), scores=True
    ),
)


def part_named(name: str) -> ExportedPart:
    """Return the part of that name; raise ``ValueError`` if there is none."""
    found = next((part for part in PARTS if part.name == name), None)
    if found is None:
        raise ValueError(f'there is no part "{name}": parts are {", ".join(part.name for part in PARTS)}')
    return found
