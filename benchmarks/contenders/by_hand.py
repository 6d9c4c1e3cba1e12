"""The loop that a PyTorch user writes: a DataLoader over tensors.

In bf16, it also follows tuning guides: autocast, channels last, a fused optimizer. "kept" is the allocator setting
that caedsl uses too, "compiled" is ``torch.compile``.
"""

from contextlib import nullcontext

import torch
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.contenders.gate import Gate
from benchmarks.contenders.objective import loss_of
from benchmarks.contenders.task import Task
from caedsl.backends.torch.instantiate import build
from caedsl.training.device import keeping_freed_memory


def train(task: Task, gate: Gate, precision: str) -> None:
    tuned = "bf16" in precision
    device = torch.device(task.device)
    with keeping_freed_memory(device) if "kept" in precision else nullcontext():
        _train(task, gate, tuned, "compiled" in precision)


def _train(task: Task, gate: Gate, tuned: bool, compiled: bool) -> None:
    torch.manual_seed(0)
    module = build(task.model).to(task.device)
    if tuned:
        module = module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    objective = loss_of(task.model)
    optimizer = torch.optim.Adam(module.parameters(), lr=task.lr, fused=tuned or None)
    network = torch.compile(module, dynamic=False) if compiled else module
    loader = DataLoader(TensorDataset(task.pixels), batch_size=task.batch, shuffle=True)
    for _ in range(task.epochs):
        gate.begin()
        total = torch.zeros((), device=task.device)
        for (x_bchw,) in loader:
            x_bchw = x_bchw.to(task.device)
            if tuned:
                x_bchw = x_bchw.contiguous(memory_format=torch.channels_last)
            with torch.autocast(task.device, torch.bfloat16, enabled=tuned):
                prediction = network(x_bchw)
            loss = objective(module, prediction.float(), x_bchw)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(x_bchw)
        gate.end(total.item() / len(task.pixels))
