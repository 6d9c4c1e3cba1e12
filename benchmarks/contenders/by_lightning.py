"""Lightning, as its documentation shows it: a LightningModule, a DataLoader, a Trainer without logger."""

import warnings
from typing import Any

import lightning
import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.contenders.gate import Gate
from benchmarks.contenders.objective import loss_of
from benchmarks.contenders.task import Task
from caedsl.backends.torch.instantiate import build


class _Model(lightning.LightningModule):
    def __init__(self, task: Task) -> None:
        super().__init__()
        self.net = build(task.model)
        self.lr = task.lr
        self.objective = loss_of(task.model)
        self.total = 0.0

    def training_step(self, batch: list[Tensor], number: int) -> Tensor:
        (x_bchw,) = batch
        loss = self.objective(self.net, self.net(x_bchw).float(), x_bchw)
        self.total += loss.item() * len(x_bchw)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.net.parameters(), lr=self.lr)


class _Turns(lightning.Callback):
    def __init__(self, gate: Gate, images: int) -> None:
        self.gate, self.images = gate, images

    def on_train_epoch_start(self, trainer: Any, module: Any) -> None:
        module.total = 0.0
        self.gate.begin()

    def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
        self.gate.end(module.total / self.images)


def train(task: Task, gate: Gate, precision: str) -> None:
    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    loader = DataLoader(TensorDataset(task.pixels), batch_size=task.batch, shuffle=True)
    trainer = lightning.Trainer(
        max_epochs=task.epochs,
        accelerator="gpu" if task.device == "cuda" else "cpu",
        precision=precision,  # type: ignore[arg-type]
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[_Turns(gate, len(task.pixels))],
    )
    trainer.fit(_Model(task), loader)
