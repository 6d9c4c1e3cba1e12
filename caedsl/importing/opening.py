"""Open a foreign model by the kind of its file."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np

from caedsl.data.errors import DataError
from caedsl.data.files.regular_file import read_regular
from caedsl.importing.errors import ImportFailure
from caedsl.importing.file_kinds import EXPORTED, KERAS, ONNX, PICKLES, WEIGHTS_ALONE
from caedsl.importing.network import Network
from caedsl.importing.torch.archive import pickled, read_archive
from caedsl.importing.zip_damage import damage_as_bad_zip
from caedsl.model.data import InputRange
from caedsl.vocabulary.shape import Shape, text

_CONTRADICTIONS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""Errors that libraries and the translation raise for a description that contradicts itself."""
_FORMS = "import a .keras, .h5, .onnx or .pt2 file, or a class: `caedsl import model.py:Net --input 1x28x28`"


@contextmanager
def as_import_failures(place: str) -> Iterator[None]:
    """Turn errors of the model at ``place`` into an ``ImportFailure``.

    A data file may come from anybody, and its description may contradict itself anywhere. Python code is the user's
    own, so an error in what is made of it is a bug of this program.
    """
    try:
        with np.errstate(all="ignore"):  # non-finite numbers fail the comparison
            yield
    except ImportFailure:
        raise
    except _CONTRADICTIONS as error:
        if place.rpartition(":")[0].endswith(".py"):
            raise
        first = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise ImportFailure(
            f"{place} was not imported: what it describes cannot be built or computed ({first}); save the model again"
        ) from error


def network_at(place: str, shape: Shape | None, values: InputRange | None) -> Network:
    """Return the network at ``place``, a file or ``module.py:Name``; raise ``ImportFailure`` if there is none.

    ``shape`` is the shape of a sample, if the file does not say it. ``values`` is the range of its values; None takes
    what the file suggests, or 0..1. Python code runs only for ``module.py:Name``.
    """
    file, colon, name = place.rpartition(":")
    if colon and file.endswith(".py"):
        from caedsl.importing.torch.python_file import network_in

        return network_in(Path(file), name, shape, values or InputRange())
    path = Path(place)
    if path.suffix == ".py":
        from caedsl.importing.torch.python_file import classes_in

        named = " or ".join(f"`{place}:{each}`" for each in classes_in(path)[:3]) or f"`{place}:Net`"
        raise ImportFailure(f"{place} holds Python code: name its class, {named}, with --input 1x28x28")
    if place.lower().endswith(WEIGHTS_ALONE):
        raise ImportFailure(f"{place} holds weights without the network they belong to; {_FORMS}")
    content = _content(path)
    network = _by_content(path, content, shape, values)
    if shape is not None and shape != network.input_shape:
        raise ImportFailure(
            f"{place} takes samples of {text(network.input_shape)}, and --input says {text(shape)}: remove --input"
        )
    return network


def _content(path: Path) -> bytes:
    if path.is_dir():
        saved = ", a SavedModel of TensorFlow" if (path / "saved_model.pb").exists() else ""
        raise ImportFailure(
            f"{path} is a folder{saved}: save the model as one file, such as `model.save('model.keras')`; {_FORMS}"
        )
    try:
        content = read_regular(path)
    except FileNotFoundError:
        raise ImportFailure(f"{path} does not exist; {_FORMS}") from None
    except DataError as error:
        raise ImportFailure(error) from None
    except OSError as error:
        raise ImportFailure(f"{path} cannot be read ({error.strerror or error})") from None
    if not content:
        raise ImportFailure(f"{path} is empty: save the model again")
    return content


def _by_content(path: Path, content: bytes, shape: Shape | None, values: InputRange | None) -> Network:
    suffix = path.suffix.lower()
    inside = _members(content)
    if suffix in KERAS or "config.json" in inside:
        from caedsl.importing.keras.reading import network_of_file

        return network_of_file(content, path.name, values)
    if suffix == ONNX:
        from caedsl.importing.onnx.model import onnx_network

        return onnx_network(content, path, shape, values or InputRange())
    if suffix == EXPORTED or any(name.endswith("models/model.json") for name in inside):
        from caedsl.importing.operators.aten import network_of

        return network_of(read_archive(content, path.name), path.name, values or InputRange())
    if suffix in PICKLES:
        raise ImportFailure(pickled(str(path)))
    raise ImportFailure(f"{path} is not a model file: {_FORMS}")


def _members(content: bytes) -> list[str]:
    """Return the names in an archive; none for another file."""
    try:
        with damage_as_bad_zip():
            return zipfile.ZipFile(BytesIO(content)).namelist()
    except zipfile.BadZipFile:
        return []
