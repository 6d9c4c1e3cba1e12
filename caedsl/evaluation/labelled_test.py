"""Labelled test samples: normal samples, anomalies of several types, and masks of anomalous pixels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from caedsl.data.errors import DataError
from caedsl.data.files.decoding import suffixes
from caedsl.data.files.folder_layout import NORMAL, TEST, TRAIN, class_folders, masks_folder, test_folder
from caedsl.data.files.manifest_table import read_table
from caedsl.data.readers.folder import images_in
from caedsl.data.readers.manifest import PATH, manifest_rows
from caedsl.data.readers.source_reader import confined
from caedsl.data.sample_format import SampleFormat
from caedsl.data.stacks.folder_stack import FolderStack
from caedsl.diagnostics.text import counted, text_of_path
from caedsl.inference.data_line import is_data_line
from caedsl.inference.own_data import PartSamples, all_test_samples, own_table
from caedsl.inference.samples import Samples, array_kind, folder_labels, from_files, is_configured
from caedsl.inference.trained_run import TrainedRun
from caedsl.model.data import InputRange
from caedsl.training.reporter import Reporter

OWN_TEST, FROM_INPUT = "the run's own test data", "standard input"
"""Names of tests that are not the path of one."""
_SHOWN = 10


@dataclass(frozen=True)
class LabelledTest:
    """Test samples with their ``types``, the class of each; all classes except ``normal`` are anomalies.

    ``masks`` are image files that mark the anomalous pixels of each sample, or None for a sample without one. Without
    any masks it is empty.
    """

    name: str
    samples: Samples
    types: Sequence[str]
    normal: str
    masks: Sequence[Path | None] = ()
    notes: tuple[str, ...] = ()

    @property
    def anomalous(self) -> NDArray[np.bool_]:
        """Whether each sample is an anomaly."""
        return np.array([kind != self.normal for kind in self.types])

    def anomaly_types(self) -> list[str]:
        """Return the types of the anomalies, sorted."""
        return sorted({kind for kind in self.types if kind != self.normal})


def labelled_test(run: TrainedRun, given: Path | list[Path]) -> LabelledTest:
    """Return the labelled samples of a folder, a table, a list of image files, or a data line.

    Tables, sounds and volumes like those of the run's own source are read with its options. Raise a ``DataError`` if
    the labels do not tell normal samples from anomalies.
    """
    if isinstance(given, list):
        return _from_files(run, given)
    if is_table(given) and PATH in read_table(given).columns:
        return from_table(run, given)
    if is_data_line(str(given)) or is_configured(given, run.model) or array_kind(given) is not None:
        return _from_samples(run, given)
    return from_table(run, given) if is_table(given) else from_folder(run, given)


def _from_files(run: TrainedRun, paths: list[Path]) -> LabelledTest:
    """Return image files, labelled by the folder of each; masks are where ``from_folder`` looks for them."""
    types = folder_labels(paths)
    normal = _normal_of(sorted(set(types)), FROM_INPUT, NORMAL)
    roots = {folder: masks_folder(folder.absolute().parent) for folder in {path.parent for path in paths}}
    masks = [
        None if (root := roots[path.parent]) is None else _mask_of(path, root / path.parent.name) for path in paths
    ]
    return LabelledTest(FROM_INPUT, run.samples(paths), types, normal, masks if any(masks) else ())


def _from_samples(run: TrainedRun, given: Path) -> LabelledTest:
    """Return samples with labels of their own; the normal class is the one that the run was trained on."""
    samples = run.samples(given)
    if samples.labels is None:
        remedy = "write a data line with labels, such as 'npz \"test.npz\" key=images labels=kinds'"
        if is_configured(given, run.model):
            remedy = run.model.data[0].kind.labels
        raise DataError(f"{given} has no labels, which tell normal samples from anomalies: {remedy}")
    only = next((str(source.only) for source in run.model.data if source.only is not None), None)
    normal = _normal_of(sorted(set(samples.labels)), str(given), NORMAL if only is None else (only,))
    return LabelledTest(str(given), samples, samples.labels, normal)


def _normal_of(labels: Sequence[str], given: str, wanted: Sequence[str]) -> str:
    normal = [label for label in labels if label in wanted or label.casefold() in wanted]
    if len(normal) != 1 or len(labels) < 2:
        raise DataError(
            f"{given} needs samples of one normal label ({', '.join(wanted)}) and of other labels for anomalies; its "
            f"labels: {', '.join(labels[:_SHOWN])}"
        )
    return normal[0]


def from_folder(run: TrainedRun, folder: Path) -> LabelledTest:
    """Return the labelled samples of a folder: normal ones in ``good``, anomalies in a subfolder for each type.

    ``folder`` may also contain such a folder named ``test``, as in MVTec's datasets. Raise a ``DataError`` if it has
    another structure.
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise DataError(
            f"{folder} {what}: name a folder with normal samples in good/ and anomalies in other subfolders"
        )
    root = test_folder(folder)
    paths = {path.name: images_in(path, None, []) for path in class_folders(root)}
    paths = {name: files for name, files in paths.items() if files}
    normal = [name for name in paths if name.casefold() in NORMAL]
    _check(root, list(paths), normal)
    files = [path for found in paths.values() for path in found]
    types = [text_of_path(name) for name, found in paths.items() for _ in found]
    masks = masks_folder(root)
    loose = [path for path in images_in(root, None, []) if path.parent == root]
    notes = (f"skipped {counted(len(loose), 'image')} without a label, directly in {root}",) if loose else ()
    return LabelledTest(
        text_of_path(folder),
        from_files(files, root, run.model),
        types,
        text_of_path(normal[0]),
        [_mask_of(path, masks / path.parent.relative_to(root)) for path in files] if masks is not None else (),
        notes,
    )


