"""Follow a run in Weights & Biases, and stop it once it is good enough (`pip install wandb`)."""

from dataclasses import asdict

import wandb

import caedsl


class WeightsAndBiases(caedsl.Callback):
    def on_start(self, training):
        self.run = wandb.init(project="caedsl", name=training.folder.path.name, config=asdict(training.settings))

    def on_step(self, training, step):
        self.run.log({**step.terms, "samples/s": step.images_per_second}, step=step.step)

    def on_epoch(self, training):
        row = training.history.epochs[-1]
        self.run.log({"validation": row.validation, "epoch": row.epoch}, step=row.step)
        return "good enough" if row.validation is not None and row.validation < 0.01 else None

    def on_end(self, training):
        self.run.finish(exit_code=1 if training.failure else 0)


caedsl.train("specs/digits.cae", settings={"train.epochs": 3}, callbacks=[WeightsAndBiases()])
