"""Corruption of the input of a denoiser."""

from torch import Tensor

from caedsl.backends.torch import corruption
from caedsl.backends.torch.draws import Draws
from caedsl.model.data import InputRange
from caedsl.model.settings import Corrupt
from caedsl.vocabulary.corruptions import CORRUPTIONS


def corrupt(x: Tensor, settings: Corrupt, input_range: InputRange, draws: Draws) -> Tensor:
    """Return a corrupted copy of the samples, or the samples themselves without corruption; dtype and device are kept.

    ``draws`` has the random numbers of these samples, on their device.
    """
    for name, amount in settings.amounts().items():
        kind = CORRUPTIONS[name]
        own = corruption.draw_amount(x, draws, name, *amount) if isinstance(amount, tuple) else amount
        drawn = (getattr(corruption, kind.draw)(x, draws, name),) if kind.draw else ()
        x = getattr(corruption, kind.apply)(x, *drawn, own, input_range.low, input_range.high)
    return x
