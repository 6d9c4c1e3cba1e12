"""Runs of one and of several processes, as under torchrun but without its start-up: all are forks of this process.

``python -m tests.training.together FOLDER`` makes the runs that ``test_distributed.py`` examines, each in a folder of
``FOLDER`` with its output (``NAME.txt``) and the exit codes (``codes.json``).
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy
import torch
import torch._dynamo
import torch.nn.parallel
from torch.distributed import TCPStore

import caedsl.training.parallel.distributed
import caedsl.training.search.learning_rate
from caedsl.cli.main import main
from caedsl.training.loop import Training
from caedsl.training.objective import Losses

LAYERS = """autoencoder everything
input 1x8x8
data digits limit=205
encoder {
  conv 6 relu norm=batch dropout=0.2
  maxpool 2
  conv 4 relu l2=1e-2
  dense 12 relu norm=batch dropout=0.1
}
bottleneck dense 6 noise=0.1 l1=1e-3
decoder mirror
train {
  optimizer adam lr=5e-3; batch 50; epochs 4; precision fp32
  corrupt gaussian=0.2 masking=0.1 saltpepper=0.05; augment flip shift=1 rotate=10
  clip 0.5; ema 0.9; schedule plateau patience=1; stop patience=3
}
"""
"""The last of four batches has 35 of 185 images; every layer that draws, or that looks at a whole batch."""
FEW = """autoencoder few
input 1x8x8
data digits limit=41
encoder { conv 4 gelu norm=instance; conv 4 s2 prelu norm=batch; conv 8 elu norm=group; maxpool 2 }
bottleneck
decoder mirror norm=layer
train {
  loss ssim + 0.5 bce reduction=sum; optimizer sgd lr=1e-3 momentum=0.9; schedule onecycle; batch 8 accumulate=3; epochs 3
  validation 20%; augment rotate=20; precision fp32
}
"""
"""The last batch has one of 33 images: two of three processes have none. Others are computed in parts of 3, 3 and 2."""
CODES = """autoencoder codes
input 1x8x8
data digits limit=41
encoder { conv 6 relu; maxpool 2; conv 4 }
bottleneck quantized 8x4 ema=0.9
decoder mirror
train { optimizer adam lr=5e-3; batch 10; epochs 3; precision fp32 }
"""
VOLUMES = """autoencoder volumes
input 1x4x4x4 in real
data npy "volumes.npy" weights="weights.npy"
encoder { conv 4 relu norm=batch dropout=0.2; maxpool 2; conv 3 norm=instance }
bottleneck variational 3 free_bits=0.2
decoder mirror output=linear
train { optimizer adam lr=5e-3; batch 9; epochs 3; precision fp32 }
"""
DYING = """autoencoder dying
input 1x8x8 in 0..1
data digits limit=205
encoder { conv 4 relu norm=batch dropout=0.1; conv 4 relu x2; maxpool 2 }
bottleneck dense 8 noise=0.1
decoder { dense 64; reshape 1x8x8 }
train { loss mse; optimizer adam lr=1; batch 50; epochs 18; precision fp32 }
"""
"""A monitor speaks at step 64 of 72."""
OVERFLOWING = """autoencoder overflowing
input 1x8x8 in real
data npy "huge.npy"
encoder { conv 4 relu; maxpool 2 }
bottleneck dense 8
decoder mirror
train { loss mse; optimizer sgd lr=1e-3; batch 8; epochs 2; precision fp32; validation 0% }
"""
"""One of the images of step 6 is so large that the loss of its part, and of no other, is infinite."""
HUGE_IMAGE = 79
FOUND = """autoencoder found
input 1x8x8
data digits limit=200
encoder { conv 3 gelu norm=batch dropout=0.1; maxpool 2 }
bottleneck dense 4 l1=1e-4
decoder mirror
train { optimizer adam lr=auto; batch auto; epochs 4; corrupt gaussian=0.1; precision fp32 }
"""
"""One size of the batch alone leaves enough steps, so that no clock decides it."""
ENDLESS = LAYERS.replace("epochs 4", "epochs 100000").replace("stop patience=3", "stop after=1h")


def processes(count: int, printed: Path, arguments: Sequence[str], change: Callable[[int], None]) -> list[int]:
    """Run ``caedsl`` in several processes, each after calling ``change``; return their exit codes."""
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    forks = []
    for rank in range(count):
        fork = os.fork()
        if fork == 0:
            code = 99
            try:
                place = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(count)}
                address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(store.port)}
                report = {"TORCHELASTIC_ERROR_FILE": str(printed.with_name(f"{printed.stem}-{rank}.json"))}
                os.environ.update({**place, **address, **report, "TORCHELASTIC_USE_AGENT_STORE": "True"})
                with printed.open("a", buffering=1) as file, redirect_stdout(file), redirect_stderr(file):
                    change(rank)
                    code = main(arguments)
            finally:
                os._exit(code)
        forks.append(fork)
    return [os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1]) for fork in forks]


def at_step(step: int, act: Callable[[], None], who: int = 0) -> Callable[[int], None]:
    """Return a change that calls ``act`` before a step in the process with that number."""

    def change(rank: int) -> None:
        take_step = Training.take_step

        def acting(self: Training, *x: Any) -> Losses:
            if self.step == step:
                act()
            return take_step(self, *x)

        if rank == who:
            Training.take_step = acting  # type: ignore[method-assign]

    return change


def seldom_meeting(rank: int) -> None:
    """Let the processes synchronise only at probes."""
    caedsl.training.parallel.distributed.SECONDS_BETWEEN_MEETINGS = 1e9


def short_search(rank: int) -> None:
    """Let ``lr=auto`` try each rate for fewer steps."""
    caedsl.training.search.learning_rate.STEPS = 30


def by_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.kill(os.getpid(), signal.SIGINT)


def asked_to_end() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def killed_at_step(step: int) -> Callable[[int], None]:
    """Return a change that kills process 1 at a step, with short timeouts for the others."""

    def change(rank: int) -> None:
        caedsl.training.parallel.distributed.SECONDS_FOR_LAST_MESSAGE = 1.0
        at_step(step, killed, who=1)(rank)

    return change


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def out_of_memory() -> None:
    raise MemoryError


class Making:
    """Runs by name, and the exit codes of their processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.codes: dict[str, list[int]] = {}

    def warm_up(self) -> None:
        """Train once in this process: what it imports and compiles takes each fork longer than its own steps."""
        if not torch.cuda.is_available():  # otherwise PyTorch starts threads for gradients, which a fork would lack
            file = self.folder / "first.cae"
            file.write_text(LAYERS)
            assert main(["train", str(file), "--out", str(self.folder / "first"), "--epochs", "1", "--quiet"]) == 0

    def run(self, name: str, count: int, *arguments: str, change: Callable[[int], None] = lambda rank: None) -> None:
        self.codes[name] = processes(count, self.folder / f"{name}.txt", ["train", *arguments], change)

    def begin(
        self, name: str, count: int, spec: str, *options: str, change: Callable[[int], None] = lambda rank: None
    ) -> None:
        file = self.folder / f"{name}.cae"
        file.write_text(spec)
        self.run(name, count, str(file), "--out", str(self.folder / name), *options, change=change)


