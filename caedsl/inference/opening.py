"""Open a trained run from its folder."""

from os import PathLike
from pathlib import Path

import torch

from caedsl.backends.torch.instantiate import build
from caedsl.diagnostics.explanation import is_error
from caedsl.inference.trained_run import TrainedRun
from caedsl.resolve.resolve import resolve
from caedsl.runs.confined import read_file
from caedsl.runs.errors import RunError
from caedsl.runs.file_names import BEST, SPEC
from caedsl.runs.listing import not_a_run
from caedsl.source import Source
from caedsl.syntax.parser import parse
from caedsl.syntax.reading import MAX_BYTES
from caedsl.training.device import choose_device
from caedsl.training.weights import Weights, largest_file


def open_trained(path: str | PathLike[str], device: str = "auto") -> TrainedRun:
    """Open a run folder, or any folder with ``spec.cae`` and ``weights.safetensors``.

    Raise a ``RunError`` if it is missing or incomplete, or if its weights belong to another architecture.
    """
    folder = Path(path)
    try:
        spec_text = read_file(folder, SPEC, MAX_BYTES).decode()
    except (FileNotFoundError, NotADirectoryError):
        problem = f"has no {SPEC}" if folder.is_dir() else "is a file" if folder.exists() else "does not exist"
        raise not_a_run(folder, problem) from None
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{folder / SPEC} cannot be read: {error}") from error
    source = Source(spec_text, str(folder / SPEC))
    tree, _ = parse(source)
    model, findings = resolve(tree, source)
    if model is None or not model.complete or any(map(is_error, findings)):
        raise RunError(f"{folder / SPEC} has errors: see `caedsl check {folder / SPEC}`, or put the file back")
    target = choose_device(device)
    with torch.random.fork_rng([]):
        module = build(model)
    Weights.of_run(folder, BEST, largest_file(model)).give(module)
    return TrainedRun(folder, model, module.to(target).eval(), target)
