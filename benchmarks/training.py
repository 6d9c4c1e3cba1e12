"""Compare caedsl's training speed with a loop written by hand, Lightning and Keras.

All contenders use the same model, data, batch and settings, in one run.

    python benchmarks/training.py [SPEC] [--images 3840] [--rounds 5] [--device cpu] [--only NAME ...] [--json FILE]
    python benchmarks/training.py --all [--images 3840] [--rounds 5] [--device cpu]

Each contender is a persistent process. They take turns of one epoch, so that other work on the machine affects all of
them, and medians over the rounds are compared. The peers are an extra, `pip install '.[peers]'`; those that are not
installed are skipped. The data are those of the spec: real MNIST if CAEDSL_DATA names a folder that holds it, else
scikit-learn's digits. With --all, every spec in specs/ is compared with the loop that caedsl emits for it, and the
geometric mean of the ratios is printed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import geometric_mean, median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.contenders import CONTENDERS, LOOP, OURS
from benchmarks.contenders.gate import MARK, READY
from benchmarks.contenders.task import Task
from caedsl.data.errors import DataError

ROOT = Path(__file__).resolve().parents[1]


@dataclass
class Result:
    """Result of a contender: seconds and loss of every epoch but the first, and peak memory in bytes."""

    name: str
    seconds: list[float] = field(default_factory=list)
    losses: list[float | None] = field(default_factory=list)
    memory: int = 0

    @property
    def last_loss(self) -> str:
        """Return the loss of the last epoch as printed, or ``-`` for a contender that returns none."""
        loss = self.losses[-1]
        return "-" if loss is None else f"{loss:.5f}"

    def rate(self, images: int) -> float:
        """Return the median over the epochs, in images a second."""
        return images / median(self.seconds)


def main() -> None:
    arguments = _arguments()
    if arguments.all:
        all_specs(arguments.images, arguments.rounds, arguments.device)
        return
    task = Task(arguments.spec, arguments.images, arguments.rounds + 1, arguments.device)
    names = arguments.only or list(CONTENDERS)
    results = race(names, task)
    print_table(results, task)
    for name in dict.fromkeys(result.name for result in results[:3]):
        print(f"{name}, the whole process with {task.epochs} epochs: {whole_process(name, task):.1f} s")
    if arguments.json:
        Path(arguments.json).write_text(json.dumps([asdict(result) for result in results], indent=1) + "\n", "utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec", nargs="?", default=str(ROOT / "specs" / "mnist_l2.cae"))
    parser.add_argument("--all", action="store_true", help="compare every spec with the loop that is emitted for it")
    parser.add_argument("--images", type=int, default=3840, help="largest number of images per epoch")
    parser.add_argument("--rounds", type=int, default=5, help="number of timed epochs, after one that is not timed")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="Keras uses what its backend finds")
    parser.add_argument("--only", nargs="+", choices=list(CONTENDERS), metavar="NAME", help=", ".join(CONTENDERS))
    parser.add_argument("--json", metavar="FILE", help="write every epoch to this file")
    return parser.parse_args()


def all_specs(images: int, rounds: int, device: str) -> None:
    """Train every spec against its emitted loop; print the rates, the ratios and their geometric mean."""
    ratios = []
    print(f"{'':<20}{'caedsl':>9}{LOOP:>14}{'ratio':>8}")
    for path in sorted((ROOT / "specs").glob("*.cae")):
        task = Task(str(path), images, rounds + 1, device)
        try:
            count = len(task.pixels)
        except (AssertionError, DataError) as error:
            print(f"{path.stem} is left out: {str(error).splitlines()[0][:100]}", file=sys.stderr)
            continue
        results = race([OURS, LOOP], task)
        if len(results) == 2:
            ours, loop = (result.rate(count) for result in results)
            ratios.append(ours / loop)
            print(f"{path.stem:<20}{ours:>9.0f}{loop:>14.0f}{f'{ratios[-1]:.2f}x':>8}", flush=True)
    print(f"geometric mean of {len(ratios)} specs: {geometric_mean(ratios):.2f}x")


def whole_process(name: str, task: Task) -> float:
    """Return the seconds from the start of a contender's process to its end: imports, data and searches included."""
    contender = Running(name, task)
    begun = time.perf_counter()
    contender.process.communicate("go\n" * task.epochs)
    return time.perf_counter() - begun


