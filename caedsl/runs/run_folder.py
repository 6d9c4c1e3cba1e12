"""The folder of a run: everything needed to use, evaluate or repeat it, as text, safetensors and PNG files."""

import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from errno import EDQUOT, ENOSPC
from pathlib import Path
from typing import Any, Self

from filelock import FileLock, Timeout
from safetensors.torch import save
from torch import Tensor

from caedsl.runs.confined import (
    append_file,
    has,
    has_folder,
    holds,
    is_link_or_special,
    make_folder,
    names_in,
    remove_file,
    rename_file,
    write_file,
)
from caedsl.runs.errors import RunError
from caedsl.runs.file_names import (
    ANOMALIES,
    ANOMALY_SCORES,
    BEST,
    HISTORY,
    HISTORY_LINES,
    LAST,
    LOCK,
    STATE,
    SWEEP,
    TROUBLE,
)
from caedsl.runs.history import Epoch, History, csv_line, json_line
from caedsl.runs.state import RunState
from caedsl.runs.trouble import Trouble


class RunFolder:
    """Folder of one run.

    Whole files are written atomically. Methods that fail to write raise ``RunError``.
    """

    def __init__(self, path: Path, made: bool = False) -> None:
        self.path = path
        self._made = made
        self._written: set[str] = set()
        self._subfolders: list[Path] = []
        self._lock = FileLock(path / LOCK, timeout=0)

    @classmethod
    def create(cls, name: str, out: str | Path | None = None, base: Path = Path("runs")) -> Self:
        """Create the folder ``out``, which must be new or empty; by default a new ``runs/NAME-YYYYmmdd-HHMMSS``."""
        if out is not None:
            return cls._at(Path(out))
        stamped = f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
        suffix = 1
        try:
            base.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(_refused("make the run folder in", base, error)) from error
        while True:
            path = base / (stamped if suffix == 1 else f"{stamped}-{suffix}")
            try:
                path.mkdir()
                return cls(path, made=True)
            except FileExistsError:
                suffix += 1
            except OSError as error:
                raise RunError(_refused("make the run folder", path, error)) from error

    @classmethod
    def _at(cls, path: Path) -> Self:
        try:
            if path.is_dir():
                if any(path.iterdir()):
                    raise RunError(f"the run folder {path} is not empty: choose another one, or remove its files")
                return cls(path, made=False)
            path.mkdir(parents=True)
        except OSError as error:
            raise RunError(_refused("make the run folder", path, error)) from error
        return cls(path, made=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from training in this folder. The system releases the lock when the process ends."""
        try:
            if is_link_or_special(self.path / LOCK):
                raise RunError(f"{self.path / LOCK} is not a regular file, so it is not a lock of caedsl: remove it")
            self._lock.acquire()
        except Timeout as error:
            raise RunError(f"another process is training in {self.path}: wait for it, or end it first") from error
        except OSError as error:
            raise RunError(_refused("lock", self.path, error)) from error
        try:
            yield
        finally:
            with suppress(OSError):
                remove_file(self.path, LOCK)
            self._lock.release()

    def subfolder(self, name: str) -> Path:
        """Return the path of a subfolder, and create it if it does not exist."""
        path = self.path / name
        try:
            if make_folder(self.path, name):
                self._subfolders.append(path)
        except OSError as error:
            raise RunError(_refused("make the folder", path, error)) from error
        return path

    def has_subfolder(self, name: str) -> bool:
        """Return whether the subfolder exists; a link to a folder does not count."""
        return has_folder(self.path, name)

    def names_in(self, name: str) -> list[str]:
        """Return the names in a subfolder; an empty list if it does not exist."""
        return names_in(self.path, name)

    def remove(self, name: str) -> None:
        """Remove a file if it exists."""
        try:
            remove_file(self.path, name)
        except OSError as error:
            raise RunError(_refused("remove", self.path / name, error)) from error

    def rename(self, old: str, new: str) -> None:
        """Rename a file, replacing any file that already has the new name."""
        try:
            rename_file(self.path, old, new)
        except OSError as error:
            raise RunError(_refused("write", self.path / new, error)) from error

    def write_bytes(self, name: str, content: bytes) -> Path:
        """Write a file atomically: to a temporary file first, which then replaces the old one."""
        path = self.path / name
        try:
            write_file(self.path, name, content)
        except OSError as error:
            raise RunError(_refused("write", path, error)) from error
        self._written.add(name)
        return path

    def write_text(self, name: str, text: str) -> Path:
        """Write text as UTF-8."""
        return self.write_bytes(name, text.encode())

    def write_json(self, name: str, content: Mapping[str, Any]) -> Path:
        """Write an object as indented JSON."""
        return self.write_text(name, json.dumps(content, indent=2, ensure_ascii=False) + "\n")

    def write_weights(self, name: str, weights: Mapping[str, Tensor]) -> Path:
        """Write a state dict as safetensors, under the names of ``state_dict``."""
        return self.write_bytes(name, save(dict(weights), metadata={"format": "pt"}))

    def write_state(self, state: RunState) -> None:
        """Write the state of the run."""
        self.write_json(STATE, asdict(state))

    def write_learned(self, best: Mapping[str, Tensor], last: Mapping[str, Tensor]) -> None:
        """Write the weights of the best and of the last epoch.

        Results of ``caedsl evaluate`` for other weights are removed; the new weights need a new evaluation.
        """
        weights = save(dict(best), metadata={"format": "pt"})
        if has(self.path, BEST) and not holds(self.path, BEST, weights):
            for name in (ANOMALIES, ANOMALY_SCORES, SWEEP):
                self.remove(name)
        self.write_bytes(BEST, weights)
        self.write_weights(LAST, last)

    def write_history(self, history: History) -> None:
        """Write all epochs so far, as CSV and as JSON lines."""
        self.write_text(HISTORY, history.to_csv())
        self.write_text(HISTORY_LINES, history.to_json_lines())

    def append_epoch(self, row: Epoch) -> None:
        """Append an epoch to the files of ``write_history``; a crash may leave the line incomplete."""
        self._append(HISTORY, csv_line(row))
        self._append(HISTORY_LINES, json_line(row))

    def write_troubles(self, troubles: Sequence[Trouble]) -> None:
        """Write the findings of the monitors so far; without findings no file is created."""
        if troubles or has(self.path, TROUBLE):
            self.write_text(TROUBLE, "".join(trouble.to_json_line() for trouble in troubles))

    def append_trouble(self, trouble: Trouble) -> None:
        """Append a finding of a monitor."""
        self._append(TROUBLE, trouble.to_json_line())

    def _append(self, name: str, line: str) -> None:
        try:
            append_file(self.path, name, line.encode())
        except OSError as error:
            raise RunError(_refused("write", self.path / name, error)) from error
        self._written.add(name)

    def discard(self) -> None:
        """Remove everything that was written, after a run that ended before it learned anything."""
        with suppress(OSError):
            for name in self._written:
                remove_file(self.path, name)
            for path in self._subfolders:
                shutil.rmtree(path, ignore_errors=True)
            if self._made and self.path.is_dir() and not any(self.path.iterdir()):
                self.path.rmdir()


def _refused(action: str, path: Path, error: OSError) -> str:
    reason = (error.strerror or str(error)).lower()
    if error.errno in (ENOSPC, EDQUOT):
        return (
            f"cannot {action} {path}: {reason}; make room on this disk, or choose a folder on another disk with --out"
        )
    return f"cannot {action} {path}: {reason}; choose a writable folder with --out"
