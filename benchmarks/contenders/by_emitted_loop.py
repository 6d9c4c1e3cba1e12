"""The loop that ``caedsl emit --training`` prints: plain PyTorch in 32 bits, for every spec that there is."""

from typing import Any

from benchmarks.contenders.gate import Gate
from benchmarks.contenders.task import Task
from caedsl.backends.torch.render import class_name, emit


def train(task: Task, gate: Gate, precision: str) -> None:
    emitted: dict[str, Any] = {"__name__": "emitted"}
    exec(compile(emit(task.model, training=True), "emitted.py", "exec"), emitted)
    module = emitted[class_name(task.model.name)]()
    given = (task.pixels,) if task.targets is None else (task.pixels, task.targets)
    for _ in range(task.epochs):
        gate.begin()
        emitted["train"](module, *given, epochs=1, device=task.device)
        gate.end(None)  # the loop prints its loss, and returns none
