"""Compare the speed of training on files that do not fit into memory with training on images in memory.

    python benchmarks/streaming.py [--images 20000] [--rounds 7] [--seconds 4]
    python benchmarks/streaming.py --limited [--gigabytes 6]

Files are written to a temporary folder: an array (npy) and a folder of JPEGs, both of 64x64 colour images. The same
spec is trained for some seconds alternately from memory and from the files, so that other work on the machine affects
both equally. The files are dropped from the system's cache first. The loader assumes that the available memory is a
tenth of the images' size. The aim is a ratio of at least 0.9. On a busy machine, images per second of processor time
(of all threads, including reading) mean more than images per second of wall-clock time.

``--limited`` trains on an array ten times larger than the memory that a process may use. One process is limited by a
control group if possible, else by ``RLIMIT_DATA``; it takes turns with an unlimited one.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

SPEC = """
autoencoder streaming
input 3x64x64
data {data}
encoder {{ conv 16 relu; maxpool 2; conv 32 relu; maxpool 2; conv 32 relu; maxpool 2 }}
bottleneck dense 64
decoder mirror
train {{ batch 128; epochs 1000; validation 0%; precision fp32 }}
"""
IMAGE_BYTES = 3 * 64 * 64
NEEDED = 900 << 20
"""What a process takes without images: PyTorch, the model, its training and batches; and some cache of the system."""


class Rate(NamedTuple):
    clock: float
    processor: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--limited", action="store_true")
    parser.add_argument("--gigabytes", type=float, default=10 * NEEDED / 1e9)
    parser.add_argument("--folder", type=Path, help="where to make the files; on a disk, not in memory")
    parser.add_argument("--train", metavar="FILE", help=argparse.SUPPRESS)
    parser.add_argument("--memory", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.train:
        print(json.dumps(trained(Path(arguments.train), arguments.memory, arguments.seconds)))
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        if arguments.limited:
            limited(Path(name), int(arguments.gigabytes * 1e9) // IMAGE_BYTES, arguments.rounds, arguments.seconds)
        else:
            in_turn(Path(name), arguments.images, arguments.rounds, arguments.seconds)


def in_turn(folder: Path, images: int, rounds: int, seconds: float) -> None:
    for data in (make_array(folder / "x.npy", images), make_photos(folder / "photos", images)):
        memory = images * IMAGE_BYTES // 10
        trainings = {"memory": start(data, None), "files": start(data, memory)}
        rates: dict[str, list[Rate]] = {name: [] for name in trainings}
        for _ in range(rounds):
            for name, training in trainings.items():
                forget(data)
                rates[name].append(rate(training, seconds))
        print(f"{data.name}: {images:,} images of 64x64x3, {images * IMAGE_BYTES / 1e6:,.0f} MB as bytes")
        show(rates)
        for name, size in (("memory", None), ("files", memory)):
            peak = run_child(data, size, min(seconds, 1.0), None)["peak"]
            print(f"  peak memory from {name:6} {peak / 1e6:7,.0f} MB")


def limited(folder: Path, images: int, rounds: int, seconds: float) -> None:
    data = make_array(folder / "x.npy", images)
    size, limit = images * IMAGE_BYTES, images * IMAGE_BYTES // 10
    rates: dict[str, list[Rate]] = {"memory": [], "files": []}
    peaks: dict[str, list[float]] = {"memory": [], "files": []}
    for _ in range(rounds):
        for name, bound in (("memory", None), ("files", limit)):
            forget(data)
            result = run_child(data, 4 * size if bound is None else None, seconds, bound)
            rates[name].append(Rate(result["clock"], result["processor"]))
            peaks[name].append(result["peak"])
    print(f"{data.name}: {size / 1e9:.1f} GB; a process without a limit, and one that may use {limit / 1e6:,.0f} MB")
    show(rates)
    for name, values in peaks.items():
        print(f"  peak memory from {name:6} {max(values) / 1e6:7,.0f} MB")


def show(rates: dict[str, list[Rate]]) -> None:
    for place, unit in enumerate(("images a second", "images a second of processor time")):
        columns = {name: [rate[place] for rate in of_name] for name, of_name in rates.items()}
        for name, values in columns.items():
            spread = f"median of {len(values)}; {min(values):,.0f} to {max(values):,.0f}"
            print(f"  from {name:6} {median(values):8,.0f} {unit} ({spread})")
        print(f"  ratio of medians {median(columns['files']) / median(columns['memory']):.3f} (the aim is 0.9)")


def start(data: Path, memory: int | None):
    import torch

    from caedsl.data.loading import load
    from caedsl.resolve.resolve import resolve
    from caedsl.source import Source
    from caedsl.syntax.parser import parse
    from caedsl.training.train import prepare_training

    kind = "folder" if data.is_dir() else "npy"
    source = Source(SPEC.format(data=f'{kind} "{data}"'))
    model, _ = resolve(parse(source)[0], source)
    images = load(model, memory=memory)
    if memory is not None and memory < 4 * len(images) * IMAGE_BYTES and images.train_pixels.at_hand:
        sys.exit("the images are held, and were not to be")
    training = prepare_training(model, model.train, images, torch.device("cpu"))
    rate(training, 0.5)
    return training


def rate(training, seconds: float) -> Rate:
    """Return the speed of the training loop, measured over some seconds and at least two batches."""
    from caedsl.training.loop import Callback

    end, before, begun = time.monotonic() + seconds, training.step, time.process_time()

    class Pause(Callback):
        def on_step(self, training, step) -> str | None:
            return "paused" if time.monotonic() > end and step.step >= before + 2 else None

    training.callbacks, training.stop_reason = [Pause()], None
    with training.stepping():
        while training.stop_reason is None:
            training.reads_losses = True
            training.run_epoch()
    images = training.settings.batch * (training.step - before)
    return Rate(training.history.epochs[-1].images_per_second, images / (time.process_time() - begun))


def trained(data: Path, memory: int | None, seconds: float) -> dict[str, float]:
    result = rate(start(data, memory), seconds)
    return {**result._asdict(), "peak": peak_memory()}


def peak_memory() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def run_child(data: Path, memory: int | None, seconds: float, limit: int | None) -> dict[str, float]:
    command = [sys.executable, __file__, "--train", str(data), "--seconds", str(seconds)]
    command += [] if memory is None else ["--memory", str(memory)]
    with held_to(limit) as enter:
        ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, preexec_fn=enter)
    return json.loads(ran.stdout)


@contextmanager
def held_to(limit: int | None) -> Iterator:
    """Return the function that limits a new process to this many bytes of memory."""
    if limit is None:
        yield None
        return
    group = make_group(limit)
    if group is None:
        import resource

        print(f"  no control group can be made: RLIMIT_DATA of {limit / 1e6:,.0f} MB")
        yield lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        return
    try:
        yield lambda: (group / "cgroup.procs").write_text(str(os.getpid()))
    finally:
        group.rmdir()


def make_group(limit: int) -> Path | None:
    """Return a control group below that of this process, of either version."""
    for line in Path("/proc/self/cgroup").read_text().splitlines() if os.path.exists("/proc/self/cgroup") else ():
        _, controllers, name = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        root = Path("/sys/fs/cgroup") / controllers
        group = root / name.strip("/") / f"caedsl-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            (group / ("memory.limit_in_bytes" if controllers else "memory.max")).write_text(str(limit))
            return group
        except OSError:
            group.rmdir()
    return None


def make_array(path: Path, images: int) -> Path:
    import numpy as np

    array = np.lib.format.open_memmap(path, "w+", np.uint8, (images, 64, 64, 3))
    block = np.stack([np.asarray(picture(seed, 64)) for seed in range(256)])
    for first in range(0, images, len(block)):
        array[first : first + len(block)] = block[: images - first]
    array.flush()
    return path


def make_photos(folder: Path, images: int) -> Path:
    folder.mkdir()
    for number in range(images):
        picture(number, 96).save(folder / f"{number:06}.jpg", quality=90)
    return folder


def picture(seed: int, side: int):
    """Return smooth colours with some grain, as in photographs."""
    import numpy as np
    from PIL import Image

    draw = np.random.default_rng(seed)
    colours = Image.fromarray(draw.integers(0, 256, (5, 5, 3), dtype=np.uint8)).resize((side, side), Image.BICUBIC)
    grain = draw.integers(-6, 7, (side, side, 3))
    return Image.fromarray(np.clip(np.asarray(colours) + grain, 0, 255).astype(np.uint8))


def forget(data: Path) -> None:
    """Make the system drop the files from its cache, if it supports this."""
    if not hasattr(os, "posix_fadvise"):
        return
    for path in data.iterdir() if data.is_dir() else [data]:
        handle = os.open(path, os.O_RDONLY)
        os.fsync(handle)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


if __name__ == "__main__":
    main()
