"""The group of processes that ``torchrun`` starts, joined by PyTorch's distributed data parallel.

The processes communicate over gloo and over torchrun's store; gradients on CUDA are reduced over NCCL.
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
from caedsl.diagnostics.text import counted
from caedsl.runs.errors import TrainingError
from caedsl.training.parallel.processes import ALONE, Found, LostError, Processes, training_with
from caedsl.training.parallel.synchronised_layers import over_whole_batches

SECONDS_BETWEEN_MEETINGS = 0.25
SECONDS_FOR_LAST_MESSAGE = 10.0
SECONDS_OF_SILENCE = 1800
"""Timeout after which a silent process counts as lost."""

_BUFFERS_AS_THEY_ARE: dict[str, Any] = {
    "forward_sync_buffers"
    if "forward_sync_buffers" in signature(DistributedDataParallel).parameters
    else "broadcast_buffers": False
}
"""Option that stops the broadcast of buffers: running statistics cover whole batches and are the same in all processes.

PyTorch 2.13 renamed it."""

TURN, MESSAGE, REPORTED = "caedsl/turn", "caedsl/message", "caedsl/reported"


class ProcessGroup(Processes):
    """Group of this process and the others, which are numbered from 0; number 0 is the first."""

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
        self._first_reported = False

    def device(self, chosen: torch.device) -> torch.device:
        """Return the CUDA device of this process: by its local rank, or the only one that Slurm shows each task.

        Processes that torchrun has started within one task of Slurm see the same devices.
        """
        if chosen.type != "cuda":
            return chosen
        devices = torch.cuda.device_count()
        is_task = "SLURM_PROCID" in os.environ and "TORCHELASTIC_RUN_ID" not in os.environ
        number = 0 if devices == 1 and is_task else self._on_this_machine
        if number >= devices:
            raise TrainingError(
                f"this machine has {counted(devices, 'CUDA device')}, but process {self.number} needs number "
                f"{number + 1}: start one process per device (`--nproc-per-node {devices}`), or use --device cpu"
            )
        torch.cuda.set_device(number)
        return torch.device("cuda", number)

    @contextmanager
    def in_turn(self) -> Iterator[None]:
        """Make the others wait until the first has left the block, however long that takes, as for a download."""
        self._turns += 1
        turn = f"{TURN}/{self._turns}"
        while not (self.first or self._is_set(turn)):
            if self._is_set(REPORTED):
                self._first_reported = True
                raise LostError(self._last_message())
            time.sleep(0.1)
        yield
        if self.first:
            self._store.set(turn, "over")

    def from_first(self, find: Callable[[], Found]) -> Found:
        """Send the result of the first process to the others, which wait for it without a timeout."""
        found: list[Any] = [None]
        with self.in_turn():
            if self.first:
                with training_with(ALONE):
                    found[0] = find()
        with self._detecting_losses():
            distributed.broadcast_object_list(found)
        said: Found = found[0]
        return said

    def wait_for_all(self) -> None:
        """Wait until every process has called this."""
        with self._detecting_losses():
            distributed.barrier()

    @contextmanager
    def joined(self, module: nn.Module) -> Iterator[Callable[[Tensor], Tensor]]:
        """Yield the module in ``DistributedDataParallel``, with layers that compute over whole batches."""
        device = next(module.parameters()).device
        on_cuda = device.type == "cuda"
        with self._detecting_losses():
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
    def _detecting_losses(self) -> Iterator[None]:
        """Turn the loss of a process within the block into a ``LostError`` with its last message."""
        try:
            yield
        except RuntimeError as error:
            if not _is_a_loss(error):
                raise
            raise LostError(self._last_message()) from error

    def begin(self, images: int) -> None:
        """Start a batch of ``images`` images, to which the following calls refer."""
        least, more = divmod(images, self.count)  # cut as Batches.sliced cuts
        start, stop = (number * least + min(number, more) for number in (self.number, self.number + 1))
        self._batch = BatchShare(start, stop, images, self.count)

    def share_of_batch(self, mine: Tensor) -> BatchShare:
        """Return this process's part, the images ``mine``, of the current batch."""
        return self._batch

    def meeting(self) -> bool:
        """Return whether all processes meet after this step: a few times a second, at steps that the first chose."""
        self._steps += 1
        return self._steps >= self._steps_to_meeting

    def agreed(self, reason: str | None) -> str | None:
        """Return the first reason of any process, and agree on the next meeting by the speed of the first process."""
        now = time.monotonic()
        # At most twice as many steps as last time: the first steps of a run are slow, and step times vary.
        ahead = round(self._steps * SECONDS_BETWEEN_MEETINGS / max(now - self._met, 1e-9))
        most = 2 * self._steps_to_meeting
        mine = (reason, max(1, min(ahead, most)) if self._steps else self._steps_to_meeting)
        said: list[tuple[str | None, int]] = [mine] * self.count
        with self._detecting_losses():
            distributed.all_gather_object(said, mine)
        self._steps, self._steps_to_meeting, self._met = 0, said[0][1], time.monotonic()
        return next((other for other, _ in said if other is not None), None)

    def mean(self, x: Tensor) -> Tensor:
        """Return the mean of ``x`` over all processes, the same bits in each; waits for the device."""
        # In 64 bits the sum of a few 32-bit numbers is exact in any order.
        total = x.to("cpu", torch.float64, copy=True)
        with self._detecting_losses():
            distributed.all_reduce(total)
        return (total / self.count).to(x.device, x.dtype)

    def leave(self) -> None:
        """Leave the group, once no other process waits for this one."""
        distributed.destroy_process_group()

    def failure_message(self, words: str) -> str:
        """Return what this process should print about its failure, whose message is ``words``.

        The first process prints its own message. The others usually print nothing and leave it to the first, which gets
        their message in ``LostError``; torchrun's report has the messages of all. The process must end after this call.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # torchrun terminates the remaining processes once one has failed
        text = words.strip().rpartition("caedsl: ")[2]
        _tell_torchrun(text or "its message is above")
        if self.first:
            self._set(REPORTED, "by the first")
            return words
        delivered = self._set(MESSAGE, f"process {self.number}: {text}")
        return "" if delivered or self._first_reported else words

    def _last_message(self) -> str:
        if self.first and self._message_arrives():
            return str(self._store.get(MESSAGE).decode())
        return (
            f"one of the {self.count} processes ended without a message: it was killed, or its machine or network "
            "failed"
        )

    def _message_arrives(self) -> bool:
        end = time.monotonic() + SECONDS_FOR_LAST_MESSAGE
        while not self._is_set(MESSAGE):
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True

    def _is_set(self, key: str) -> bool:
        """Return whether a key is set; False if the store is gone with the process that kept it."""
        try:
            return bool(self._store.check([key]))
        except RuntimeError:
            return False

    def _set(self, key: str, value: str) -> bool:
        """Set a key that is not set yet; return whether the store still exists."""
        try:
            self._store.compare_set(key, "", value)
        except RuntimeError:
            return False
        return True


def is_started_with_others() -> bool:
    """Return whether ``torchrun``, or a launcher with the same variables, started this process together with others."""
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
    return all(name in os.environ for name in names) and launched("WORLD_SIZE", 1) > 1


def _tell_torchrun(words: str) -> None:
    """Write the message for torchrun's report, to the error file of ``torch.distributed.elastic``."""
    file = os.environ.get("TORCHELASTIC_ERROR_FILE")
    if file:
        Path(file).write_text(json.dumps({"message": words, "timestamp": int(time.time())}), "utf-8")


def _is_a_loss(error: RuntimeError) -> bool:
    return isinstance(error, distributed.DistError) or any(word in str(error) for word in ("gloo", "NCCL"))
