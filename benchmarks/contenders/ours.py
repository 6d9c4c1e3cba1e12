"""caedsl itself: the whole of `caedsl train`, run folder and checkpoints included."""

import tempfile
from dataclasses import replace

from benchmarks.contenders.gate import Gate
from benchmarks.contenders.task import Task
from caedsl.runs.history import Epoch
from caedsl.training.reporter import Reporter
from caedsl.training.train import train as train_spec


class _Turns(Reporter):
    """Callback that follows the beginning and the end of an epoch."""

    def __init__(self, gate: Gate, epochs: int) -> None:
        self.gate, self.epochs = gate, epochs

    def start(self, name: str, epochs: int, where: str) -> None:
        self.gate.begin()

    def epoch(self, row: Epoch) -> None:
        self.gate.end(row.loss)
        if row.epoch < self.epochs:
            self.gate.begin()


def train(task: Task, gate: Gate, precision: str) -> None:
    assert task.model.train is not None
    model = replace(task.model, train=replace(task.model.train, precision=precision))
    with tempfile.TemporaryDirectory() as folder:
        turns = _Turns(gate, task.epochs)
        train_spec(model, spec_text=model.source.text, device=task.device, out=folder, reporter=turns)
