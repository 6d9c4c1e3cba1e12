"""The 1,797 handwritten digits of 8x8 pixels in scikit-learn (UCI, Alpaydin and Kaynak 1998)."""

import numpy as np

from caedsl.data.layout import layout
from caedsl.data.readers.source_reader import Request, UnreadImages
from caedsl.data.stacks.stack import ArrayStack


def read(request: Request) -> UnreadImages:
    """Return the digits; there is no test part, so all are for training and validation."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    pixels, labels = digits.images.astype(np.uint8), digits.target.astype(np.int64)
    return UnreadImages(
        ArrayStack(pixels, layout(pixels.shape, request.fit, "digits"), request.fit, "digits", labels, white=16),
        class_names=tuple(str(digit) for digit in range(10)),
    )
