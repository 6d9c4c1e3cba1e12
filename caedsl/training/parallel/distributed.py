"""The group of processes that ``torchrun`` starts, joined by PyTorch's distributed data parallel.

What they say to each other goes over gloo and the store that torchrun keeps; gradients on CUDA go over NCCL.
"""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from inspect import signature
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.distributed.rendezvous import rendezvous
from torch.nn.parallel import DistributedDataParallel

from caedsl.data.batch_share import BatchShare
from caedsl.data.launcher import launched
from caedsl.runs.errors import TrainingError
from caedsl.training.parallel.processes import ALONE, Found, LostError, Processes, training_with
from caedsl.training.parallel.synchronised_layers import over_whole_batches

SECONDS_BETWEEN_MEETINGS = 0.25
SECONDS_FOR_LAST_WORDS = 10.0
SECONDS_OF_SILENCE = 1800
"""After so long without a word from another process, it counts as gone."""

_BUFFERS_AS_THEY_ARE: dict[str, Any] = {
    "forward_sync_buffers"
    if "forward_sync_buffers" in signature(DistributedDataParallel).parameters
    else "broadcast_buffers": False
}
"""Running statistics are those of whole batches, the same everywhere: sending them in each step would be in vain.

PyTorch 2.13 has another name for it."""

TURN, WORDS, SPOKEN = "caedsl/turn", "caedsl/words", "caedsl/spoken"


