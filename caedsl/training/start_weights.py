"""Weights that a run starts from instead of fresh ones: those of another run of the same architecture."""

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from caedsl.training.errors import RunError
from caedsl.training.run_files import BEST

Weights = Mapping[str, Tensor]


def read_weights(path: Path) -> Weights:
    """The weights in a safetensors file, or the best ones of the run in a folder."""
    file = path / BEST if path.is_dir() else path
    try:
        return load_file(file)
    except FileNotFoundError:
        raise RunError(
            f"{file} is not there: name the folder of a run that was trained, or a safetensors file"
        ) from None
    except (SafetensorError, OSError) as error:
        raise RunError(f"{file} cannot be read as safetensors: it is damaged, or something else ({error})") from error


def start_from(module: nn.Module, weights: Weights, origin: str) -> None:
    """Give ``module`` the ``weights`` that were found at ``origin``; a ``RunError`` where they are not those of its layers."""
    own = module.state_dict()
    for name in {**own, **weights}:
        here, there = (tuple(state[name].shape) if name in state else None for state in (own, weights))
        if here != there:
            raise RunError(
                f"the weights in {origin} are those of another architecture: {name} is {_told(there)} there and "
                f"{_told(here)} in this spec; start from a run whose encoder and decoder are the same"
            )
    module.load_state_dict(dict(weights))


def _told(shape: tuple[int, ...] | None) -> str:
    return "missing" if shape is None else "x".join(map(str, shape)) or "a number"
