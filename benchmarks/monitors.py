"""The cost of monitors: the same spec trained with and without them, alternating in one process.

    python benchmarks/monitors.py [specs/mnist_mirror.cae] [--rounds 7] [--steps 100]

Each turn takes a number of steps, including everything that the loop does in between. The script prints the medians of
the step time over all turns but the first, and their ratio. The aim is less than 3 %.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

from caedsl.api import load as load_model
from caedsl.data.images import Images
from caedsl.data.loading import load as load_images
from caedsl.model.autoencoder import Autoencoder
from caedsl.runs.history import Step
from caedsl.training.device import choose_device
from caedsl.training.loop import Callback, Training
from caedsl.training.monitors.engine.places import Places
from caedsl.training.monitors.engine.watch import Watch
from caedsl.training.train import prepare_training

AIM = 1.03


class Pause(Callback):
    """Callback that stops after a number of steps."""

    steps = 0

    def on_step(self, training: Training, step: Step) -> str | None:
        """Return "paused" at the step."""
        return "paused" if step.step >= self.steps else None


class Turns:
    """A training run that continues for some steps whenever it is its turn."""

    def __init__(self, model: Autoencoder, images: Images, device: str, watched: bool) -> None:
        assert model.train is not None
        settings = replace(model.train, validation=0.0)
        self.training = prepare_training(model, settings, images, choose_device(device))
        watch = Watch(Places.of(model, model.source.text, ""), lambda trouble, shown: None)
        self.pause = Pause()
        self.training.callbacks = [*([watch] if watched else []), self.pause]
        if watched:
            watch.on_start(self.training)
        self.seconds: list[float] = []

    def take(self, steps: int) -> None:
        first = self.training.step
        self.pause.steps = first + steps
        begun = time.perf_counter()
        self.training.stop_reason = None
        with self.training.stepping():
            while self.training.stop_reason is None:
                self.training.run_epoch()
        self.seconds.append((time.perf_counter() - begun) / (self.training.step - first))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec", nargs="?", type=Path, default=Path("specs/mnist_mirror.cae"))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    model = load_model(arguments.spec)
    images = load_images(model, None)
    unwatched, watched = (Turns(model, images, arguments.device, watched) for watched in (False, True))
    for _ in range(arguments.rounds + 1):
        unwatched.take(arguments.steps)
        watched.take(arguments.steps)
    without, with_monitors = (median(turns.seconds[1:]) for turns in (unwatched, watched))
    print(f"{model.name} on {unwatched.training.train.device}, {unwatched.training.precision.name}")
    print(f"unwatched {1000 * without:8.2f} ms a step")
    print(f"watched   {1000 * with_monitors:8.2f} ms a step")
    print(f"ratio     {with_monitors / without:8.3f} (the aim is {AIM} at most)")


if __name__ == "__main__":
    main()
