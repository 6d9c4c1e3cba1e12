"""The losses of an epoch, kept on the device so that training does not wait for them."""

import torch
from torch import Tensor

from caedsl.training.errors import NotFiniteError
from caedsl.training.parallel.processes import Processes


class Ledger:
    """One column a step: the loss with penalties, and the reconstruction loss."""

    def __init__(self, steps: int, device: torch.device, first_step: int) -> None:
        self._losses = torch.zeros(2, steps, device=device)
        self._sizes: list[int] = []
        self._settled = 0
        self._first_step = first_step

    @property
    def steps(self) -> int:
        """How many steps were recorded."""
        return len(self._sizes)

    @property
    def images(self) -> int:
        """How many images were trained on."""
        return sum(self._sizes)

    def record(self, total: Tensor, reconstruction: Tensor, images: int) -> None:
        """Take in the losses of a step on so many images, without reading them."""
        column = self._losses[:, len(self._sizes)]
        column[0], column[1] = total, reconstruction
        self._sizes.append(images)

    def settle(self, processes: Processes) -> None:
        """Make the losses that were recorded since the last time the means over all processes.

        Where several have met, one of these that is not finite is an error in each of them.
        """
        if processes.count > 1:
            new = self._losses[:, self._settled : self.steps]
            new.copy_(processes.mean(new))
            self.means()
        self._settled = self.steps

    def entries(self) -> tuple[Tensor, list[int]]:
        """A copy in main memory of both losses, 2×steps, and the images of each step."""
        return self._losses[:, : self.steps].to("cpu", copy=True), list(self._sizes)

    def restore(self, losses: Tensor, sizes: list[int]) -> None:
        """Put what ``entries`` gave back in place."""
        self._losses[:, : len(sizes)] = losses.to(self._losses.device)
        self._sizes = list(sizes)
        self._settled = self.steps

    def means(self) -> tuple[float, float]:
        """The means over images of both losses; waits for the device. The first loss that is not finite is an error."""
        losses = self._losses[:, : len(self._sizes)].double().cpu()
        finite = losses.isfinite().all(dim=0)
        if not finite.all():
            column = int(finite.logical_not().nonzero()[0])
            step = self._first_step + column
            raise NotFiniteError(f"the loss is {losses[0, column].item()} at step {step}", step)
        sizes = torch.tensor(self._sizes, dtype=torch.float64)
        total, reconstruction = (losses @ sizes / sizes.sum()).tolist()
        return total, reconstruction