def _check(root: Path, names: Sequence[str], normal: Sequence[str]) -> None:
    there = ", ".join(names[:_SHOWN]) or "none"
    if not normal:
        raise DataError(
            f"{root} has no normal samples: put them into {root / NORMAL[0]}, and anomalies into a subfolder for each "
            f"type (its subfolders with images: {there})"
        )
    if len(normal) > 1:
        raise DataError(f"{root} has several folders of normal samples ({', '.join(normal)}): put them together")
    if len(names) == 1:
        raise DataError(f"{root} has no anomalies next to {normal[0]}: put them into a subfolder for each type")


def _mask_of(image: Path, folder: Path) -> Path | None:
    """Return the mask of an image, ``NAME_mask.png`` or ``NAME.png`` in any image format, or None."""
    endings = (image.suffix.lower(), *sorted(suffixes()))
    names = [f"{image.stem}{part}{ending}" for part in ("_mask", "") for ending in endings]
    return next((folder / name for name in names if (folder / name).is_file()), None)


def is_table(path: Path) -> bool:
    """Return whether a path is a table of files, by its ending."""
    return path.suffix.lower() in (".csv", ".parquet") and not path.is_dir()


def from_table(run: TrainedRun, table: Path, normal: str | None = None, root: Path | None = None) -> LabelledTest:
    """Return the labelled samples of a table of files: those of its test part, or all if it has none.

    ``normal`` is the label of normal samples, by default one of ``NORMAL``. The column ``mask`` names the masks of
    anomalies. No file of the table may be outside ``root``. Raise a ``DataError`` that names the invalid row.
    """
    notes: list[str] = []
    everything = list(manifest_rows(table, notes))
    rows = [row for row in everything if row.part == TEST] or everything
    labels = sorted({row.label for row in rows})
    for row in rows:
        confined(row.path, root)
        if not row.label:
            raise DataError(f"{table}, {row.place}: {row.path} has no label: write good, or the type of its anomaly")
        if row.mask is not None and not confined(row.mask, root).is_file():
            raise DataError(f"{table}, {row.place}: its mask {row.mask} does not exist: correct it, or leave it empty")
    good = _normal_of(labels, str(table), NORMAL if normal is None else (normal,))
    masks = [None if row.label == good else row.mask for row in rows]
    return LabelledTest(
        str(table),
        from_files([row.path for row in rows], table.parent, run.model),
        [row.label for row in rows],
        good,
        masks if any(masks) else (),
        tuple(notes),
    )


def from_own_data(
    run: TrainedRun,
    parts: dict[str, PartSamples],
    data_dir: Path | None,
    reporter: Reporter,
    data_root: Path | None = None,
) -> LabelledTest:
    """Return all test samples of a run that was trained on one class; the samples of other classes are anomalies."""
    remedy = f"name labelled samples, as in `caedsl evaluate {run.path} --test DIR`"
    trained = set(parts[TRAIN].labels or ())
    table = own_table(run.path, data_dir, data_root)
    if table is not None and TEST in parts and len(trained) == 1:
        return from_table(run, table, next(iter(trained)), data_root)
    test = all_test_samples(run.path, data_dir, reporter, data_root) if len(trained) == 1 else None
    if test is None or test.labels is None:
        raise DataError(f"the data of {run.path} have no labelled test samples: {remedy}")
    (normal,) = trained
    labelled = LabelledTest(OWN_TEST, test, test.labels, normal)
    if not 0 < int(labelled.anomalous.sum()) < len(test):
        raise DataError(f"the test data of {run.path} are all normal or all anomalies: {remedy}")
    return labelled


def masks_of(paths: Sequence[Path | None], fit: SampleFormat) -> Iterator[NDArray[np.bool_]]:
    """Yield each mask, H×W, resized like its image; without a file nothing is marked.

    Pixels brighter than half of the brightest pixel of a mask are marked. Raise a ``DataError`` for a mask that marks
    no pixel.
    """
    grey = SampleFormat((1, *fit.space), InputRange(0.0, 1.0), True, fit.resize)
    for path in paths:
        if path is None:
            yield np.zeros(fit.space, np.bool_)
            continue
        stack = FolderStack([path], path.parent, grey)
        values = stack.scale(stack.read(np.arange(1)).values)[0, 0].numpy()
        if not values.max() > 0:
            raise DataError(f"{path} marks no pixel, but its image is an anomaly: draw the abnormal region in white")
        yield values > values.max() / 2
