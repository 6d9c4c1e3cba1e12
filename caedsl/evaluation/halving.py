"""Evaluation in pieces that fit in memory, whatever the batch."""

from traceback import clear_frames

import torch
from torch import Tensor

from caedsl.evaluation.baselines import Predictor
from caedsl.training.device import give_freed_memory_back
from caedsl.training.errors import OutOfMemoryError, is_out_of_memory


class HalvingPredictor:
    """Predictor that halves the number of images at a time whenever they do not fit in memory.

    The predictions are the same up to rounding, since images do not affect each other in eval mode.
    """

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor
        self.size: int | None = None

    def __call__(self, x_bchw: Tensor) -> Tensor:
        """Return the predictions for a batch. Raise ``OutOfMemoryError`` if not even one image fits."""
        while True:
            size = min(self.size or len(x_bchw), len(x_bchw))
            try:
                return torch.cat([self.predictor(piece) for piece in torch.split(x_bchw, size)])
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if size == 1:
                    raise OutOfMemoryError(
                        "out of memory: evaluation has no room for one sample; end other programs, or use fewer "
                        "channels"
                    ) from error
                # The frames of the failed call still refer to its tensors.
                clear_frames(error.__traceback__)
            self.size = size // 2
            if x_bchw.device.type == "cuda":
                torch.cuda.empty_cache()
            else:
                give_freed_memory_back()
