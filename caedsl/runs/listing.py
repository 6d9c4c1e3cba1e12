"""List the runs below a folder, read from their files. Nothing here needs torch."""

import shlex
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from caedsl.diagnostics.text import text_of_path
from caedsl.runs.confined import has, is_link_or_special
from caedsl.runs.errors import RunError
from caedsl.runs.file_names import BEST, LOCK, METRICS, SPEC
from caedsl.runs.history import Epoch, best_and_last
from caedsl.runs.schema import (
    ListedMetrics,
    RecordError,
    read_environment,
    read_epochs,
    read_listed_metrics,
    read_monitors,
    read_state,
)
from caedsl.runs.state import CRASHED, FINISHED, RUNNING

DEPTH = 2
"""Levels of folders that are searched for runs: ``train --seeds`` writes DIR/NAME/seed-0."""


@dataclass(frozen=True)
class ListedRun:
    """One run as a row of a list.

    ``state`` is ``running``, ``finished``, ``interrupted``, ``stopped`` (by a monitor), ``failed`` (``error`` says why)
    or ``crashed`` (ended without recording why, as after a power cut or kill -9). ``best_loss`` is the loss of
    ``best_epoch``: its validation loss, or its training loss if nothing is held out (``validated`` is then False). Both
    are None until the first epoch has ended. ``psnr`` is the value in ``metrics.json`` in dB, or None before that file
    is written; unlike losses it can be compared between runs with different loss functions. ``seconds`` is the time
    spent on training, ``trouble`` names the monitors that found something. ``code`` is the size of the code, or None
    before ``metrics.json`` is written. ``overrides`` are the settings changed on the command line, as written there.
    """

    folder: str
    model: str
    data: str
    state: str
    epoch: int
    epochs: int
    best_epoch: int | None
    best_loss: float | None
    validated: bool
    psnr: float | None
    seconds: float
    started: str
    error: str | None
    trouble: tuple[str, ...]
    code: int | None
    seed: int
    overrides: tuple[str, ...]


def list_runs(base: Path) -> list[ListedRun]:
    """Return the runs of ``run_folders``, ordered by start time."""
    records = [record for folder in run_folders(base) if (record := read_run(folder)) is not None]
    return sorted(records, key=lambda record: record.started)


def run_folders(base: Path, depth: int = DEPTH) -> Iterator[Path]:
    """Yield the run folders among ``base``, its subfolders and theirs. Raise ``OSError`` if it cannot be listed."""
    if has(base, SPEC):
        yield base
    elif depth:
        for folder in sorted(path for path in base.iterdir() if path.is_dir()):
            with suppress(OSError):
                yield from run_folders(folder, depth - 1)


def not_a_run(folder: Path, problem: str) -> RunError:
    """Return the error for a folder that is not a run; if runs are in it, as of ``train --seeds``, it names one."""
    remedy = "name the folder of a trained run (`caedsl runs` lists them)"
    if has(folder, SPEC) and has(folder, BEST):
        remedy = f"only its model is here, for samples that you name; for its data or its training, {remedy}"
    with suppress(OSError):
        if not has(folder, SPEC) and (run := next(run_folders(folder, 1), None)):
            remedy = f"name a run in it, such as {run}"
    return RunError(f"{folder} {problem}: {remedy}")


def read_run(folder: Path) -> ListedRun | None:
    """Return the run in ``folder``, or None if there is none that this version can read."""
    try:
        state, environment = read_state(folder), read_environment(folder)
    except (OSError, RecordError):
        return None
    best, last = best_and_last(read_epochs(folder))
    metrics = _metrics(folder)
    stands: str = state.state
    error = state.error
    if stands == RUNNING and not _is_held(folder):
        stands = CRASHED
    elif stands == FINISHED and not has(folder, METRICS) and not _is_held(folder):
        stands, error = CRASHED, "it ended before its evaluation: `caedsl train --resume` evaluates it"
    return ListedRun(
        folder=text_of_path(folder),
        model=state.model,
        data=environment.data.name,
        state=stands,
        epoch=last.epoch if last else 0,
        epochs=state.epochs,
        best_epoch=best.epoch if best else None,
        best_loss=best.selection_loss if best else None,
        validated=best is not None and best.validation is not None,
        psnr=_psnr(metrics, best),
        seconds=last.seconds if last else 0.0,
        started=state.started,
        error=error,
        trouble=read_monitors(folder),
        code=metrics.code_size if metrics is not None else None,
        seed=environment.seed,
        overrides=_overrides(environment.command),
    )


def _metrics(folder: Path) -> ListedMetrics | None:
    try:
        return read_listed_metrics(folder)
    except (OSError, RecordError):
        return None


def _psnr(metrics: ListedMetrics | None, best: Epoch | None) -> float | None:
    """Return the PSNR of the best epoch; None if ``metrics.json`` is from before the run was resumed."""
    if metrics is None or best is None or metrics.training.best_epoch != best.epoch:
        return None
    return metrics.scores.model.psnr


def _overrides(command: str) -> tuple[str, ...]:
    """Return the settings that ``--set``, ``--epochs``, ``--seed`` and ``--on-trouble`` changed."""
    try:
        words = shlex.split(command)
    except ValueError:
        return ()
    found = []
    for word, following in zip(words, [*words[1:], ""], strict=True):
        name, equals, value = word.partition("=")
        value = value if equals else following
        if name == "--set":
            found.append(value)
        elif name in ("--epochs", "--seed", "--on-trouble"):
            found.append(f"{name.removeprefix('--')}={value}")
    return tuple(found)


def _is_held(folder: Path) -> bool:
    """Return whether a process is training in the folder. The system releases the lock whenever that process ends."""
    if not has(folder, LOCK) or is_link_or_special(folder / LOCK):
        return False
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except (Timeout, OSError):
        return True
    lock.release()
    return False