class Running:
    """The process of a contender, which waits for its turns."""

    def __init__(self, name: str, task: Task) -> None:
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.contenders", name, task.to_json()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env={**os.environ, **CONTENDERS[name].environment, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
            cwd=ROOT,
        )

    def wait_until_ready(self) -> None:
        """Wait until it could train its first epoch, or has ended."""
        assert self.process.stdout is not None
        while (line := self.process.stdout.readline()) and line.strip() != READY:
            pass

    def epoch(self) -> dict[str, float] | None:
        """Let it train an epoch, and return its report, or None if it has ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write("go\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return None
        for line in self.process.stdout:
            if line.startswith(MARK):
                said: dict[str, float] = json.loads(line.removeprefix(MARK))
                return said
        return None

    def end(self) -> str:
        """Wait for its end; return the last line of its standard error."""
        self.process.communicate()
        with self.errors as errors:
            errors.seek(0)
            return (errors.read().strip().splitlines() or ["it ended without a word"])[-1]


def race(names: Sequence[str], task: Task) -> list[Result]:
    """Start every contender, let each train an epoch in turn, and end them; failed ones are reported and skipped.

    They start one after another: caedsl chooses its threads by what the machine is doing at the start.
    """
    running = {}
    for name in names:
        running[name] = Running(name, task)
        running[name].wait_until_ready()
    results = {name: Result(name) for name in names}
    for epoch in range(task.epochs):
        for name, contender in list(running.items()):
            said = contender.epoch()
            if said is None:
                print(f"{name} is left out: {contender.end()}", file=sys.stderr)
                del running[name], results[name]
            elif epoch:
                results[name].seconds.append(said["seconds"])
                results[name].losses.append(said["loss"])
                results[name].memory = int(said["memory"])
        print(f"round {epoch} of {task.epochs - 1}", file=sys.stderr)
    for contender in running.values():
        contender.end()
    return list(results.values())


def print_table(results: list[Result], task: Task) -> None:
    """Print rates, ratios and losses, and how close the fastest is to the processor's matrix product."""
    from benchmarks.contenders.arithmetic import Bound
    from benchmarks.contenders.roofline import images_a_second

    first, images = next((result for result in results if result.name == OURS), results[0]), len(task.pixels)
    print(f"{task.name}: {images} images an epoch, batch {task.batch}; medians of {len(first.seconds)} epochs")
    print(f"{'':<24}{'images/s':>9}{'caedsl is':>11}{'last loss':>11}{'memory':>9}")
    for result in results:
        ratio = first.rate(images) / result.rate(images)
        print(
            f"{result.name:<24}{result.rate(images):>9.0f}{f'{ratio:.2f}x':>11}{result.last_loss:>11}"
            f"{result.memory / 1e6:>6.0f} MB"
        )
    for precision in ("bf16", "fp32"):
        bound = Bound.of(task.model, precision, task.device)
        share = first.rate(images) / bound.rate
        print(
            f"{bound.precision} matrix product: {bound.flops / 1e9:.0f} GFLOP/s, which would allow "
            f"{bound.rate:.0f} images/s on {bound.work / 1e6:.0f} MFLOP an image; {first.name} is at {share:.0%}"
        )
        allowed = images_a_second(task.model, task.batch, precision, task.device)
        print(
            f"{precision} products at the shapes of its layers, and the traffic of its memory: {allowed:.0f} images/s; "
            f"{first.name} is at {first.rate(images) / allowed:.0%}"
        )


if __name__ == "__main__":
    main()
