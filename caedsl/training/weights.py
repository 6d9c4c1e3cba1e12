"""Weights in a file: the result of a run, for evaluation or as the start of another run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

from torch import Tensor, nn

from caedsl.facts.cost import BYTES, total_parameters
from caedsl.model.autoencoder import Autoencoder
from caedsl.runs.confined import LARGEST_TEXT, read_file
from caedsl.runs.errors import RunError
from caedsl.runs.file_names import BEST
from caedsl.runs.tensors import TensorFileError, read_tensors

MOST_COPIES = 10
"""Numbers that a checkpoint may hold per parameter: copies of the weights, their average, and optimizer states."""


_TENSORS = 16
"""Most tensors of a layer: weights, biases, and the running averages of its normalisation."""


class FileLimit(NamedTuple):
    """Most bytes and tensors of a weights file or checkpoint; a larger file is not read."""

    size: int
    tensors: int


def largest_file(model: Autoencoder) -> FileLimit:
    """Return the limit for the files of ``model``."""
    layers = 1 + sum(1 for _ in model.layers())
    return FileLimit(LARGEST_TEXT + MOST_COPIES * BYTES * total_parameters(model), MOST_COPIES * _TENSORS * layers)


@dataclass(frozen=True)
class Weights:
    """Tensors by the names of ``state_dict``, and the file that they come from."""

    tensors: Mapping[str, Tensor]
    file: Path

    @classmethod
    def read(cls, path: Path, most: FileLimit) -> Self:
        """Read a safetensors file within the limit ``most``, or the best weights of the run in a folder."""
        if path.is_dir():
            return cls.of_run(path, BEST, most)
        if not path.exists():  # a link to itself, too
            raise RunError(f"{path} does not exist: name a run folder or a safetensors file")
        return cls.of_run(path.resolve().parent, path.resolve().name, most)

    @classmethod
    def of_run(cls, folder: Path, name: str, most: FileLimit) -> Self:
        """Read a file of the run in ``folder``."""
        file = folder / name
        try:
            return cls(read_tensors(read_file(folder, name, most.size), most.tensors).tensors, file)
        except FileNotFoundError:
            raise RunError(
                f"{folder} has no {name}: the run ended before it saved weights (`caedsl train --resume {folder}` "
                "continues it), or the file was not copied"
            ) from None
        except OSError as error:
            raise RunError(f"{file} cannot be read: {error.strerror or error}; name a safetensors file") from error
        except TensorFileError as error:
            raise RunError(f"{file} is not a safetensors file, or is damaged ({error})") from error

    def give(self, module: nn.Module) -> None:
        """Load the weights into ``module``. Raise ``RunError`` if its layers do not match or a number is not finite."""
        own = module.state_dict()
        for name in {**own, **self.tensors}:
            here, there = (tuple(state[name].shape) if name in state else None for state in (own, self.tensors))
            if here != there:
                raise RunError(
                    f"{self.file} has the weights of another architecture: {name} is {_described(there)} there, but "
                    f"{_described(here)} in the spec: use weights of the same encoder and decoder"
                )
            if own[name].is_floating_point() != self.tensors[name].is_floating_point():
                raise RunError(f"{self.file} is damaged: {name} has the type {self.tensors[name].dtype}")
            if not self.tensors[name].isfinite().all():
                raise RunError(
                    f"{self.file}: {name} has a number that is not finite; put the file back, or train again"
                )
        module.load_state_dict(dict(self.tensors))


def _described(shape: tuple[int, ...] | None) -> str:
    return "missing" if shape is None else "x".join(map(str, shape)) or "a number"
