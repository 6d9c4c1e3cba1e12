"""Records of a run folder that are too large to be parsed in little memory are refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from caedsl.evaluation.schema import read_evaluation
from caedsl.inference.schema import CALIBRATION, read_calibration
from caedsl.runs.confined import LARGEST_RECORD
from caedsl.runs.errors import RunError
from caedsl.runs.files import ENVIRONMENT, METRICS, STATE
from caedsl.runs.schema import read_environment, read_metrics, read_scores, read_state


@pytest.mark.parametrize(
    ("read", "name"),
    [
        (read_state, STATE),
        (read_environment, ENVIRONMENT),
        (read_metrics, METRICS),
        (read_scores, METRICS),
        (read_evaluation, METRICS),
        (read_calibration, CALIBRATION),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_record_is_small(read: Callable[[Path], object], name: str, tmp_path: Path) -> None:
    """Its values may take 30 times their text."""
    (tmp_path / name).write_bytes(b'{"a":[' + b"1," * (LARGEST_RECORD // 2) + b"1]}")
    with pytest.raises((OSError, RunError), match=r"it has more than .* bytes, the limit"):
        read(tmp_path)
