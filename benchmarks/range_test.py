"""Compare the choice of ``lr=auto`` with a sweep of fixed rates, over the same few steps.

    python benchmarks/range_test.py [CASE …] [--seeds 2] [--steps 300]

Each case is a shipped spec with an optimizer. For each seed, the rate is determined as in ``caedsl train``; then the
spec is trained with it and with each rate of a sweep, three per decade, from the same seed. The script prints the rate,
the steps that the search took, and the validation loss at that rate as a multiple of the sweep's minimum; then the
sweep, whose best rate should be at neither end. CAEDSL_DATA names the folder that holds MNIST and Fashion-MNIST.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from caedsl.data.errors import DataError
from caedsl.data.images import Images
from caedsl.data.loading import load
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Train
from caedsl.resolve.merging.overrides import override
from caedsl.resolve.resolve import resolve
from caedsl.source import Source
from caedsl.syntax.formatter import format_source
from caedsl.syntax.parser import parse
from caedsl.training.errors import NotFiniteError
from caedsl.training.loop import Training
from caedsl.training.reporter import Reporter
from caedsl.training.search.auto import find_numbers
from caedsl.training.train import prepare_training

SPECS = Path(__file__).resolve().parents[1] / "specs"
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Case:
    """A shipped spec, its changed settings, and the range of fixed rates as exponents of ten."""

    spec: str
    changes: dict[str, str]
    low: float
    high: float

    def rates(self) -> list[float]:
        return [10 ** (self.low + place / 3) for place in range(round(3 * (self.high - self.low)) + 1)]


MNIST = {"data": "mnist limit=8k", "train.batch": "32"}
ZEROS = {"data": "mnist only=0", "train.batch": "50"}
CASES = {
    "digits-sgd": Case("digits", {"train.optimizer": "sgd momentum=0.9"}, -1, 1),
    "digits-adamw": Case("digits", {}, -8 / 3, -2 / 3),
    "mirror-adam": Case("mnist_mirror", MNIST, -10 / 3, -5 / 3),
    "blog-rmsprop": Case("keras_blog", {**MNIST, "train.optimizer": "rmsprop"}, -11 / 3, -2),
    "blog-adam": Case("keras_blog", MNIST, -3, -4 / 3),
    "svdd-adam": Case("deep_svdd", ZEROS, -3, -4 / 3),
    "svdd-sgd": Case("deep_svdd", {**ZEROS, "train.optimizer": "sgd momentum=0.9"}, -14 / 3, -8 / 3),
    "keras_io-adam": Case("keras_io", MNIST, -3, -4 / 3),
    "fashion-adamw": Case("fashion", {"data": "fashion_mnist limit=8k", "train.batch": "32"}, -8 / 3, -1),
    "l2-adam": Case("mnist_l2", {"data": "mnist limit=4k", "train.batch": "32"}, -10 / 3, -2),
    "mirror-128": Case("mnist_mirror", {"data": "mnist limit=20k"}, -10 / 3, -5 / 3),
    "fashion-128": Case("fashion", {"data": "fashion_mnist limit=20k"}, -8 / 3, -1),
}


class Steps(Reporter):
    """Counter of the steps that a search has taken."""

    def __init__(self) -> None:
        self.taken = 0

    def loading(self, what: str, done: int, total: int, unit: str) -> None:
        self.taken += done < total


def main() -> None:
    arguments = _arguments()
    worst = 0.0
    print(f"{'case':<15}{'seed':>5}{'best':>9}{'picked':>9}{'steps':>7}{'loss':>10}{'ratio':>7}  of the sweep's least")
    for name in arguments.cases or CASES:
        case = CASES[name]
        try:
            images = load(_model(case, 0)[0])
        except DataError as error:
            sys.exit(str(error))
        for seed in range(arguments.seeds):
            worst = max(worst, _show(name, case, seed, images, arguments.steps))
    print(f"\nat worst {worst:.2f} times the loss of the best fixed rate")


def _show(name: str, case: Case, seed: int, images: Images, steps: int) -> float:
    """Print the line of a case and a seed; the ratio of the losses is returned."""
    sweep = {rate: _trained(*_model(case, seed), images, rate, steps) for rate in case.rates()}
    best = min(sweep, key=lambda rate: sweep[rate])
    picked, taken = _found(*_model(case, seed, {"train.optimizer.lr": "auto"}), images)
    loss = _trained(*_model(case, seed), images, picked, steps)
    ratio = loss / sweep[best]
    print(f"{name:<15}{seed:>5}{best:>9.2g}{picked:>9.2g}{taken:>7}{loss:>10.4g}{ratio:>7.2f}", end="  ")
    print(", ".join(f"{rate:.1e}: {other / sweep[best]:.2f}" for rate, other in sweep.items()), flush=True)
    return ratio


def _model(case: Case, seed: int, more: dict[str, str] | None = None) -> tuple[Autoencoder, Train, str]:
    path = SPECS / f"{case.spec}.cae"
    written = override(
        Source(path.read_text("utf-8"), str(path)), {**case.changes, **(more or {}), "train.seed": str(seed)}
    )
    text, _ = format_source(written)
    source = Source(text or "")
    model, _ = resolve(parse(source)[0], source)
    if model is None or model.train is None:
        sys.exit(f"{path} has errors: see `caedsl check`")
    return model, model.train, source.text


def _found(model: Autoencoder, settings: Train, text: str, images: Images) -> tuple[float, int]:
    """Return the rate that a search comes to, and the steps it took."""

    def prepared(with_settings: Train) -> Training:
        return prepare_training(model, with_settings, images, CPU)

    counted = Steps()
    found = find_numbers(model, text, prepared, len(images), counted)
    return float(found.settings.optimizer.lr), counted.taken


def _trained(model: Autoencoder, settings: Train, text: str, images: Images, rate: float, steps: int) -> float:
    """Return the validation loss after about this many steps, in whole epochs that the schedule spans.

    The loss is infinite if training fails.
    """
    at_rate = replace(settings, optimizer=replace(settings.optimizer, lr=rate))
    an_epoch = prepare_training(model, at_rate, images, CPU).steps_per_epoch
    epochs = max(1, round(steps / an_epoch))
    schedule = settings.schedule
    if schedule.at is not None:
        schedule = replace(schedule, at=max(1, round(schedule.at * epochs / settings.epochs)))
    training = prepare_training(model, replace(at_rate, schedule=schedule, epochs=epochs), images, CPU)
    try:
        last = training.run().epochs[-1].validation
    except NotFiniteError:
        return math.inf
    return math.inf if last is None else last


def _arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"all by default: {', '.join(CASES)}")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=300)
    arguments = parser.parse_args(given)
    for name in arguments.cases:
        if name not in CASES:
            parser.error(f"there is no case {name}: they are {', '.join(CASES)}")
    return arguments


if __name__ == "__main__":
    main()
