"""Weights in a file: those that a run ended with, to be judged, or for another run to start from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from caedsl.runs.errors import RunError
from caedsl.runs.files import BEST


@dataclass(frozen=True)
class Weights:
    """Tensors by the names of ``state_dict``, and the file that they are from."""

    tensors: Mapping[str, Tensor]
    file: Path

    @classmethod
    def read(cls, path: Path) -> Self:
        """The weights in a safetensors file, or the best ones of the run in a folder."""
        file = path / BEST if path.is_dir() else path
        try:
            return cls(load_file(file), file)
        except FileNotFoundError:
            raise RunError(
                f"{file} is not there: name the folder of a run that was trained, or a safetensors file"
            ) from None
        except (SafetensorError, OSError) as error:
            raise RunError(f"{file} is truncated or damaged, or no safetensors file ({error})") from error

    def give(self, module: nn.Module) -> None:
        """Put them into ``module``; a ``RunError`` where its layers are others."""
        own = module.state_dict()
        for name in {**own, **self.tensors}:
            here, there = (tuple(state[name].shape) if name in state else None for state in (own, self.tensors))
            if here != there:
                raise RunError(
                    f"{self.file} has the weights of another architecture: {name} is {_told(there)} there and "
                    f"{_told(here)} in the spec; take weights and spec whose encoder and decoder are the same"
                )
        module.load_state_dict(dict(self.tensors))


def _told(shape: tuple[int, ...] | None) -> str:
    return "missing" if shape is None else "x".join(map(str, shape)) or "a number"
