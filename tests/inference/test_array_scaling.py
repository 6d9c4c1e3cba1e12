"""Arrays are scaled like the images of a run's source, also if the source names the value of white."""

import numpy as np
import pytest

from caedsl.inference.samples import from_array
from tests.training.tiny import model_of

SPEC = """
autoencoder a
input 1x8x8
data {source} white=4095
encoder {{ conv 2 relu; maxpool 2 }}
bottleneck
decoder mirror
train {{ epochs 1 }}
"""


@pytest.mark.parametrize(
    ("source", "dtype", "white"),
    [
        ('folder "d"', np.uint16, 4095),
        ('folder "d"', np.uint8, 255),
        ('folder "d"', np.float32, 1),
        ('npy "x.npy"', np.uint16, 4095),
        ('npy "x.npy"', np.float32, 4095),
    ],
)
def test_white_of_the_source_is_that_of_arrays(source: str, dtype: type, white: int) -> None:
    pixels = np.full((2, 8, 8), white, dtype)
    pixels[0] = 0
    samples = from_array(pixels, model_of(SPEC.format(source=source)))
    _, values = next(iter(samples.batches(2)))
    assert [values[0].max(), values[1].min()] == [0, 1]
