"""The Lightning callback, in a real trainer."""

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from tests.training.any_loop.test_watch import digits, net

pytestmark = pytest.mark.filterwarnings("ignore")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    lightning = pytest.importorskip(
        "lightning.pytorch", reason="the callback needs an extra: pip install '.[lightning]'"
    )
    from caedsl.lightning import Watch


class Autoencoder(lightning.LightningModule):  # type: ignore[misc]
    def __init__(self, rate: float, activation: type[nn.Module] = nn.ReLU) -> None:
        super().__init__()
        self.net, self.rate = net(activation=activation), rate

    def forward(self, x: Tensor) -> Any:
        return self.net(x)

    def training_step(self, batch: Any, number: int) -> Any:
        (x,) = batch
        return nn.functional.mse_loss(self(x), x)

    def validation_step(self, batch: Any, number: int) -> None:
        (x,) = batch
        self.log("val_loss", nn.functional.mse_loss(self(x), x))

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), self.rate)


def fitted(module: Autoencoder, watch: Watch, epochs: int, folder: Path) -> None:
    torch.manual_seed(0)
    images = TensorDataset(digits())
    trainer = lightning.Trainer(
        max_epochs=epochs,
        callbacks=[watch],
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
    )
    trainer.fit(module, DataLoader(images, 64, shuffle=True), DataLoader(images, 512))


def test_a_loop_that_learns_nothing_is_reported(tmp_path: Path) -> None:
    said: list[str] = []
    watch = Watch(say=said.append)
    fitted(Autoencoder(0.01, nn.Sigmoid), watch, 20, tmp_path)
    names = {trouble.monitor for trouble in watch.troubles}
    assert "constant-output" in names
    assert any(line.startswith("  net.") for line in said)
    assert watch._watch is not None and watch._watch._epochs[-1].validation is not None


def test_a_few_healthy_steps_say_nothing(tmp_path: Path) -> None:
    watch = Watch()
    fitted(Autoencoder(0.5), watch, 2, tmp_path)
    assert watch.troubles == ()


def test_batches_without_samples_are_one_clear_error() -> None:
    module = Autoencoder(0.5)
    trainer = type("Trainer", (), {"is_global_zero": True, "optimizers": [module.configure_optimizers()]})()
    for batch in ({"x": digits()}, (), [[1.0]], None):
        with pytest.raises(ValueError, match=f"a batch is a {type(batch).__name__}, but `Watch` needs a tensor"):
            Watch().on_train_batch_end(trainer, module, {"loss": torch.zeros(())}, batch, 0)
