"""Follow a run in MLflow: its settings, the numbers of each epoch and the weights (`pip install mlflow`)."""

from dataclasses import asdict

import mlflow

import caedsl


class MLflow(caedsl.Callback):
    def on_start(self, training):
        mlflow.start_run(run_name=training.folder.path.name)
        mlflow.log_params({"optimizer": training.settings.optimizer.name, "batch": training.settings.batch})

    def on_epoch(self, training):
        row = training.history.epochs[-1]
        mlflow.log_metrics({name: value for name, value in asdict(row).items() if isinstance(value, float)}, row.epoch)

    def on_end(self, training):
        mlflow.end_run("FAILED" if training.failure else "FINISHED")


caedsl.train("specs/digits.cae", settings={"train.epochs": 3}, callbacks=[MLflow()])
