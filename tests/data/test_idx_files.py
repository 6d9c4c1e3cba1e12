"""The file format of MNIST, whole and damaged."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from caedsl.data.errors import DataError
from caedsl.data.files.idx_format import read_idx
from caedsl.data.stacks.row_file import whole

from .conftest import idx

SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, max_side=5)
TYPES = st.sampled_from(["u1", "i1", "i2", "i4", "f4", "f8"]).map(np.dtype)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(hnp.arrays(TYPES, SHAPES), st.booleans())
def test_every_array_comes_back(tmp_path: Path, array: np.ndarray, zipped: bool) -> None:
    path = tmp_path / "x.idx"
    path.unlink(missing_ok=True)
    path.write_bytes(gzip.compress(idx(array)) if zipped else idx(array))
    np.testing.assert_array_equal(whole(read_idx(path), str(path)), array)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(st.binary(max_size=40), st.sampled_from([b"", b"\0\0\x08\x03", b"\x1f\x8b\x08\0"]))
def test_no_bytes_make_it_fail_otherwise(tmp_path: Path, content: bytes, start: bytes) -> None:
    path = tmp_path / "x.idx"
    path.unlink(missing_ok=True)
    path.write_bytes(start + content)
    named = str(path)
    try:
        read_idx(path)
    except DataError as error:
        named = str(error)
    assert str(path) in named


IMAGES = np.arange(2 * 8 * 8, dtype=np.uint8).reshape(2, 8, 8)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"is not an idx file: it starts with the bytes \(none\)"),
        (b"\x89PNG....", "is not an idx file: it starts with the bytes 89 50 4e 47"),
        (idx(IMAGES)[:10], "is truncated within its first 16 bytes"),
        (idx(IMAGES)[:-1], "has only 127 of the 128 bytes of 2 x 8 x 8 values"),
        (idx(IMAGES) + b"!", "has more than the 128 bytes"),
    ],
)
def test_damage_is_named(content: bytes, message: str, zipped: bool, tmp_path: Path, read) -> None:
    (tmp_path / "x.idx").write_bytes(gzip.compress(content) if zipped else content)
    with pytest.raises(DataError, match=rf"x.idx {message}"):
        read("idx", path="x.idx")


def test_a_header_that_promises_too_much_costs_no_memory(tmp_path: Path, read) -> None:
    promise = bytes([0, 0, 8, 3]) + b"\xff\xff\xff\xff" * 3
    (tmp_path / "x.idx.gz").write_bytes(gzip.compress(promise + b"little"))
    with pytest.raises(DataError, match="has only 6 of the"):
        read("idx", path="x.idx.gz")


def test_an_idx_source_has_labels(tmp_path: Path, read) -> None:
    (tmp_path / "x.idx.gz").write_bytes(gzip.compress(idx(IMAGES)))
    (tmp_path / "y.idx").write_bytes(idx(np.array([3, 1], dtype=np.int32)))
    images = read("idx", path="x.idx.gz", labels="y.idx")
    assert images.labels.tolist() == [3, 1]
    assert images.train[1, 0, 7, 7] == 127 / 255
    np.save(tmp_path / "y.npy", np.array([0, 1, 2]))
    with pytest.raises(DataError, match=r'idx "x.idx.gz" has 2 samples but 3 labels'):
        read("idx", path="x.idx.gz", labels="y.npy")
