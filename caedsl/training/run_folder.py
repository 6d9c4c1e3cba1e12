"""The folder of a run: what another person needs to use, judge or repeat it, as text, safetensors and PNG."""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from safetensors.torch import save
from torch import Tensor

from caedsl.training.errors import RunError
from caedsl.training.history import History

SPEC = "spec.cae"
SETTINGS = "settings.json"
ENVIRONMENT = "environment.json"
HISTORY = "history.csv"
BEST = "weights.safetensors"
LAST = "last.safetensors"
METRICS = "metrics.json"
PICTURE = "reconstructions.png"


class RunFolder:
    """A folder that belongs to one run; a file appears whole or not at all, and ``RunError`` is its one error."""

    def __init__(self, path: Path, made: bool) -> None:
        self.path = path
        self._made = made
        self._written: set[str] = set()

    @classmethod
    def create(cls, name: str, out: str | Path | None = None, base: Path = Path("runs")) -> Self:
        """``out``, which must be new or empty, or else a fresh ``runs/NAME-YYYYmmdd-HHMMSS``."""
        if out is not None:
            return cls._at(Path(out))
        stamped = f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
        suffix = 1
        while True:
            path = base / (stamped if suffix == 1 else f"{stamped}-{suffix}")
            try:
                path.mkdir(parents=True)
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
                    raise RunError(f"the run folder {path} is not empty: choose another one, or remove what is in it")
                return cls(path, made=False)
            path.mkdir(parents=True)
        except OSError as error:
            raise RunError(_refused("make the run folder", path, error)) from error
        return cls(path, made=True)

    def write_bytes(self, name: str, content: bytes) -> Path:
        """Write a file whole: beside its place first, then into it."""
        path = self.path / name
        beside = self.path / f".{name}.part"
        try:
            with beside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, path)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise RunError(_refused("write", path, error)) from error
        self._written.add(name)
        return path

    def write_text(self, name: str, text: str) -> Path:
        """Write a text as UTF-8."""
        return self.write_bytes(name, text.encode())

    def write_json(self, name: str, content: Mapping[str, Any]) -> Path:
        """Write an object as JSON that people can read."""
        return self.write_text(name, json.dumps(content, indent=2, ensure_ascii=False) + "\n")

    def write_weights(self, name: str, weights: Mapping[str, Tensor]) -> Path:
        """Write a state as safetensors, with the names of ``state_dict``."""
        return self.write_bytes(name, save(dict(weights), metadata={"format": "pt"}))

    def write_progress(self, history: History, best: Mapping[str, Tensor], last: Mapping[str, Tensor]) -> None:
        """Write what has been learned so far."""
        self.write_weights(BEST, best)
        self.write_weights(LAST, last)
        self.write_text(HISTORY, history.to_csv())

    def discard(self) -> None:
        """Take back what was written: for a run that ended before it learned anything."""
        for name in self._written:
            (self.path / name).unlink(missing_ok=True)
        if self._made and not any(self.path.iterdir()):
            self.path.rmdir()


def _refused(action: str, path: Path, error: OSError) -> str:
    reason = (error.strerror or str(error)).lower()
    return f"cannot {action} {path}: {reason}; choose a folder that can be written with --out"
