"""Endings of the model files of other frameworks. Importing this needs neither numpy nor torch."""

from pathlib import Path

KERAS = (".keras", ".h5", ".hdf5")
ONNX = ".onnx"
EXPORTED = ".pt2"
PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin", ".joblib")
WEIGHTS_ALONE = (".safetensors", ".npz", ".weights.h5")
_OTHERS = (".tflite", ".pb", ".mlmodel", ".msgpack")
"""Files that nothing here reads, but that no spec is either."""


def is_model_file(place: str) -> bool:
    """Return whether a name, ``FILE`` or ``FILE.py:NAME``, is that of a model and not of a spec."""
    file = (place.rpartition(":")[0] or place).lower()
    return Path(file).suffix in (".py", *KERAS, ONNX, EXPORTED, *PICKLES, *_OTHERS) or file.endswith(WEIGHTS_ALONE)
