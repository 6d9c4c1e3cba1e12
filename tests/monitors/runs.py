"""Runs of small specs, and the reports of the monitors."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caedsl.runs.errors import TrainingError
from caedsl.training.reporter import Reporter
from caedsl.training.run import Run
from caedsl.training.train import train
from tests.training.tiny import model_of


class Listener(Reporter):
    """Reporter that keeps the reports of troubles."""

    def __init__(self) -> None:
        self.heard: list[Sequence[str]] = []

    def trouble(self, lines: Sequence[str]) -> None:
        self.heard.append(lines)


@dataclass
class Watched:
    """A run that is over: its record, what the terminal saw, and the error that ended it."""

    run: Run | None
    record: list[dict[str, Any]]
    heard: list[Sequence[str]]
    error: str

    @property
    def monitors(self) -> list[str]:
        return [trouble["monitor"] for trouble in self.record]


def watched(text: str, folder: Path) -> Watched:
    """Train the spec in ``folder``."""
    listener = Listener()
    run, error = None, ""
    try:
        run = train(model_of(text), spec_text=text, out=folder, reporter=listener)
    except TrainingError as raised:
        error = str(raised)
    return Watched(run, record(folder), listener.heard, error)


def record(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of ``trouble.jsonl``."""
    path = folder / "trouble.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def spec(train: str, encoder: str = "conv 4 relu; maxpool 2", code: str = "dense 8", decoder: str = "mirror") -> str:
    """Return a small autoencoder of digits."""
    ending = decoder if decoder == "mirror" else f"{{ {decoder} }}"
    return (
        "autoencoder small\ninput 1x8x8 in 0..1\ndata digits\n"
        f"encoder {{ {encoder} }}\nbottleneck {code}\ndecoder {ending}\ntrain {{ batch 64; precision fp32; {train} }}\n"
    )
