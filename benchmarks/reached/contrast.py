"""Contrast of images normalised as Deep SVDD does before it trains (Ruff et al., ICML 2018)."""

from torch import Tensor


class Contrast:
    """Each image less its mean, over its mean absolute deviation; then mapped so that ``train`` spans 0..1.

    Other images may go beyond.
    """

    def __init__(self, train: Tensor) -> None:
        low, high = _normalised(train).aminmax()
        self.low, self.high = low.item(), high.item()

    def __call__(self, x_bchw: Tensor) -> Tensor:
        """The images so normalised."""
        return (_normalised(x_bchw) - self.low) / (self.high - self.low)


def _normalised(x_bchw: Tensor) -> Tensor:
    centred = x_bchw - x_bchw.mean((1, 2, 3), keepdim=True)
    return centred / centred.abs().mean((1, 2, 3), keepdim=True)
