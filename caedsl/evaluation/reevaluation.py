"""Evaluate a run again from its folder."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caedsl.data.images import Images
from caedsl.diagnostics.json import finite
from caedsl.diagnostics.text import one_line
from caedsl.evaluation.evaluate import MEAN, Evaluation
from caedsl.evaluation.evaluated_run import evaluation_of
from caedsl.evaluation.schema import unfinished
from caedsl.runs.errors import RunError
from caedsl.runs.file_names import METRICS
from caedsl.runs.run_folder import RunFolder
from caedsl.runs.schema import RecordError, read_metrics
from caedsl.training.device import choose_device
from caedsl.training.environment import differences, environment_of
from caedsl.training.loop import Training
from caedsl.training.reporter import Reporter
from caedsl.training.run import Run, finished
from caedsl.training.search.threads import resume_threads
from caedsl.training.stored_run import StoredRun, open_run
from caedsl.training.train import prepare_training

TOLERANCE = 1.01e-5
"""Largest relative difference of numbers that agree: one unit in the last of six digits."""
LONGEST_SHOWN = 80
"""Largest number of characters of a value in a message."""


@dataclass(frozen=True)
class Reevaluation:
    """New evaluation, and its ``differences`` from ``metrics.json``; empty if they agree."""

    evaluation: Evaluation
    differences: tuple[str, ...]


def evaluate_again(
    path: str | Path,
    *,
    device: str = "auto",
    data_dir: str | Path | None = None,
    data_root: str | Path | None = None,
    reporter: Reporter | None = None,
    baselines: bool = True,
) -> Reevaluation:
    """Evaluate the best weights of the run in the folder ``path`` again, and compare with its ``metrics.json``.

    ``device`` is by default the device of the run, ``data_dir`` the folder of datasets, ``data_root`` a folder that no
    path of the run may leave. ``baselines`` are included if the run has them. Nothing is written. Errors are those of
    ``caedsl.training.train.train``.
    """
    reporter = reporter or Reporter()
    before = _metrics(Path(path))
    stored, run, images, training = _opened(Path(path), device, data_dir, data_root, reporter)
    scores = before.get("scores")
    there = not isinstance(scores, dict) or MEAN in scores
    evaluation = evaluation_of(run, baselines and there)
    compared = finite(evaluation.as_json())
    if there and not baselines:
        del compared["notes"]  # most are about the baselines
    differing = tuple(_differing(before, compared))
    changed = differences(stored.environment.model_dump(), environment_of(training, stored.model, images, None))
    if differing and changed:
        reporter.note(f"the run was made on another machine: {'; '.join(changed)}")
    return Reevaluation(evaluation, differing)


def finished_run(
    path: Path,
    device: str = "auto",
    data_dir: Path | None = None,
    reporter: Reporter | None = None,
    data_root: Path | None = None,
) -> tuple[Run, Images]:
    """Return the run in the folder ``path`` with its best weights, as after training, and its images."""
    _, run, images, _ = _opened(path, device, data_dir, data_root, reporter or Reporter())
    return run, images


def _opened(
    path: Path, device: str, data_dir: str | Path | None, data_root: str | Path | None, reporter: Reporter
) -> tuple[StoredRun, Run, Images, Training]:
    stored = open_run(path, data_dir)
    images = stored.images(data_dir, reporter, data_root)
    chosen = choose_device(stored.environment.device if device == "auto" else device)
    training = prepare_training(stored.model, stored.settings, images, chosen, split_seed=stored.split_seed)
    for note in resume_threads(training, stored.environment.device, stored.environment.threads):
        reporter.note(note)
    stored.check_split(training.validation)
    stored.load_weights(training.module)
    return stored, finished(training, RunFolder(stored.path), stored.model, images), images, training


def _metrics(path: Path) -> dict[str, Any]:
    try:
        return read_metrics(path)
    except FileNotFoundError:
        raise unfinished(path) from None
    except OSError as error:
        raise RunError(f"{path / METRICS} cannot be read: {error.strerror or error}") from error
    except RecordError as error:
        raise RunError(
            f"{path / METRICS} cannot be read: {error}; `caedsl train --resume {path}` writes it again"
        ) from error


def _differing(before: dict[str, Any], now: dict[str, Any], place: str = "") -> list[str]:
    lines: list[str] = []
    for key, value in now.items():
        name, old = f"{place}{key}", before.get(key)
        if isinstance(value, dict):
            lines += _differing(old if isinstance(old, dict) else {}, value, f"{name}.")
        elif not _agree(old, value):
            lines.append(f"{name}: {_shown(old)} then, {_shown(value)} now")
    return lines


def _agree(old: Any, now: Any) -> bool:
    if isinstance(old, float) and isinstance(now, float):
        return math.isclose(old, now, rel_tol=TOLERANCE)
    return bool(old == now)


def _shown(value: Any) -> str:
    text = one_line(str(value) if isinstance(value, (str, int, float, type(None))) else type(value).__name__)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
