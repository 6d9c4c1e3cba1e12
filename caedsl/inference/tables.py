"""Content of files of codes and scores: npz, Parquet, CSV and JSON lines."""

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from caedsl.diagnostics.json import finite
from caedsl.diagnostics.text import text_of_path

Array = NDArray[Any]
Floats = NDArray[np.float32]
CSV = ".csv"
CODE_FORMATS = (".npz", ".parquet", CSV)
_GROUP = 1 << 22
"""Number of values in a row group of a Parquet file."""


def write_codes(
    file: IO[bytes], ending: str, names: Sequence[str], labels: Sequence[str] | None, blocks: Iterable[Floats]
) -> None:
    """Write blocks of codes to a file in the format ``ending``.

    An ``npz`` file has the arrays ``names``, ``labels`` (if there are any) and ``codes``, N x the code's shape. ``csv``
    and ``parquet`` files have one row per sample, with the columns ``name``, ``label`` (if there are any) and ``z0``,
    ``z1``, …
    """
    texts = {"name": names} if labels is None else {"name": names, "label": labels}
    if ending == ".npz":
        arrays: dict[str, Iterable[Array]] = {f"{kind}s": [np.array(values, np.str_)] for kind, values in texts.items()}
        write_archive(file, {**arrays, "codes": blocks}, len(names))
        return
    rows = (block.reshape(len(block), -1) for block in blocks)
    if ending == ".parquet":
        _write_parquet(file, texts, rows)
    else:
        _write_csv(file, texts, rows)


def write_archive(file: IO[bytes], arrays: Mapping[str, Iterable[Array]], count: int) -> None:
    """Write a compressed ``npz`` file of arrays with ``count`` rows each, given in blocks."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, blocks in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                write_array(member, blocks, count)


def write_array(file: IO[bytes], blocks: Iterable[Array], count: int) -> None:
    """Write an ``npy`` file of an array with ``count`` rows, given in blocks."""
    for number, block in enumerate(blocks):
        if not number:
            header: dict[str, Any] = {
                "descr": np.lib.format.dtype_to_descr(block.dtype),
                "fortran_order": False,
                "shape": (count, *block.shape[1:]),
            }
            np.lib.format.write_array_header_1_0(file, header)
        file.write(np.ascontiguousarray(block).tobytes())


def _write_csv(file: IO[bytes], texts: Mapping[str, Sequence[str]], blocks: Iterable[Floats]) -> None:
    words = zip(*texts.values(), strict=True)
    for number, block in enumerate(blocks):
        header = [] if number else [[*texts, *_units(block)]]
        file.write(csv_bytes(chain(header, ((*next(words), *row) for row in block))))


def _write_parquet(file: IO[bytes], texts: Mapping[str, Sequence[str]], blocks: Iterable[Floats]) -> None:
    """Write row groups of several blocks each: groups of few rows are slow to read."""
    import pyarrow
    from pyarrow import parquet

    writer, done = None, 0
    for group in _grouped(blocks):
        part = {name: list(map(text_of_path, of[done : done + len(group)])) for name, of in texts.items()}
        table = pyarrow.table(part | {unit: group[:, place] for place, unit in enumerate(_units(group))})
        # Numbers of codes rarely repeat: a dictionary of each column would be large and useless.
        writer = writer or parquet.ParquetWriter(file, table.schema, use_dictionary=list(texts))
        writer.write_table(table)
        done += len(group)
    if writer is not None:
        writer.close()


def _grouped(blocks: Iterable[Floats]) -> Iterator[Floats]:
    """Join blocks to groups of about ``_GROUP`` values.

    They are copied: small blocks that stay between the large temporary ones of a network would keep all their memory.
    """
    group: Floats | None = None
    there = 0
    for block in blocks:
        if group is None:
            group = np.empty((len(block) + _GROUP // block.shape[1], block.shape[1]), np.float32)
        if there + len(block) > len(group):
            yield group[:there]
            there = 0
        group[there : there + len(block)] = block
        there += len(block)
    if group is not None:
        yield group[:there]


def _units(block: Floats) -> list[str]:
    return [f"z{unit}" for unit in range(block.shape[1])]


def csv_bytes(rows: Iterable[Sequence[object]]) -> bytes:
    """Return the rows of a CSV table, the first of which is its header, as UTF-8.

    Names of files that are not UTF-8 keep their bytes.
    """
    lines = _Lines()
    csv.writer(lines, lineterminator="\r\n").writerows(rows)  # quotes a field with either of these
    return "".join(f"{line[:-2]}\n" for line in lines).encode("utf-8", "surrogateescape")


class _Lines(list[str]):
    """Lines of a CSV table, which its writer passes one at a time."""

    write = list.append


def json_lines(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return one line of JSON per row; non-finite numbers are null."""
    return "".join(json.dumps(finite(dict(zip(header, row, strict=True)))) + "\n" for row in rows)


def array_bytes(array: NDArray[np.float32]) -> bytes:
    """Return the content of an ``npy`` file."""
    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    return content.getvalue()
