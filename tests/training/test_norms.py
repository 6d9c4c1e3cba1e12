"""Normalisations train where PyTorch's own backward pass would crash or be wrong."""

import subprocess
from pathlib import Path

import pytest

SPEC = """
autoencoder early
input 3x8x8 in 0..1
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

images = np.random.default_rng(0).random((12, 3, 8, 8), dtype=np.float32)
for number, spec in enumerate(sys.argv[1:]):
    caedsl.train(spec, images=images, out=f"run{number}")
    print("trained", number)
"""


@pytest.mark.torch
def test_a_normalisation_of_the_input_trains(tmp_path: Path, python: str) -> None:
    cases = [("norm layer", 4), ("norm group groups=3", 4), ("norm instance", 1), ("residual { norm layer; relu }", 4)]
    specs = [SPEC.format(first=first, batch=batch) for first, batch in cases]
    done = subprocess.run([python, "-c", TRAIN, *specs], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert done.stdout.endswith("trained 3\n")
