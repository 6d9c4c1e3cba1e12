"""Optional packages, and the extras of caedsl that install them."""

from collections.abc import Iterator
from contextlib import contextmanager

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
"""The top-level modules that each extra installs; ``train`` brings matplotlib too, for the pictures of a run."""


def missing_package(error: ModuleNotFoundError) -> str | None:
    """Return what to install where ``error`` is about an optional package, else None."""
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
