"""Measure the gain of ``threads auto`` over PyTorch's default, on a quiet machine and with busy processes.

    python benchmarks/threads.py [SPEC] [--images 3840] [--epochs 20] [--rounds 3] [--busy 0 1 2]

Each measurement is a run in its own process. Both ways take turns in every round, so that other work on the machine
affects both, and medians over the rounds are compared. PyTorch's default is as many threads as there are cores, which
spin while they wait; ``threads auto`` chooses the number and the wait policy as ``caedsl train`` does. The rate is that
of the epochs; the seconds of the search are printed next to it.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from caedsl.machine.cores import SET_BY_USER, choose_wait_policy  # noqa: E402

WAYS = ("default", "auto")
SECONDS_TO_SETTLE = 1.0


class Run(NamedTuple):
    """Rate of a run in images a second, the seconds of its search, its threads and its wait policy."""

    rate: float
    search: float
    threads: int
    policy: str


def main() -> None:
    arguments = _arguments()
    if arguments.way:
        print(json.dumps(measured(arguments.way, arguments.spec, arguments.images, arguments.epochs)))
        return
    print(f"{'busy':>4} {'default':>10} {'auto':>10} {'ratio':>6}   images/s; threads, wait policy and search of auto")
    for busy in arguments.busy:
        runs: dict[str, list[Run]] = {way: [] for way in WAYS}
        with busy_processes(busy):
            for number in range(arguments.rounds):
                for way in WAYS if number % 2 == 0 else reversed(WAYS):
                    runs[way].append(in_process(way, arguments))
        print(line(busy, runs["default"], runs["auto"]), flush=True)


def line(busy: int, default: Sequence[Run], auto: Sequence[Run]) -> str:
    """Return the row of the table for this many busy processes."""
    before, now = (median(run.rate for run in runs) for runs in (default, auto))
    chosen = sorted({f"{run.threads} {run.policy}" for run in auto})
    search = median(run.search for run in auto)
    return f"{busy:4} {before:10,.0f} {now:10,.0f} {now / before:6.2f}   {', '.join(chosen)}, {search:.2f} s"


@contextmanager
def busy_processes(count: int) -> Iterator[None]:
    """Keep this many processes of equal priority busy."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        time.sleep(SECONDS_TO_SETTLE)
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def in_process(way: str, arguments: argparse.Namespace) -> Run:
    """Return what a run in a fresh process came to."""
    command = [sys.executable, __file__, arguments.spec, "--way", way]
    sizes = ["--images", str(arguments.images), "--epochs", str(arguments.epochs)]
    environment = {name: value for name, value in os.environ.items() if name not in (*SET_BY_USER, "OMP_NUM_THREADS")}
    done = subprocess.run([*command, *sizes], env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return Run(*json.loads(done.stdout))


def measured(way: str, spec: str, images: int, epochs: int) -> Run:
    """Train in this process, with PyTorch's default threads or with ``threads auto``."""
    if way == "auto":
        choose_wait_policy()
    import torch

    from benchmarks.contenders.task import Task
    from caedsl.training.reporter import Reporter
    from caedsl.training.search.threads import choose_threads
    from caedsl.training.train import load_images, prepare_training

    model = Task(spec, images, epochs).model
    assert model.train is not None
    training = prepare_training(model, model.train, load_images(model, None, Reporter()), torch.device("cpu"))
    begun = time.perf_counter()
    if way == "auto":
        choose_threads(training, Reporter())
    search = time.perf_counter() - begun
    training.run()
    rates = [epoch.images_per_second for epoch in training.history.epochs[1:]]
    threads = torch.get_num_threads() if training.threads is None else training.threads
    return Run(median(rates), search, threads, os.environ.get("OMP_WAIT_POLICY", "spinning").lower())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec", nargs="?", default=str(ROOT / "specs" / "mnist_l2.cae"))
    parser.add_argument("--images", type=int, default=3840, help="largest number of images per epoch")
    parser.add_argument("--epochs", type=int, default=20, help="epochs per run; all but the first are timed")
    parser.add_argument("--rounds", type=int, default=3, help="runs per way and number of busy processes")
    parser.add_argument("--busy", type=int, nargs="+", default=[0, 1, 2], help="numbers of busy processes")
    parser.add_argument("--way", choices=WAYS, help="measure one run in this process, and print it as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
