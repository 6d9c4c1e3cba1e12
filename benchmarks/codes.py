"""The cost of a code with a loss: the article's third model with a plain, a variational or a quantized code.

    python benchmarks/codes.py [--rounds 7] [--steps 10] [--batch 128]

Both models of a pair take alternate steps in one process, on one thread. The script prints the medians of a step's
processor time, without the first step of each turn, and their ratio. Measurements of a code after each epoch are not
part of a step. The aim is less than 3 %.
"""

import argparse
import time
from pathlib import Path
from statistics import median

import torch

from caedsl.api import load
from caedsl.backends.torch.instantiate import build
from caedsl.backends.torch.lower import lower
from caedsl.runs.history import Step
from caedsl.training.loop import Callback, Training
from caedsl.training.prepare import prepare

SPEC = Path(__file__).parents[1] / "specs" / "mnist_l2.cae"
PAIRS = (("dense 64", "variational 64"), ("conv 16", "quantized 64x16"), ("conv 32", "quantized 512x32"))
AIM = 1.03


class Clock(Callback):
    """Callback that keeps the processor time of each step but a turn's first, and pauses after some steps."""

    def __init__(self) -> None:
        self.steps = 0
        self.seconds: list[float] = []
        self._last: float | None = None

    def begin(self, step: int, steps: int) -> None:
        """Begin a turn of the given number of steps, after ``step``."""
        self.steps, self._last = step + steps, None

    def on_step(self, training: Training, step: Step) -> str | None:
        """Return "paused" at the turn's last step."""
        now = time.process_time()
        if self._last is not None:
            self.seconds.append(now - self._last)
        self._last = now
        return "paused" if step.step >= self.steps else None


class Turns:
    """A training run of the model with one code, which continues for some steps whenever it is its turn."""

    def __init__(self, code: str, batch: int) -> None:
        text = SPEC.read_text("utf-8").replace("bottleneck 32x14x14", f"bottleneck {code}")
        text = text.replace("batch     128", f"batch {batch}; precision fp32; threads 1; validation 0%")
        model = load(text)
        assert model.train is not None and model.bottleneck.layers
        torch.manual_seed(0)
        images, program = torch.rand(16 * batch, *model.input.shape), lower(model)
        module = build(model)
        self.training = prepare(module, images, model.train, penalties=program.penalties, code=program.terms)
        self.clock = Clock()
        self.training.callbacks = [self.clock]

    def take(self, steps: int) -> None:
        """Take the given number of steps."""
        self.clock.begin(self.training.step, steps)
        self.training.stop_reason = None
        with self.training.stepping():
            while self.training.stop_reason is None:
                self.training.run_epoch()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--batch", type=int, default=128)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for plain, other in PAIRS:
        pair = [Turns(code, arguments.batch) for code in (plain, other)]
        for _ in range(arguments.rounds):
            for turns in pair:
                turns.take(arguments.steps)
        first, second = (median(turns.clock.seconds) for turns in pair)
        print(f"{plain:<17} {1000 * first:8.1f} ms a step")
        print(f"{other:<17} {1000 * second:8.1f} ms a step, ratio {second / first:.3f} (the aim is {AIM} at most)")


if __name__ == "__main__":
    main()
