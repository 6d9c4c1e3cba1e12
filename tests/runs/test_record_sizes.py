"""Records of a run folder that are too large to be parsed in little memory are refused."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from caedsl.evaluation.schema import MOST_SCORED_SAMPLES, read_evaluation, read_scored_samples
from caedsl.inference.schema import CALIBRATION, read_calibration
from caedsl.runs.confined import LARGEST_PARSED, LARGEST_RECORD
from caedsl.runs.errors import RunError
from caedsl.runs.file_names import ANOMALY_SCORES, ENVIRONMENT, HISTORY_LINES, METRICS, STATE
from caedsl.runs.history import Epoch
from caedsl.runs.schema import (
    LARGEST_LINE,
    read_environment,
    read_epochs,
    read_listed_metrics,
    read_metrics,
    read_state,
)


@pytest.mark.parametrize(
    ("read", "name"),
    [
        (read_state, STATE),
        (read_environment, ENVIRONMENT),
        (read_listed_metrics, METRICS),
        (read_metrics, METRICS),
        (read_evaluation, METRICS),
        (read_calibration, CALIBRATION),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_record_is_small(read: Callable[[Path], object], name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b'{"a":"' + b"1" * LARGEST_RECORD + b'"}')
    with pytest.raises((OSError, RunError), match=r"it has more than .* bytes, the limit"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("value", "size"),
    [(b"{},", 1000), (b"[],", 1000), (b"0,", 70), (b'"":0,', 370)],
    ids=["objects", "lists", "numbers", "keys"],
)
def test_a_short_record_has_few_values(value: bytes, size: int, tmp_path: Path) -> None:
    """They take more memory than their text."""
    start, end = (b"{", b'"":0}') if b":" in value else (b"[", b"0]")
    content = b'{"a":' + start + value * (LARGEST_PARSED // size + 1) + end + b"}"
    assert len(content) < LARGEST_RECORD
    (tmp_path / METRICS).write_bytes(content)
    with pytest.raises(OSError, match=r"it has values that take .* bytes once parsed, more than .*, the limit"):
        read_metrics(tmp_path)


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_scores_have_few_lines(end: bytes, tmp_path: Path) -> None:
    """Each line takes more memory than its text."""
    (tmp_path / ANOMALY_SCORES).write_bytes((b"a,b,0,0" + end) * (MOST_SCORED_SAMPLES + 2))
    with pytest.raises(RunError, match=r"it has more than 1,000,000 lines, the limit"):
        read_scored_samples(tmp_path)


def test_a_long_line_ends_a_history(tmp_path: Path) -> None:
    line = json.dumps(asdict(Epoch(1, 1, 0.5, 0.5, None, 0.01, 1.0, 1.0))) + "\n"
    (tmp_path / HISTORY_LINES).write_text(line + line.rstrip("\n") + " " * LARGEST_LINE + "\n" + line)
    assert len(list(read_epochs(tmp_path))) == 1
