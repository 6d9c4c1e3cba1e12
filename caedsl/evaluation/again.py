"""A run judged once more, from its folder alone."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caedsl.evaluation.evaluate import Evaluation
from caedsl.evaluation.run import evaluation_of, finite
from caedsl.runs.errors import RunError
from caedsl.runs.files import METRICS
from caedsl.runs.folder import RunFolder
from caedsl.training.device import choose_device
from caedsl.training.environment import differences
from caedsl.training.kept_run import open_run
from caedsl.training.reporter import Reporter
from caedsl.training.train import environment_of, finished, prepare_training


@dataclass(frozen=True)
class Again:
    """A new evaluation, and how it differs from what ``metrics.json`` says: ``differences`` is empty where all agrees."""

    evaluation: Evaluation
    differences: tuple[str, ...]


def evaluate_again(
    path: str | Path, *, device: str = "auto", data_dir: str | Path | None = None, reporter: Reporter | None = None
) -> Again:
    """Judge the best weights of the run in the folder ``path`` again, and hold the result against its ``metrics.json``.

    ``device`` is by default the one that the run was on, ``data_dir`` where data sets lie. Nothing is written. Errors
    are those of ``caedsl.training.train.train``.
    """
    reporter = reporter or Reporter()
    kept = open_run(Path(path), data_dir)
    before = _metrics(kept.path)
    images = kept.images(data_dir, reporter)
    chosen = choose_device(kept.environment["device"] if device == "auto" else device)
    training = prepare_training(kept.model, kept.settings, images, chosen)
    kept.load_weights(training.module)
    evaluation = evaluation_of(finished(training, RunFolder(kept.path), kept.model, images))
    differing = tuple(_differing(before, finite(evaluation.as_json())))
    changed = differences(kept.environment, environment_of(training, kept.model, images, None))
    if differing and changed:
        reporter.note(f"the run was made elsewhere: {'; '.join(changed)}")
    return Again(evaluation, differing)


def _metrics(path: Path) -> dict[str, Any]:
    try:
        content = json.loads((path / METRICS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(f"{path} has no {METRICS}: its run did not come to its end; see `caedsl runs`") from None
    except (OSError, ValueError) as error:
        raise RunError(f"{path / METRICS} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise RunError(f"{path / METRICS} cannot be read: it holds no JSON object")
    return content


def _differing(before: dict[str, Any], now: dict[str, Any], place: str = "") -> list[str]:
    lines: list[str] = []
    for key, value in now.items():
        name, old = f"{place}{key}", before.get(key)
        if isinstance(value, dict):
            lines += _differing(old if isinstance(old, dict) else {}, value, f"{name}.")
        elif old != value:
            lines.append(f"{name}: {old} then, {value} now")
    return lines
