import re
from math import ceil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caedsl.inference.calibration import MOST_NORMALS, Calibration, CalibrationError, calibrate, fewest_normals
from caedsl.inference.schema import read_calibration, write_calibration
from caedsl.runs.file_names import BEST


def test_the_threshold_is_the_conformal_quantile() -> None:
    scores = np.random.default_rng(0).permutation(np.arange(1.0, 201.0))
    calibration = calibrate(scores, 0.05, "mse")
    assert calibration.threshold == ceil(201 * 0.95) == 191
    assert calibration.normals == tuple(np.arange(1.0, 201.0))


def test_eighty_normals_cannot_promise_one_percent() -> None:
    with pytest.raises(
        CalibrationError, match=r"80 normal samples cannot support .* 1 %: it takes 99; .* 1\.3 % or more"
    ):
        calibrate(np.arange(80.0), 0.01, "mse")
    assert calibrate(np.arange(99.0), 0.01, "mse").threshold == 98.0


@given(st.sampled_from([0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 1 / 3, 0.5]))
def test_as_many_normals_as_are_asked_for_are_enough(fpr: float) -> None:
    n = fewest_normals(fpr)
    calibrate(np.arange(float(n)), fpr, "mse")
    with pytest.raises(CalibrationError):
        calibrate(np.arange(n - 1.0), fpr, "mse")


@pytest.mark.parametrize("n", [1, 2, 7, 80, 98, 99, 150, 999, 1234])
def test_the_rate_that_the_error_names_is_not_refused(n: int) -> None:
    with pytest.raises(CalibrationError, match="or ask for a rate") as refused:
        calibrate(np.arange(float(n)), 1e-6, "mse")
    named = re.search(r"rate of ([0-9.]+) % or more", str(refused.value))
    assert named is not None
    assert calibrate(np.arange(float(n)), float(named[1]) / 100, "mse").threshold == n - 1


def test_the_rate_holds_on_new_normals_and_the_interval_holds_the_rate() -> None:
    drawn = np.random.default_rng(1)
    rates, held = [], 0
    for _ in range(300):
        calibration = calibrate(drawn.gamma(2.0, size=150), 0.05, "mse")
        rate = float(calibration.is_anomaly(drawn.gamma(2.0, size=4000)).mean())
        rates.append(rate)
        held += calibration.low <= rate <= calibration.high
    assert np.mean(rates) <= 0.053
    assert 0.9 <= held / 300 <= 0.99


def test_percentiles_count_the_normals_below() -> None:
    calibration = calibrate([1.0, 2.0, 3.0, 4.0], 0.5, "mse")
    assert calibration.percentile(np.array([0.5, 1.0, 2.5, 9.0])).tolist() == [0.0, 0.0, 50.0, 100.0]


@pytest.mark.parametrize(("scores", "fpr"), [([1.0, float("nan")], 0.5), ([], 0.5), ([1.0], 0.0), ([1.0], 1.0)])
def test_what_cannot_be_calibrated_is_an_error(scores: list[float], fpr: float) -> None:
    with pytest.raises(CalibrationError):
        calibrate(scores, fpr, "mse")


def test_the_scores_of_the_most_normals_fit_in_a_record(tmp_path: Path) -> None:
    (tmp_path / BEST).write_bytes(b"")
    longest = -2.2250738585072014e-308
    calibration = Calibration("mse", 0.05, longest, 0.04, 0.06, (longest,) * MOST_NORMALS)
    write_calibration(tmp_path, calibration)
    assert read_calibration(tmp_path) == calibration
