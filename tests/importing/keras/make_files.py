"""Write the files of this folder: ``python tests/importing/keras/make_files.py tf_keras``, or ``keras``.

TensorFlow's Keras 2 needs an environment of its own, with the packages ``tf_keras`` and ``tensorflow-cpu``; Keras 3 has
any backend. Next to each model are samples and Keras's outputs for them. With ``onnx``, Keras 3 on TensorFlow exports
models by the package ``tf2onnx``.
"""

import os
import sys
from importlib import import_module
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from models import MODELS, article, scattered, strided  # type: ignore[import-not-found]

FILES = {
    "tf_keras": {"blog_simple": ".h5", "blog_conv": ".h5", "parts": ".h5 .keras", "unet": ".h5"},
    "keras": {"article": ".keras"},
}
"""Models by what saves them, and the forms in which it does."""


def export() -> None:
    """Export models as ONNX; their outputs are computed from the files themselves."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    keras = import_module("keras")
    for make in (article, strided):
        keras.backend.clear_session()
        keras.utils.set_random_seed(0)
        model = scattered(make(keras))
        model.predict(np.zeros((1, *model.input_shape[1:]), np.float32), verbose=0)
        path = Path(__file__).parent / "files" / f"{make.__name__}.onnx"
        model.export(path, format="onnx", verbose=False)


def main(package: str) -> None:
    keras = import_module(package)
    folder = Path(__file__).parent / "files"
    for name, suffixes in FILES[package].items():
        keras.backend.clear_session()
        keras.utils.set_random_seed(0)
        model = scattered(MODELS[name](keras)) if name in MODELS else article(keras)
        for suffix in suffixes.split():
            model.save(folder / f"{name}{suffix}")
        samples = np.random.default_rng(0).random((2, *model.input_shape[1:]), dtype=np.float32)
        np.savez_compressed(folder / f"{name}.npz", samples=samples, outputs=model.predict(samples, verbose=0))


if __name__ == "__main__":
    export() if sys.argv[1] == "onnx" else main(sys.argv[1])
