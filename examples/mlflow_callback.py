"""Follow a run in MLflow: its settings, the numbers of each epoch and its folder (`pip install mlflow`)."""

from dataclasses import asdict

import mlflow

import caedsl


class MLflow(caedsl.Callback):
    def on_start(self, training):
        mlflow.log_params({"optimizer": training.settings.optimizer.name, "batch": training.settings.batch})

    def on_epoch(self, training):
        row = training.history.epochs[-1]
        numbers = {**asdict(row), **row.terms, **row.code}
        mlflow.log_metrics({name: value for name, value in numbers.items() if isinstance(value, float)}, row.epoch)


with mlflow.start_run():
    done = caedsl.train("specs/digits.cae", settings={"train.epochs": 3}, callbacks=[MLflow()])
    mlflow.log_artifacts(str(done.run.folder.path))
