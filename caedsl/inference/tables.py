"""Codes and scores as files: npz, Parquet, CSV and JSON lines."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CODE_FORMATS = (".npz", ".parquet", ".csv")


def codes_bytes(path: Path, names: Sequence[str], labels: Sequence[str] | None, codes: NDArray[np.float32]) -> bytes:
    """Return the content of a file of codes, in the format that the ending of ``path`` names.

    ``npz`` holds the arrays ``names``, ``labels`` (where there are some) and ``codes``, N x the code's shape. ``csv``
    and ``parquet`` have a row for each sample, with the columns ``name``, ``label`` and ``z0``, ``z1``, …
    """
    if path.suffix == ".npz":
        content = io.BytesIO()
        arrays = {"names": np.array(names, dtype=np.str_), "codes": codes}
        if labels is not None:
            arrays["labels"] = np.array(labels, dtype=np.str_)
        np.savez_compressed(content, allow_pickle=False, **arrays)
        return content.getvalue()
    flat = codes.reshape(len(codes), -1)
    columns: dict[str, Sequence[object] | NDArray[np.float32]] = {"name": names}
    if labels is not None:
        columns["label"] = labels
    columns |= {f"z{unit}": flat[:, unit] for unit in range(flat.shape[1])}
    if path.suffix == ".parquet":
        return _parquet(columns)
    return csv_text(list(columns), zip(*columns.values(), strict=True)).encode()


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
    """Return one JSON object a line."""
    return "".join(json.dumps(dict(zip(header, row, strict=True)), ensure_ascii=False) + "\n" for row in rows)


def array_bytes(array: NDArray[np.float32]) -> bytes:
    """Return the content of an ``npy`` file."""
    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    return content.getvalue()


def read_codes(path: Path) -> tuple[list[str], NDArray[np.float32]]:
    """Return the names and the codes of a file that ``codes_bytes`` wrote, or of an ``npy`` of codes alone.

    Raise a ``ValueError`` where it is none, an ``OSError`` where it cannot be read.
    """
    if path.suffix == ".npy":
        codes = np.load(path, allow_pickle=False)
        return [str(place) for place in range(len(codes))], codes.astype(np.float32)
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            if "codes" not in arrays:
                raise ValueError("it has no array `codes`")
            codes = arrays["codes"].astype(np.float32)
            names = arrays["names"].tolist() if "names" in arrays else range(len(codes))
            return list(map(str, names)), codes
    if path.suffix not in CODE_FORMATS:
        raise ValueError("codes are read from .npz, .npy, .parquet and .csv")
    columns = _read_columns(path)
    units = [name for name in columns if name[:1] == "z" and name[1:].isdigit()]
    if not units:
        raise ValueError("it has no columns z0, z1, …")
    codes = np.array([columns[name] for name in sorted(units, key=lambda name: int(name[1:]))], np.float32).T
    return list(map(str, columns.get("name", range(len(codes))))), codes


def _read_columns(path: Path) -> dict[str, list[object]]:
    if path.suffix == ".parquet":
        from pyarrow import parquet

        table: dict[str, list[object]] = parquet.read_table(path).to_pydict()
        return table
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    return {name: [row[place] for row in rows] for place, name in enumerate(header)}
