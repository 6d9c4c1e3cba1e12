"""``avgpool``: the mean of a window."""

from caedsl.vocabulary.pooling import Pool


class AvgPool(Pool):
    """The mean of each window; window and stride are the same number unless `s` is given.

    A size that the window does not divide is cut; `ceil` rounds up instead.
    """

    name = "avgpool"
    module = "AvgPool"
    example = "avgpool 2"
