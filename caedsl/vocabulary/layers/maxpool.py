"""``maxpool``: the largest value of a window."""

from caedsl.vocabulary.pooling import Pool


class MaxPool(Pool):
    """The largest value of each window; the stride is the window's size unless `s` is set.

    If the window does not divide a size, the rest is cut off (28 → 14 → 7 → 3); `ceil` rounds up instead.
    """

    name = "maxpool"
    linear = False
    module = "MaxPool"
    example = "maxpool 2"