class ProcessGroup(Processes):
    """This process and the others of its group, which are numbered from 0; number 0 is the first."""

    def __init__(self) -> None:
        for variable in ("RANK", "LOCAL_RANK", "MASTER_PORT"):
            launched(variable, 0)  # before PyTorch reads them
        silence = timedelta(seconds=SECONDS_OF_SILENCE)
        self._store, self.number, self.count = next(rendezvous("env://", timeout=silence))
        self._on_this_machine = launched("LOCAL_RANK", self.number)
        distributed.init_process_group(
            "gloo", store=self._store, rank=self.number, world_size=self.count, timeout=silence
        )
        self.begin(1)
        self._turns = 0
        self._steps, self._steps_to_meeting, self._met = 0, 1, time.monotonic()
        self._first_spoke = False

    def device(self, chosen: torch.device) -> torch.device:
        """Return the CUDA device of this process: one of the machine's, or the only one that Slurm lets it see."""
        if chosen.type != "cuda":
            return chosen
        devices = torch.cuda.device_count()
        number = 0 if devices == 1 and "SLURM_PROCID" in os.environ else self._on_this_machine
        if number >= devices:
            raise TrainingError(
                f"this machine has {devices} CUDA device{'s' * (devices != 1)}, and process {self.number} would need "
                f"number {number + 1}: start one process a device (`--nproc-per-node {devices}`), or use --device cpu"
            )
        torch.cuda.set_device(number)
        return torch.device("cuda", number)

    @contextmanager
    def in_turn(self) -> Iterator[None]:
        """Let the others wait until the first is through, however long that takes: a download may."""
        self._turns += 1
        turn = f"{TURN}/{self._turns}"
        while not (self.first or self._is_set(turn)):
            if self._is_set(SPOKEN):
                self._first_spoke = True
                raise LostError(self._last_words())
            time.sleep(0.1)
        yield
        if self.first:
            self._store.set(turn, "over")

    def from_first(self, find: Callable[[], Found]) -> Found:
        """Send what the first process found to the others, which wait however long that takes."""
        found: list[Any] = [None]
        with self.in_turn():
            if self.first:
                with training_with(ALONE):
                    found[0] = find()
        with self._hearing():
            distributed.broadcast_object_list(found)
        said: Found = found[0]
        return said

    def wait_for_all(self) -> None:
        """Go on when every process has come here."""
        with self._hearing():
            distributed.barrier()

    @contextmanager
    def joined(self, module: nn.Module) -> Iterator[Callable[[Tensor], Tensor]]:
        """``DistributedDataParallel``, and layers that look at whole batches."""
        device = next(module.parameters()).device
        on_cuda = device.type == "cuda"
        with self._hearing():
            group = distributed.new_group(backend="nccl") if on_cuda else distributed.group.WORLD
            assert group is not None
            with over_whole_batches(module, lambda: self._batch, group):
                yield DistributedDataParallel(
                    module,
                    device_ids=[device] if on_cuda else None,
                    process_group=group,
                    gradient_as_bucket_view=True,
                    **_BUFFERS_AS_THEY_ARE,
                )

    @contextmanager
    def _hearing(self) -> Iterator[None]:
        """Inside, a process that is gone is a ``LostError`` with its last words."""
        try:
            yield
        except RuntimeError as error:
            if not _is_a_loss(error):
                raise
            raise LostError(self._last_words()) from error

    def begin(self, images: int) -> None:
        """Begin a batch of so many images, which what follows is about."""
        least, more = divmod(images, self.count)  # cut as Batches.sliced cuts
        start, stop = (number * least + min(number, more) for number in (self.number, self.number + 1))
        self._batch = BatchShare(start, stop, images, self.count)

    def under_way(self, mine: Tensor) -> BatchShare:
        """Return the part of this process, the images ``mine``, in the batch that began last."""
        return self._batch

    def meeting(self) -> bool:
        """Whether all processes meet after this step: a few times a second, at steps that the first chose."""
        self._steps += 1
        return self._steps >= self._steps_to_meeting

    def agreed(self, reason: str | None) -> str | None:
        """Return the first reason of any process; and when to meet again, by the speed that the first has seen."""
        now = time.monotonic()
        # No more than twice as far as the last time: the first steps of a run are slow, and some are slower than
        # others.
        ahead = round(self._steps * SECONDS_BETWEEN_MEETINGS / max(now - self._met, 1e-9))
        most = 2 * self._steps_to_meeting
        mine = (reason, max(1, min(ahead, most)) if self._steps else self._steps_to_meeting)
        said: list[tuple[str | None, int]] = [mine] * self.count
        with self._hearing():
            distributed.all_gather_object(said, mine)
        self._steps, self._steps_to_meeting, self._met = 0, said[0][1], time.monotonic()
        return next((other for other, _ in said if other is not None), None)

    def mean(self, x: Tensor) -> Tensor:
        """Return the mean of ``x`` over all processes, the same bits in each; waits for the device."""
        # In 64 bits sums of a few 32-bit numbers are exact, in whatever order.
        total = x.to("cpu", torch.float64, copy=True)
        with self._hearing():
            distributed.all_reduce(total)
        return (total / self.count).to(x.device, x.dtype)

    def leave(self) -> None:
        """Leave the group, of which nobody waits for this process any more."""
        distributed.destroy_process_group()

    def last_word(self, words: str) -> str:
        """Return what this process must say at last of a failure, now that it would say ``words``; nothing of most.

        The first says its own. The others leave it to the first, which hears of them in ``LostError``; torchrun's
        report has the words of all. Nothing but the end of the process may follow.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # torchrun ends those that are left when one has failed
        text = words.strip().rpartition("caedsl: ")[2]
        _tell_torchrun(text or "its message is above")
        if self.first:
            self._set(SPOKEN, "by the first")
            return words
        heard = self._set(WORDS, f"process {self.number}: {text}")
        return "" if heard or self._first_spoke else words

    def _last_words(self) -> str:
        if self.first and self._awaits_words():
            return str(self._store.get(WORDS).decode())
        return (
            f"one of the {self.count} processes ended without a word: it was killed, or its machine or network failed"
        )

    def _awaits_words(self) -> bool:
        end = time.monotonic() + SECONDS_FOR_LAST_WORDS
        while not self._is_set(WORDS):
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True

    def _is_set(self, key: str) -> bool:
        """Return False too where the store is gone with the process that kept it."""
        try:
            return bool(self._store.check([key]))
        except RuntimeError:
            return False

    def _set(self, key: str, value: str) -> bool:
        """Set it, if it is not set yet; return whether the store is still there."""
        try:
            self._store.compare_set(key, "", value)
        except RuntimeError:
            return False
        return True


def is_started_with_others() -> bool:
    """Whether ``torchrun``, or what sets the same variables, started this process and others."""
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
    return all(name in os.environ for name in names) and launched("WORLD_SIZE", 1) > 1


def _tell_torchrun(words: str) -> None:
    """Give torchrun the words for its report, in the file that ``torch.distributed.elastic`` has for them."""
    file = os.environ.get("TORCHELASTIC_ERROR_FILE")
    if file:
        Path(file).write_text(json.dumps({"message": words, "timestamp": int(time.time())}), "utf-8")


def _is_a_loss(error: RuntimeError) -> bool:
    return isinstance(error, distributed.DistError) or any(word in str(error) for word in ("gloo", "NCCL"))
