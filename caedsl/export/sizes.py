"""Sizes that an exported file accepts: any number of samples and, for a convolutional model, any size that fits."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from caedsl.export.parts import ExportedPart
from caedsl.inference.trained_run import TrainedRun
from caedsl.vocabulary.shape import Sizes, rank, text

_AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
_MODES = {1: "linear", 2: "bilinear", 3: "trilinear"}


@dataclass(frozen=True)
class InputSizes:
    """Sizes that a file accepts, as the exporter declares them.

    ``about`` says them in words. ``other`` is an input of another size than the model's, to test the file on; None if
    the size is fixed.
    """

    dynamic: dict[int, Any]
    about: str
    other: Tensor | None = None


def input_sizes(run: TrainedRun, part: ExportedPart, samples: Tensor) -> Iterator[InputSizes]:
    """Yield the sizes that a part of a run may accept, the most general first.

    An exporter may fail for all but the last.
    """
    own = run.model.input.shape
    batch = torch.export.Dim("batch")
    larger = run.module.sizes.at_least((own[0], *(size + max(1, size // 2) for size in own[1:])))
    if larger is not None:
        steps = _steps(run)
        mode = _MODES[rank(own)]
        other = part.example(run, functional.interpolate(samples, larger[1:], mode=mode, align_corners=False))
        names = _AXES[rank(own)]
        places = dict(enumerate(names, start=2))
        about = f"any size in steps of {text(steps)} from {text(own[1:])} on"
        if not part.takes_codes and all(size % step == 0 for size, step in zip(own[1:], steps, strict=True)):
            multiples = [
                step * torch.export.Dim(f"{name}_steps") if step > 1 else torch.export.Dim(name)
                for name, step in zip(names, steps, strict=True)
            ]
            yield InputSizes({0: batch, **dict(enumerate(multiples, start=2))}, about, other)
        yield InputSizes({0: batch, **{place: torch.export.Dim(name) for place, name in places.items()}}, about, other)
    yield InputSizes({0: batch}, text(own))


def _steps(run: TrainedRun) -> Sizes:
    own = run.model.input.shape
    larger = run.module.sizes.at_least((own[0], *(size + 1 for size in own[1:])))
    assert larger is not None, "the module takes several sizes"
    return tuple(after - before for before, after in zip(own[1:], larger[1:], strict=True))
