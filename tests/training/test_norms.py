"""Normalisations train where PyTorch's own backward pass would crash or be wrong."""

import subprocess
import sys

import pytest

SPEC = """
autoencoder early
input {shape} in 0..1
encoder {{ {first}; conv 6 k4 s2 relu }}
bottleneck
decoder mirror
train {{ loss mse; optimizer adam lr=1e-3; batch {batch}; epochs 1; validation 20%; threads 1 }}
allow too-few-steps "one epoch is enough to crash"
"""
TRAIN = """
import sys
import numpy as np
import caedsl

spec, channels = sys.argv[1], int(sys.argv[2])
images = np.random.default_rng(0).random((12, channels, 8, 8), dtype=np.float32)
caedsl.train(spec, images=images, out="run")
"""


@pytest.mark.parametrize(
    ("first", "batch"),
    [("norm layer", 4), ("norm group groups=3", 4), ("norm instance", 1), ("residual { norm layer; relu }", 4)],
)
def test_a_normalisation_of_the_input_trains(first: str, batch: int, tmp_path) -> None:  # type: ignore[no-untyped-def]
    spec = SPEC.format(shape="3x8x8", first=first, batch=batch)
    command = [sys.executable, "-c", TRAIN, spec, "3"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
