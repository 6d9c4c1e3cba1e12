"""Content of files of codes and scores: npz, Parquet, CSV and JSON lines."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

CODE_FORMATS = (".npz", ".parquet", ".csv")


def codes_bytes(path: Path, names: Sequence[str], labels: Sequence[str] | None, codes: NDArray[np.float32]) -> bytes:
    """Return the content of a file of codes, in the format given by the ending of ``path``.

    An ``npz`` file has the arrays ``names``, ``labels`` (if there are any) and ``codes``, N x the code's shape. ``csv``
    and ``parquet`` files have one row per sample, with the columns ``name``, ``label`` (if there are any) and ``z0``,
    ``z1``, …
    """
    if path.suffix == ".npz":
        arrays: dict[str, NDArray[Any]] = {"names": np.array(names, dtype=np.str_), "codes": codes}
        if labels is not None:
            arrays["labels"] = np.array(labels, dtype=np.str_)
        return archive_bytes(arrays)
    flat = codes.reshape(len(codes), -1)
    columns: dict[str, Sequence[object] | NDArray[np.float32]] = {"name": names}
    if labels is not None:
        columns["label"] = labels
    columns |= {f"z{unit}": flat[:, unit] for unit in range(flat.shape[1])}
    if path.suffix == ".parquet":
        return _parquet(columns)
    return csv_text(list(columns), zip(*columns.values(), strict=True)).encode()


def archive_bytes(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return the content of a compressed ``npz`` file."""
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)
    return content.getvalue()


def _parquet(columns: Mapping[str, Sequence[object] | NDArray[np.float32]]) -> bytes:
    import pyarrow
    from pyarrow import parquet

    content = io.BytesIO()
    parquet.write_table(pyarrow.table(dict(columns)), content)
    return content.getvalue()


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a CSV table with a header line."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def json_lines(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return one line of JSON per row."""
    return "".join(json.dumps(dict(zip(header, row, strict=True)), ensure_ascii=False) + "\n" for row in rows)


def array_bytes(array: NDArray[np.float32]) -> bytes:
    """Return the content of an ``npy`` file."""
    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    return content.getvalue()
