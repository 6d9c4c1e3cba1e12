"""Compare the speed of `encode` and `score` with a bare loop over the same batches, alternating in one process.

    python benchmarks/inference.py [SPEC] [--images 2000] [--rounds 9] [--batch 64] [--threads 1]

The weights are random. Each turn takes all images: a tensor, an array file, and a folder of PNG files. The bare loop
calls the module on the same batches, and computes the mean squared error for `score`; the files of the folder come from
a `torch.utils.data.DataLoader` with as many workers as there are cores. The script prints the medians
over the turns of images per second and of the ratios of neighbouring turns, by wall-clock and by processor time,
including workers. The aim is a ratio of at least 0.95.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

import caedsl
from caedsl.data.stacks.prefetch import workers
from caedsl.inference.trained_run import TrainedRun

AIM = 0.95


class Files(Dataset[Tensor]):
    """Image files, decoded one by one to values of 0..1."""

    def __init__(self, folder: Path, mode: str) -> None:
        self.paths = sorted(folder.iterdir())
        self.mode = mode

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, place: int) -> Tensor:
        pixels = np.asarray(Image.open(self.paths[place]).convert(self.mode))
        return torch.from_numpy(pixels.copy()).reshape(*pixels.shape[:2], -1).movedim(-1, 0).float() / 255


def main() -> None:
    arguments = _arguments()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as place:
        compare(Path(place), arguments)


def compare(place: Path, arguments: argparse.Namespace) -> None:
    """Print a line for each kind of data and each method."""
    run = _untrained(arguments.spec, place / "run", arguments.device)
    x, array, folder = _images(run, arguments.images, place)
    size = arguments.batch
    files = Files(folder, "L" if x.shape[1] == 1 else "RGB")

    def batches() -> Any:
        return x.split(size)

    def read() -> Any:
        pixels = np.load(array, mmap_mode="r")
        return (torch.from_numpy(pixels[start : start + size].copy()).float() / 255 for start in range(0, len(x), size))

    def decoded() -> Any:
        return DataLoader(files, batch_size=size, num_workers=workers())

    print(f"{run.model.name} on {run.device}, {len(x):,} images in batches of {size}")
    print(f"{'':<20}{'caedsl':>9}{'bare loop':>12}{'ratio':>8}{'processor':>12}   (the aim is {AIM})")
    for name, data, bare in (("tensor", x, batches), ("array file", array, read), ("folder", folder, decoded)):
        for method, of in {"encode": _encode, "score": _score}.items():
            turns = Turns(partial(getattr(run, method), data, batch=size), partial(_bare, of, run, bare))
            for _ in range(arguments.rounds + 1):
                turns.take()
            print(f"{method + ' ' + name:<20}{turns.told(len(x))}", flush=True)


class Turns:
    """Two ways to do the same, alternating, with the wall-clock and processor seconds of each turn."""

    def __init__(self, ours: Callable[[], object], theirs: Callable[[], object]) -> None:
        self.ways = (ours, theirs)
        self.taken: list[NDArray[np.float64]] = []

    def take(self) -> None:
        seconds = np.empty((2, 2))
        # Each goes first in every other round, so that other work on the machine affects both.
        for way in (0, 1) if len(self.taken) % 2 else (1, 0):
            begun = _clocks()
            self.ways[way]()
            seconds[way] = _clocks() - begun
        self.taken.append(seconds)

    def told(self, images: int) -> str:
        """Return both speeds and the ratios, medians over all rounds but the first."""
        seconds = np.stack(self.taken[1:])
        ours, theirs = images / np.median(seconds[:, :, 0], axis=0)
        clock, processor = np.median(seconds[:, 1] / seconds[:, 0], axis=0)
        return f"{ours:9,.0f}{theirs:12,.0f}{clock:8.3f}{processor:12.3f}"


def _clocks() -> NDArray[np.float64]:
    """Return the seconds of the clock, and those of the processor for this process and the workers that have ended."""
    workers = resource.getrusage(resource.RUSAGE_CHILDREN)
    return np.array([time.perf_counter(), time.process_time() + workers.ru_utime + workers.ru_stime])


def _bare(of: Callable[[TrainedRun, Any], Tensor], run: TrainedRun, batches: Callable[[], Any]) -> Tensor:
    return of(run, batches())


def _encode(run: TrainedRun, batches: Any) -> Tensor:
    with torch.no_grad():
        return torch.cat([run.module.encode(part.to(run.device)).cpu() for part in batches])


def _score(run: TrainedRun, batches: Any) -> Tensor:
    scores = []
    with torch.no_grad():
        for part in batches:
            x = part.to(run.device)
            scores.append((run.module(x) - x).square().flatten(1).mean(1).cpu())
    return torch.cat(scores)


def _untrained(spec: Path, folder: Path, device: str) -> TrainedRun:
    folder.mkdir()
    (folder / "spec.cae").write_text(spec.read_text("utf-8"), "utf-8")
    torch.manual_seed(0)
    save_file(caedsl.build(spec).state_dict(), folder / "weights.safetensors")
    return caedsl.open(folder, device)


def _images(run: TrainedRun, count: int, place: Path) -> tuple[Tensor, str, Path]:
    """Return the same random images as a tensor, an array file and a folder."""
    channels, *space = run.model.input.shape
    pixels = np.random.default_rng(0).integers(0, 256, (count, channels, *space), np.uint8)
    np.save(place / "images.npy", pixels)
    (place / "images").mkdir()
    for number, image in enumerate(pixels):
        shown = image[0] if channels == 1 else np.moveaxis(image, 0, -1)
        Image.fromarray(shown).save(place / "images" / f"{number:06}.png")
    return torch.from_numpy(pixels) / 255, str(place / "images.npy"), place / "images"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec", nargs="?", type=Path, default=Path("specs/mnist_mirror.cae"))
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, help="threads of PyTorch; its own choice by default")
    parser.add_argument("--device", default="auto")
    return parser.parse_args()


if __name__ == "__main__":
    main()
