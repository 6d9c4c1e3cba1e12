"""Optional packages, and the extras of caedsl that install them."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

_EXTRAS = {
    "train": (
        "filelock",
        "jinja2",
        "numpy",
        "PIL",
        "png",
        "pooch",
        "requests",
        "safetensors",
        "scipy",
        "sklearn",
        "torch",
    ),
    "onnx": ("onnx", "onnxruntime", "onnxscript"),
    "hub": ("huggingface_hub",),
    "keras": ("h5py",),
    "lightning": ("lightning", "pytorch_lightning"),
    "nifti": ("nibabel",),
    "parquet": ("pyarrow",),
    "graph": ("matplotlib", "pygraphviz"),
    "tensorboard": ("tensorboard",),
}
"""The top-level modules that each extra installs; ``train`` includes matplotlib, for the pictures of a run."""


_READERS = {".keras": ("h5py",), ".h5": ("h5py",), ".hdf5": ("h5py",), ".onnx": ("onnx", "onnxruntime")}
"""The packages that read a model file, in addition to those that rebuild it: ``numpy`` and ``torch``."""


class MissingExtras(ModuleNotFoundError):
    """Packages that are not installed; the message names every extra that installs one of them."""


def require_for_model(place: str) -> None:
    """Raise ``MissingExtras`` if a package that reads or rebuilds the model at ``place`` is not installed."""
    own = next((names for suffix, names in _READERS.items() if place.lower().endswith(suffix)), ())
    missing = [name for name in ("numpy", "torch", *own) if not _installed(name)]
    if missing:
        extras = sorted({extra for extra, modules in _EXTRAS.items() if set(missing) & set(modules)})
        verb, needed = ("is", "it") if len(missing) == 1 else ("are", "them")
        raise MissingExtras(
            f"{', '.join(missing)} {verb} not installed, and reading {place} needs {needed}: "
            f"pip install 'caedsl[{','.join(extras)}]'"
        )


def _installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def missing_package(error: ModuleNotFoundError) -> str | None:
    """Return what to install if ``error`` is about an optional package, else None."""
    if isinstance(error, MissingExtras):
        return str(error)
    top = (error.name or "").partition(".")[0]
    extra = next((extra for extra, modules in _EXTRAS.items() if top in modules), None)
    return f"{top} is not installed, and this needs it: pip install 'caedsl[{extra}]'" if extra is not None else None


@contextmanager
def explaining_missing_packages() -> Iterator[None]:
    """Raise the error about a missing optional package with the command that installs it."""
    try:
        yield
    except ModuleNotFoundError as error:
        message = missing_package(error)
        if message is None:
            raise
        raise ModuleNotFoundError(message, name=error.name, path=error.path) from None
