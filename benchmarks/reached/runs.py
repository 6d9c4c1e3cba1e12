"""Runs of shipped specs, each trained once: finished runs are read again, interrupted ones are resumed."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

import caedsl
from caedsl.console.progress import make_reporter
from caedsl.data.images import Images
from caedsl.data.loading import load
from caedsl.evaluation.evaluate import EvaluationSet
from caedsl.evaluation.evaluated_run import resume_and_evaluate
from caedsl.runs.file_names import HISTORY_LINES, METRICS, SPEC, STATE
from caedsl.runs.state import FINISHED
from caedsl.syntax.formatter import format_source
from caedsl.training.batches import Batches
from caedsl.training.stored_run import StoredRun, open_run

SPECS = Path(__file__).resolve().parents[2] / "specs"


@dataclass(frozen=True)
class Reached:
    """A finished run, read from its folder."""

    kept: StoredRun
    metrics: dict[str, Any]
    last_epoch: dict[str, Any]

    def score(self, predictor: str, metric: str) -> float:
        """Return a metric of the test images, of ``model`` or a baseline."""
        value: float = self.metrics["scores"][predictor][metric]
        return value

    @property
    def validation(self) -> float:
        """Return the lowest validation loss of all epochs."""
        value: float = self.metrics["training"]["best_validation_loss"]
        return value

    def evaluation_set(self, test: Tensor) -> EvaluationSet:
        """Return ``test`` with the corruption that the model's evaluation saw."""
        settings = self.kept.settings
        return EvaluationSet(
            Batches(test), settings.batch, self.kept.model.input.range, settings.corrupt, settings.seed
        )


@dataclass(frozen=True)
class Runs:
    """Folder of the runs; ``whole`` trains each spec unchanged, ``epochs`` for that many epochs."""

    folder: Path
    epochs: int | None = None
    whole: bool = False

    def of(
        self,
        spec: str,
        label: str = "",
        quick: Mapping[str, object] = {},
        always: Mapping[str, object] = {},
        weights: Path | None = None,
    ) -> Reached:
        """Return the run of a shipped spec with the settings ``always``, and unless ``whole`` those of ``quick`` too.

        ``weights`` is the run to start from instead of fresh weights.
        """
        settings = {**always, **({} if self.whole else quick)}
        if self.epochs is not None:
            settings["train.epochs"] = self.epochs
        path = self.folder / "-".join(filter(None, (spec, label, _length(settings))))
        if not path.exists():
            print(f"training {path.name}", flush=True)
            caedsl.train(SPECS / f"{spec}.cae", out=str(path), settings=settings, weights=weights)
        elif (path / SPEC).read_text("utf-8") != _text(SPECS / f"{spec}.cae", settings):
            sys.exit(f"{path} holds a run of another spec: remove it, or choose another folder with --runs")
        elif _state(path) != FINISHED:
            print(f"going on with {path.name}", flush=True)
            resume_and_evaluate(path, reporter=make_reporter(quiet=True))
        if _state(path) != FINISHED:
            sys.exit(f"interrupted: the same command resumes {path}")
        return _read(path)


def _length(settings: Mapping[str, object]) -> str:
    return f"{settings['train.epochs']}epochs" if "train.epochs" in settings else "whole"


def _text(spec: Path, settings: Mapping[str, object]) -> str:
    text, _ = format_source(caedsl.load(spec, settings).source)
    return text or ""


def _state(path: Path) -> str:
    state: str = json.loads((path / STATE).read_text("utf-8"))["state"]
    return state


def _read(path: Path) -> Reached:
    metrics = json.loads((path / METRICS).read_text("utf-8"))
    *_, last = (path / HISTORY_LINES).read_text("utf-8").splitlines()
    return Reached(open_run(path), metrics, json.loads(last))


def images(source: str) -> Images:
    """Return the images of ``mnist`` or ``fashion_mnist``; a ``DataError`` where they cannot be had."""
    text = f"autoencoder a; input 1x28x28; data {source}; encoder {{ conv 1 }}; bottleneck; decoder mirror"
    return load(caedsl.load(text))


def test_images(images: Images) -> tuple[Tensor, Tensor]:
    """The test images and their labels."""
    assert images.test is not None and images.test_labels is not None
    return images.test, images.test_labels
