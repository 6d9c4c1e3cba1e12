"""``maxpool``: the largest value of a window."""

from caedsl.vocabulary.pooling import Pool


class MaxPool(Pool):
    """The largest value of each window; window and stride are the same number unless `s` is given.

    A size that the window does not divide is cut (28 → 14 → 7 → 3); `ceil` rounds up instead.
    """

    name = "maxpool"
    linear = False
    module = "MaxPool"
    example = "maxpool 2"
