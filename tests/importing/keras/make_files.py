"""Write the files of this folder with TensorFlow's Keras 2: ``python tests/importing/keras/make_files.py``.

It needs an environment of its own, with the packages ``tf_keras`` and ``tensorflow-cpu``. Beside each model lie samples
and what Keras made of them.
"""

import sys
from pathlib import Path

import numpy as np
import tf_keras  # type: ignore[import-not-found]

sys.path.insert(0, str(Path(__file__).parent))
from models import MODELS, scattered  # type: ignore[import-not-found]

FILES = {"blog_simple": ".h5", "blog_conv": ".h5", "parts": ".h5 .keras", "unet": ".h5"}


def main() -> None:
    folder = Path(__file__).parent / "files"
    for name, suffixes in FILES.items():
        tf_keras.backend.clear_session()
        model = scattered(MODELS[name](tf_keras))
        for suffix in suffixes.split():
            model.save(folder / f"{name}{suffix}")
        samples = np.random.default_rng(0).random((2, *model.input_shape[1:]), dtype=np.float32)
        np.savez_compressed(folder / f"{name}.npz", samples=samples, outputs=model.predict(samples, verbose=0))


if __name__ == "__main__":
    main()
