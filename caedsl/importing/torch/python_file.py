"""Models in Python files: the author's own code runs only if the author named it."""

import ast
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from caedsl.data.errors import DataError
from caedsl.data.files.regular_file import read_regular
from caedsl.importing.errors import ImportFailure
from caedsl.importing.network import Network
from caedsl.importing.torch.modules import module_network
from caedsl.model.data import InputRange
from caedsl.vocabulary.shape import Shape


def classes_in(path: Path) -> list[str]:
    """Return the names of the classes in a Python file, without running it."""
    try:
        tree = ast.parse(read_regular(path))
    except (DataError, OSError, SyntaxError, ValueError):
        return []
    return [node.name for node in tree.body if isinstance(node, ast.ClassDef)]


def network_in(path: Path, name: str, shape: Shape | None, values: InputRange) -> Network:
    """Return the network of a class, a function that returns a module, or a module in a Python file.

    The file runs, and nothing else that was not named. Raise ``ImportFailure``, which names what fails in it.
    """
    place = f"{path}:{name}"
    if not path.is_file():
        raise ImportFailure(f"{path} does not exist: name a Python file, as in `caedsl import model.py:Net`")
    if shape is None:
        raise ImportFailure(
            f"{place} does not state the shape of its samples: add --input with channels and sizes, such as 1x28x28"
        )
    with _beside(path), _author_errors(place):
        module = _loaded(path)
        found = _named(module, path, name)
        made = found() if callable(found) and not isinstance(found, nn.Module) else found
    if not isinstance(made, nn.Module):
        raise ImportFailure(
            f"{place} has the type {type(made).__name__}, but only a torch.nn.Module can be imported: name a class, or "
            "a function without arguments that returns one"
        )
    network = module_network(made, shape, values)
    note = f"{path} was run, as every `FILE.py:NAME` is"
    return Network(**{**vars(network), "notes": (*network.notes, note)})


def _named(module: ModuleType, path: Path, name: str) -> Any:
    if hasattr(module, name):
        return getattr(module, name)
    classes = classes_in(path)
    listed = f"; it has {', '.join(classes[:5])}" if classes else ""
    raise ImportFailure(f"{path} has no {name or 'name after its colon'}{listed}")


def _loaded(path: Path) -> ModuleType:
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification is not None and specification.loader is not None, "a .py file has a loader"
    module = importlib.util.module_from_spec(specification)
    sys.modules[path.stem] = module
    specification.loader.exec_module(module)
    return module


@contextmanager
def _beside(path: Path) -> Iterator[None]:
    """Make modules in the folder of ``path`` importable, as when Python runs the file."""
    folder = str(path.resolve().parent)
    before = sys.modules.get(path.stem)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
        if before is not None:
            sys.modules[path.stem] = before


@contextmanager
def _author_errors(place: str) -> Iterator[None]:
    """Turn whatever the author's code raises into one error."""
    try:
        yield
    except ImportFailure:
        raise
    except (Exception, SystemExit) as error:
        frame = error.__traceback__
        line = 0
        while frame is not None:
            line = frame.tb_lineno if frame.tb_frame.f_code.co_filename.endswith(place.rpartition(":")[0]) else line
            frame = frame.tb_next
        where = f" in line {line}" if line else ""
        first = (str(error).strip().splitlines() or [""])[0][:200]
        hint = ""
        if isinstance(error, TypeError) and "argument" in first:
            hint = "; write a function without arguments that returns the module, and name that"
        raise ImportFailure(f"{place} fails{where}: {type(error).__name__}: {first}{hint}") from None
