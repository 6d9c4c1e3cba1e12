"""Evaluation of samples that are stored as real numbers in the input's range."""

from pathlib import Path

import numpy as np

from caedsl.api import train

SPEC = """autoencoder reals
input 1x16
data npy "x.npy"
encoder { conv 2 relu; maxpool 2 }
bottleneck dense 2
decoder mirror
train { epochs 1; batch 32; threads 1; precision fp32 }
"""


def test_the_components_of_stored_floats_are_computed(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((80, 1, 16), dtype=np.float32))
    (tmp_path / "spec.cae").write_text(SPEC)
    train(tmp_path / "spec.cae", out=tmp_path / "run", device="cpu")
    assert "pca-2" in (tmp_path / "run" / "metrics.json").read_text().lower()