def make(folder: Path) -> None:
    torch.set_num_threads(1)
    # Imported here, not by each process.
    assert torch._dynamo and torch.nn.parallel and caedsl.training.parallel.distributed
    making = Making(folder)
    making.warm_up()
    for name, spec, several in (("layers", LAYERS, 2), ("few", FEW, 3)):
        making.begin(f"{name}-alone", 1, spec)
        making.begin(f"{name}-together", several, spec)
    numpy.save(folder / "volumes.npy", numpy.random.default_rng(0).normal(size=(29, 4, 4, 4)).astype(numpy.float32))
    numpy.save(folder / "weights.npy", numpy.arange(29) % 4)
    for name, spec in (("codes", CODES), ("volumes", VOLUMES)):
        making.begin(f"{name}-alone", 1, spec)
        making.begin(f"{name}-together", 2, spec)
    # The first ends on its own signal, the other because they agree to stop.
    making.begin("grown", 1, LAYERS, change=at_step(6, asked_to_end))
    making.begin("shrunk", 2, LAYERS, change=at_step(6, asked_to_end, who=1))
    for name in ("grown", "shrunk"):
        (folder / f"{name}-state.json").write_bytes((folder / name / "state.json").read_bytes())
    making.run("grown-on", 2, "--resume", str(folder / "grown"))
    making.run("shrunk-on", 1, "--resume", str(folder / "shrunk"))
    making.begin("exhausted", 2, ENDLESS, change=at_step(9, out_of_memory, who=1))
    making.begin("killed", 2, ENDLESS, change=killed_at_step(9))
    making.begin("infinite", 2, LAYERS.replace("lr=5e-3", "lr=1e30").replace("clip 0.5; ema 0.9; ", ""))
    making.run("occupied", 2, str(folder / "few-alone.cae"), "--out", str(folder / "few-alone"))
    making.begin("faulty", 2, LAYERS.replace("maxpool 2", "maxpol 2"))
    making.begin("dying-alone", 1, DYING, "--no-pictures")
    making.begin("dying-together", 2, DYING, "--no-pictures")
    making.begin("stopped", 2, DYING.replace("epochs 18", "epochs 18; on trouble stop"), "--no-pictures")
    (folder / "stopped-state.json").write_bytes((folder / "stopped" / "state.json").read_bytes())
    making.run("stopped-on", 1, "--resume", str(folder / "stopped"), "--on-trouble", "warn")
    making.begin("dying-grown", 1, DYING, "--no-pictures", change=at_step(50, asked_to_end))
    making.run("dying-grown-on", 2, "--resume", str(folder / "dying-grown"))
    images = numpy.random.default_rng(0).normal(size=(80, 8, 8)).astype(numpy.float32)
    images[HUGE_IMAGE, 4, 4] = 1e20
    numpy.save(folder / "huge.npy", images)
    making.begin("overflowing-alone", 1, OVERFLOWING)
    making.begin("overflowing-together", 2, OVERFLOWING, change=seldom_meeting)
    making.begin("found-alone", 1, FOUND, change=short_search)
    making.begin("found-together", 2, FOUND, change=short_search)
    making.begin("found-exhausted", 2, FOUND, change=at_step(0, out_of_memory))
    making.begin("found-interrupted", 2, FOUND.replace("batch auto", "batch 20"), change=at_step(30, by_ctrl_c))
    (folder / "codes.json").write_text(json.dumps(making.codes))


if __name__ == "__main__":
    make(Path(sys.argv[1]))
