"""The runs below a folder, read from what they wrote; nothing here needs torch."""

import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from caedsl.runs.files import ENVIRONMENT, HISTORY_LINES, LOCK, METRICS, STATE, TROUBLE
from caedsl.runs.history import Epoch, History
from caedsl.runs.state import CRASHED, RUNNING


@dataclass(frozen=True)
class RunRecord:
    """One run as a list shows it.

    ``state`` is ``running``, ``finished``, ``interrupted``, ``stopped`` (by a monitor), ``failed`` (``error`` says why) or ``crashed``: ended
    without a word, as by a power cut or kill -9. ``best_loss`` is the validation loss of ``best_epoch``, or its training
    loss where nothing is held out (``validated`` is False then); both are None before the first epoch is over.
    ``psnr`` is that of ``metrics.json`` in dB, which unlike losses can be compared between runs with different ones; None
    before it is written. ``seconds`` is the time spent on training, ``trouble`` names the monitors
    that spoke.
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


def list_runs(base: Path) -> list[RunRecord]:
    """The runs in ``base`` and in the folders right below it, in the order of their start."""
    folders = [base, *sorted(path for path in base.iterdir() if path.is_dir())]
    records = [record for folder in folders if (record := read_run(folder)) is not None]
    return sorted(records, key=lambda record: record.started)


def read_run(folder: Path) -> RunRecord | None:
    """The run in ``folder``, None where there is none."""
    state, environment = _object(folder / STATE), _object(folder / ENVIRONMENT)
    if state is None or environment is None:
        return None
    history = History(_epochs(folder))
    best = history.best
    try:
        record = RunRecord(
            folder=str(folder),
            model=state["model"],
            data=environment["data"]["name"],
            state=CRASHED if state["state"] == RUNNING and not _is_held(folder) else state["state"],
            epoch=history.epochs[-1].epoch if history.epochs else 0,
            epochs=state["epochs"],
            best_epoch=best.epoch if best else None,
            best_loss=best.score if best else None,
            validated=best is not None and best.validation is not None,
            psnr=_psnr(folder, best),
            seconds=history.epochs[-1].seconds if history.epochs else 0.0,
            started=state["started"],
            error=state["error"],
            trouble=_monitors(folder),
        )
    except (KeyError, TypeError):
        return None
    texts = record.model, record.data, record.state, record.started
    return record if all(isinstance(text, str) for text in texts) and isinstance(record.epochs, int) else None


def _psnr(folder: Path, best: Epoch | None) -> float | None:
    """What ``metrics.json`` says, where that is of the best epoch: a run that goes on has that of its earlier end."""
    metrics = _object(folder / METRICS) or {}
    try:
        psnr, judged = metrics["scores"]["model"]["psnr"], metrics["training"]["best_epoch"]
    except (KeyError, TypeError):
        return None
    return psnr if isinstance(psnr, float) and best is not None and judged == best.epoch else None


def _object(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _epochs(folder: Path) -> list[Epoch]:
    """The epochs that were written whole; the last line of a run that crashed, or writes now, may not be."""
    epochs = []
    for line in _lines(folder / HISTORY_LINES):
        try:
            epoch = Epoch(**json.loads(line))
        except (ValueError, TypeError, RecursionError):
            break
        if not all(isinstance(value, (int, float)) for value in astuple(replace(epoch, validation=epoch.score))):
            break
        epochs.append(epoch)
    return epochs


def _monitors(folder: Path) -> tuple[str, ...]:
    """The monitors that spoke, each once, in the order in which they did."""
    names: dict[str, None] = {}
    for line in _lines(folder / TROUBLE):
        try:
            names[json.loads(line)["monitor"]] = None
        except (ValueError, TypeError, KeyError):
            break
    return tuple(names)


def _lines(path: Path) -> Sequence[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []


def _is_held(folder: Path) -> bool:
    """Whether a process trains in the folder: the system takes its lock away when it ends, in whatever way."""
    if not (folder / LOCK).exists():
        return False
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except (Timeout, OSError):
        return True
    lock.release()
    return False
