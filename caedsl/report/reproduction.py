"""Commands that repeat a run and its evaluations in a new folder."""

import os
from pathlib import Path
from shlex import join, quote

from caedsl.evaluation.labelled_test import FROM_INPUT, OWN_TEST
from caedsl.evaluation.schema import AnomaliesRecord, SweepRecord
from caedsl.inference.calibration import Calibration
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.data import DataSource
from caedsl.runs.file_names import SPEC, START
from caedsl.runs.schema import EnvironmentRecord


def commands(
    path: Path,
    model: Autoencoder,
    environment: EnvironmentRecord,
    calibration: Calibration | None,
    anomalies: AnomaliesRecord | None,
    sweep: SweepRecord | None,
) -> list[str]:
    """Return the commands that repeat the run in the folder ``path``, for the current folder.

    They do not change that run. Paths in its spec are relative to the folder of the original spec, so the spec is
    copied there if it has such paths.
    """
    name = path.resolve().name
    new = quote(str(path.with_name(f"{name}-again") if path.name else Path("..", f"{name}-again")))
    spec, lines = path / SPEC, []
    if any(map(_has_relative_paths, model.data)):
        spec = Path(os.path.relpath(environment.data.spec_folder), f"{model.name}-again.cae")
        lines.append(join(["cp", str(path / SPEC), str(spec)]))
    start = f" --weights {quote(str(path / START))}" if (path / START).is_file() else ""
    data_dir = f" --data-dir {quote(environment.data.data_dir)}" if environment.data.data_dir else ""
    many = f"torchrun --nproc-per-node {environment.processes} --no-python " if environment.processes > 1 else ""
    spec_name = quote(str(spec))
    lines.append(f"{many}caedsl train {spec_name} --seed {environment.seed}{start}{data_dir} --out {new}")
    lines.append(f"caedsl evaluate {new}")
    if calibration is not None:
        good = "" if len(calibration.normals) == environment.data.validation else " GOOD"
        lines.append(f"caedsl calibrate {new}{good} --score {calibration.score} --fpr {100 * calibration.fpr:g}%")
    if anomalies is not None and anomalies.test != FROM_INPUT:
        test = "" if anomalies.test == OWN_TEST else f" --test {quote(anomalies.test)}"
        lines.append(f"caedsl evaluate {new}{test} --score {anomalies.score}")
    if sweep is not None:
        low, high = sweep.rows[0].amount, sweep.rows[-1].amount
        lines.append(f"caedsl evaluate {new} --sweep {sweep.corruption}={low:g}..{high:g}/{len(sweep.rows)}")
    return lines


def _has_relative_paths(source: DataSource) -> bool:
    """Return whether a source may name files relative to its spec; keys of an npz cannot be told from paths."""
    paths = (source.path, source.labels, source.weights, source.target, source.validation, source.test)
    targets = (source.validation_target, source.test_target)
    return any(path is not None and not Path(path).expanduser().is_absolute() for path in (*paths, *targets))
