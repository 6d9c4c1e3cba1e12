"""Evaluation in as many pieces as the memory takes: 64 bits need more of it than the training that came before."""

from traceback import clear_frames

import torch
from torch import Tensor

from caedsl.evaluation.baselines import Predictor
from caedsl.training.device import give_freed_memory_back
from caedsl.training.errors import OutOfMemoryError, is_out_of_memory


class InPieces:
    """A predictor that is given half as many images at a time whenever they do not fit the memory.

    The predictions are the same, since each image is predicted by itself in eval mode.
    """

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor
        self.size: int | None = None

    def __call__(self, x_bchw: Tensor) -> Tensor:
        """Return the predictions of a batch; ``OutOfMemoryError`` where not even one image fits."""
        while True:
            size = min(self.size or len(x_bchw), len(x_bchw))
            try:
                return torch.cat([self.predictor(piece) for piece in torch.split(x_bchw, size)])
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if size == 1:
                    raise OutOfMemoryError(
                        "out of memory: evaluation computes in 64 bits, and there is no room for one sample; end other "
                        "programs, or use fewer channels"
                    ) from error
                # The frames of the failed call hold its tensors.
                clear_frames(error.__traceback__)
            self.size = size // 2
            if x_bchw.device.type == "cuda":
                torch.cuda.empty_cache()
            else:
                give_freed_memory_back()
