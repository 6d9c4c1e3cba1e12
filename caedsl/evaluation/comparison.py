"""Compare runs. Runs that differ only in the seed form a group, with the mean and deviation of its metrics."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, NamedTuple

from caedsl.data.files.folder_layout import VALIDATION
from caedsl.diagnostics.text import one_line, printable, text_of_path
from caedsl.evaluation.schema import MODEL, AnomaliesRecord, MetricsRecord, read_anomalies, read_evaluation
from caedsl.runs.confined import has, read_file, read_record
from caedsl.runs.errors import RunError
from caedsl.runs.file_names import SETTINGS, SPEC
from caedsl.runs.listing import run_folders
from caedsl.runs.schema import RecordError, read_environment, reason_of
from caedsl.source import Source
from caedsl.syntax.parser import parse
from caedsl.syntax.printer import print_head
from caedsl.syntax.reading import MAX_BYTES
from caedsl.syntax.tree import Statement

_LONGEST_VALUE = 28
"""Largest number of characters of a value in a column; longer ones are shown as A, B, … and explained below."""

_UNNAMED = frozenset({"options", "terms"})
"""Parts of settings that have no word of their own in a spec."""


@dataclass(frozen=True)
class ComparedRun:
    """Run in a comparison: its settings and its metrics, None for a metric that was not measured.

    ``samples`` identifies what the errors were measured on, ``labelled`` the samples of the anomaly detection.
    """

    folder: str
    seed: int
    settings: dict[str, str]
    samples: str
    labelled: str
    metrics: dict[str, float | None]


class Metric(NamedTuple):
    """Metric column of the comparison.

    ``best`` returns the best of several means, and ``labelled`` says whether it is measured on labelled samples.
    """

    name: str
    decimals: int
    best: Callable[[Sequence[float]], float]
    labelled: bool = False

    def samples(self, run: ComparedRun) -> str:
        """Return what identifies the samples that the metric of ``run`` was measured on."""
        return run.labelled if self.labelled else run.samples


METRICS = (
    Metric("MSE", 5, min),
    Metric("PSNR dB", 2, max),
    Metric("SSIM", 4, max),
    Metric("MSE / PCA's", 3, min),
    Metric("AUROC", 3, max, labelled=True),
    Metric("PRO", 3, max, labelled=True),
    Metric("found %", 1, max, labelled=True),
    Metric("rejected %", 1, min, labelled=True),
)


class GroupMean(NamedTuple):
    """Mean of a metric over a group, and its standard deviation if there are several runs."""

    mean: float
    deviation: float | None


@dataclass(frozen=True, eq=False)
class RunGroup:
    """Runs that differ only in the seed."""

    runs: tuple[ComparedRun, ...]

    @property
    def seeds(self) -> str:
        """Seeds in the notation of ``--seeds``: ``0..4`` or ``0,2``."""
        numbers = sorted(run.seed for run in self.runs)
        rising = numbers == list(range(numbers[0], numbers[-1] + 1)) and len(numbers) > 1
        return f"{numbers[0]}..{numbers[-1]}" if rising else ",".join(map(str, numbers))

    def measured(self, metric: Metric) -> GroupMean | None:
        """Return the mean of a metric, or None if a run does not have it."""
        values = [run.metrics[metric.name] for run in self.runs]
        numbers = [value for value in values if value is not None]
        if len(numbers) < len(values):
            return None
        return GroupMean(fmean(numbers), stdev(numbers) if len(numbers) > 1 else None)


@dataclass(frozen=True)
class Comparison:
    """Groups of runs, the ``settings`` in which they differ, and ``notes`` for a reader."""

    groups: tuple[RunGroup, ...]
    settings: tuple[str, ...]
    notes: tuple[str, ...]

    def metrics(self) -> list[Metric]:
        """Return the metrics that some group has."""
        return [metric for metric in METRICS if any(group.measured(metric) for group in self.groups)]

    def comparable(self, metric: Metric) -> bool:
        """Return whether all groups that have the metric were measured on the same samples."""
        measured = [group for group in self.groups if group.measured(metric) is not None]
        return len({metric.samples(run) for group in measured for run in group.runs}) < 2

    def best(self, metric: Metric) -> list[RunGroup]:
        """Return the groups with the best mean.

        The list is empty if fewer than two groups have the metric, or if they were measured on different samples.
        """
        means = {group: found.mean for group in self.groups if (found := group.measured(metric)) is not None}
        if len(means) < 2 or not self.comparable(metric):
            return []
        best = metric.best(list(means.values()))
        return [group for group, mean in means.items() if mean == best]

    def value(self, group: RunGroup, setting: str) -> str:
        """Return the value of a setting in a group, or its letter if values are too long."""
        value = group.runs[0].settings.get(setting, "")
        return self.letters(setting).get(value, value)

    def letters(self, setting: str) -> dict[str, str]:
        """Return a letter for each value of a setting if one of them is too long for a column, else nothing."""
        values = list(dict.fromkeys(group.runs[0].settings.get(setting, "") for group in self.groups))
        if all(len(value) <= _LONGEST_VALUE for value in values):
            return {}
        return {value: _letter(number) for number, value in enumerate(values)}


def _letter(number: int) -> str:
    return chr(ord("A") + number) if number < 26 else f"A{number}"


def compare(paths: Sequence[Path]) -> Comparison:
    """Compare the runs in these folders, see ``run_folders``. Raise ``RunError`` if a run is unusable."""
    notes: list[str] = []
    found: dict[Path, ComparedRun] = {}
    for path in paths:
        for folder, run in _runs(path, notes):
            found.setdefault(folder.resolve(), run)
    runs = _different(found.values(), notes)
    groups: dict[tuple[tuple[str, str], ...], list[ComparedRun]] = {}
    for run in runs:
        groups.setdefault(tuple(sorted(run.settings.items())), []).append(run)
    names = dict.fromkeys(name for run in runs for name in run.settings)
    differing = [name for name in names if len({run.settings.get(name) for run in runs}) > 1]
    compared = Comparison(tuple(RunGroup(tuple(group)) for group in groups.values()), tuple(differing), ())
    return replace(compared, notes=(*notes, *_on_different_samples(compared)))


def _different(runs: Iterable[ComparedRun], notes: list[str]) -> list[ComparedRun]:
    """Return the runs without copies, which say nothing about the deviation over seeds."""
    distinct: list[ComparedRun] = []
    for run in runs:
        same = next((other for other in distinct if replace(run, folder=other.folder) == other), None)
        if same is None:
            distinct.append(run)
        else:
            notes.append(one_line(f"skipped: {run.folder} has the seed, the settings and the results of {same.folder}"))
    return distinct


def _on_different_samples(comparison: Comparison) -> Iterator[str]:
    names = [metric.name for metric in comparison.metrics() if not comparison.comparable(metric)]
    if names:
        yield f"not comparable, because these runs were evaluated on different samples: {', '.join(names)}"


def _runs(path: Path, notes: list[str]) -> Iterator[tuple[Path, ComparedRun]]:
    if has(path, SPEC) or not path.is_dir():
        yield path, _read(path)
        return
    below = list(run_folders(path))
    if not below:
        raise RunError(f"{path} contains no runs: name run folders, or a folder of them (`caedsl runs` lists them)")
    for folder in below:
        try:
            yield folder, _read(folder)
        except RunError as error:
            notes.append(one_line(f"skipped: {error}"))


def _read(folder: Path) -> ComparedRun:
    if not folder.is_dir():
        raise RunError(f"there is no run folder {folder}: `caedsl runs` lists those below runs/")
    metrics, anomalies = read_evaluation(folder), read_anomalies(folder)
    try:
        environment = read_environment(folder)
        settings = _flat(json.loads(read_record(folder, SETTINGS)))
        spec = _statements(Source(read_file(folder, SPEC, MAX_BYTES).decode(), str(folder / SPEC)))
    except (OSError, RecordError, ValueError, RecursionError) as error:
        raise RunError(
            f"{folder} is incomplete ({one_line(reason_of(error))[:200]}): remove it from the list, or train it again"
        ) from error
    settings = {**spec, **{name: value for name, value in settings.items() if name != "seed"}}
    if anomalies is not None:
        settings["score"] = anomalies.score
    data, part = environment.data, metrics.evaluated_on
    # Samples held out of the training samples have no checksum of their own.
    samples = data.part_sha256.get(part) or f"{data.sha256} {data.split_sha256 if part == VALIDATION else None}"
    corruption = [value for name, value in settings.items() if name.startswith("corrupt.")]
    return ComparedRun(
        printable(text_of_path(folder)),
        environment.seed,
        {one_line(name): one_line(value) for name, value in settings.items()},
        f"{samples} {part} {metrics.images} {corruption}",
        f"{anomalies.test} {anomalies.normal_class} {anomalies.normals} {anomalies.anomalies}" if anomalies else "",
        _metrics(metrics, anomalies),
    )


def _statements(source: Source) -> dict[str, str]:
    """Return the text of each statement of a spec without comments and line breaks; `train` is left to the settings."""
    texts: dict[str, str] = {}
    tree, _ = parse(source)
    for statement in tree.statements:
        name = statement.head.text
        if name != "train":
            words = _text(statement).removeprefix(name).strip()
            texts[name] = f"{texts[name]}; {words}" if name in texts else words
    return texts


def _text(statement: Statement) -> str:
    block = "" if statement.block is None else f" {{ {'; '.join(map(_text, statement.block))} }}"
    return f"{print_head(statement)}{block}"


def _flat(value: Any, name: str = "") -> dict[str, str]:
    """Return the leaves of nested settings by path, named as in a spec: ``optimizer.lr``, ``corrupt.gaussian``."""
    if isinstance(value, dict):
        parts = [
            _flat(item, name if key in _UNNAMED else f"{name}.{key}" if name else str(key))
            for key, item in value.items()
        ]
        return {key: text for part in parts for key, text in part.items()}
    if isinstance(value, list):
        return {name: ", ".join(" ".join(_flat(item).values()) for item in value)}
    return {name: "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)}


def _metrics(metrics: MetricsRecord, anomalies: AnomaliesRecord | None) -> dict[str, float | None]:
    model, pca = metrics.scores.get(MODEL), metrics.scores.get(f"PCA-{metrics.code_size}")
    figures: dict[str, float | None] = dict.fromkeys(metric.name for metric in METRICS)
    if model is not None:
        figures |= {"MSE": model.mse, "PSNR dB": model.psnr, "SSIM": model.ssim}
        if model.mse is not None and pca is not None and pca.mse:
            figures["MSE / PCA's"] = model.mse / pca.mse
    detector = anomalies.detectors.get(MODEL) if anomalies is not None else None
    if anomalies is not None and detector is not None:
        figures |= {"AUROC": detector.auroc.value, "PRO": detector.pro}
        if detector.found is not None and detector.rejected is not None:
            figures["found %"] = 100 * detector.found / max(1, anomalies.anomalies)
            figures["rejected %"] = 100 * detector.rejected / max(1, anomalies.normals)
    return figures
