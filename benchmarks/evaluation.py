"""The cost of evaluation: its processor time, relative to that of an epoch of the same spec.

    python benchmarks/evaluation.py [SPEC ...] [--rounds 3] [--steps 40] [--held-out 10000]

Some steps and an evaluation with baselines take turns on one thread. The time of the steps is scaled to an epoch. The
script prints the medians: the ratio for the model's own evaluation, for the fit of PCA, and for everything. The aim is
a ratio of less than a quarter. Specs whose data are missing are skipped. An untrained model takes the same time.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch

from caedsl.api import load as load_model
from caedsl.data.errors import DataError
from caedsl.data.loading import load as load_images
from caedsl.evaluation.baselines import fit_pca
from caedsl.evaluation.evaluate import EvaluationSet, evaluate, predictor_of
from caedsl.training.device import keeping_freed_memory
from caedsl.training.loop import Training
from caedsl.training.train import prepare_training
from caedsl.vocabulary.shape import elements

ROOT = Path(__file__).resolve().parents[1]
AIM = 0.25
CPU = torch.device("cpu")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("specs", nargs="*", type=Path, default=sorted((ROOT / "specs").glob("*.cae")))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=40, help="steps per turn, at most an epoch")
    parser.add_argument("--held-out", type=int, default=10_000, help="largest number of evaluated images")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(f"ratios to an epoch (the aim is {AIM} at most)")
    print(f"{'':<20}{'own':>8}{'PCA fit':>10}{'all':>8}{'epoch':>12}")
    for spec in arguments.specs:
        try:
            measure(spec, arguments.rounds, arguments.steps, arguments.held_out)
        except (AssertionError, DataError) as error:
            print(f"{spec.stem} is left out: {str(error).splitlines()[0][:100]}", file=sys.stderr)


def measure(spec: Path, rounds: int, steps: int, held_out: int) -> None:
    """Print the ratios of a spec."""
    model = load_model(spec)
    images = load_images(model, None)
    assert model.train is not None, "it has no train block"
    training = prepare_training(model, model.train, images, CPU)
    held = training.validation or training.train
    held = held.spread(held_out)
    eval_set = EvaluationSet(
        held, training.settings.images_at_once, training.input_range, training.settings.corrupt, seed=0
    )
    code, pixels = elements(model.code_shape), training.objective.pixels
    training.module.eval()
    predictor = predictor_of(training.module, held)

    def evaluated(baselines: bool) -> Callable[[], object]:
        return lambda: evaluate(predictor, eval_set, training.train, pixels, code, "", baselines)

    def fit() -> object:
        return fit_pca(training.train.of_targets(), code) if training.train.shape == training.train.target_shape else 0

    seconds: dict[str, list[float]] = {"epoch": [], "own": [], "fit": [], "all": []}
    with keeping_freed_memory(CPU):
        for _ in range(rounds):
            seconds["epoch"].append(timed(lambda: take_steps(training, steps)) * training.steps_per_epoch / steps)
            for name, work in (("own", evaluated(False)), ("fit", fit), ("all", evaluated(True))):
                seconds[name].append(timed(work))
    epoch, own, pca, everything = (median(values) for values in seconds.values())
    ratios = f"{own / epoch:>8.2f}{pca / epoch:>10.2f}{everything / epoch:>8.2f}"
    print(f"{model.name:<20}{ratios}{epoch:>10.1f} s", flush=True)


def take_steps(training: Training, steps: int) -> None:
    """Take a number of steps; an epoch that is shorter starts again."""
    training.module.train()
    training.network.train()
    with training.stepping():
        while steps:
            for clean in training.train.shuffled(training.settings.batch, seed=steps):
                training.take_step(clean)
                steps -= 1
                if not steps:
                    break
    training.module.eval()
    training.network.eval()


def timed(work: Callable[[], object]) -> float:
    """Return the processor time of ``work`` in seconds."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


if __name__ == "__main__":
    main()
