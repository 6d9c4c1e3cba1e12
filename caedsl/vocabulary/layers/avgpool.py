"""``avgpool``: the mean of a window."""

from caedsl.vocabulary.pooling import Pool


class AvgPool(Pool):
    """The mean of each window; the stride is the window's size unless `s` is set.

    If the window does not divide a size, the rest is cut off; `ceil` rounds up instead.
    """

    name = "avgpool"
    module = "AvgPool"
    example = "avgpool 2"
