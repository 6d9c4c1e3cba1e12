"""Tables, sounds and volumes given to a run that was trained on their kind."""

import wave
from pathlib import Path

import numpy as np
import pytest

import caedsl
from caedsl.data.errors import DataError

from .conftest import write_run

SPEC = """autoencoder signals
input INPUT in real
data SOURCE
encoder { conv 4 relu; maxpool 2 }
bottleneck dense 3
decoder mirror
"""


def spec(shape: str, source: str) -> str:
    return SPEC.replace("INPUT", shape).replace("SOURCE", source)


@pytest.mark.parametrize("shape", [(2, 8), (1, 4, 4, 4)])
def test_a_run_without_a_data_line_takes_arrays_of_its_rank(shape: tuple[int, ...], tmp_path: Path) -> None:
    text = spec("x".join(map(str, shape)), "gone").replace("data gone\n", "")
    run = caedsl.open(write_run(tmp_path / "run", text), device="cpu")
    x = np.random.default_rng(0).random((3, *shape)).astype(np.float32)
    assert run.encode(x).shape == (3, 3)
    np.testing.assert_allclose(run.score(x), np.square(run.reconstruct(x) - x).reshape(3, -1).mean(1), rtol=1e-4)


def test_a_table_is_read_as_the_runs_own(tmp_path: Path) -> None:
    run = caedsl.open(write_run(tmp_path / "run", spec("1x8", 'csv "gone.csv" columns="b" step=4 limit=1')))
    rows = np.random.default_rng(0).random((20, 2))
    np.savetxt(tmp_path / "x.csv", rows, delimiter=",", header="a,b", comments="")
    windows = np.stack([rows[start : start + 8, 1] for start in range(0, 13, 4)])
    np.testing.assert_allclose(run.encode(tmp_path / "x.csv"), run.encode(windows), rtol=1e-4, atol=1e-6)


def test_new_tables_need_neither_the_labels_nor_the_other_parts_of_the_runs_own(tmp_path: Path) -> None:
    source = 'csv "gone.csv" labels="mark" only=0 validation="gone.csv" test="gone.csv"'
    run = caedsl.open(write_run(tmp_path / "run", spec("1x4", source)))
    rows = np.stack([np.random.default_rng(0).random(8), np.arange(8) > 6], 1)
    np.savetxt(tmp_path / "new.csv", rows[:, :1], delimiter=",", header="a", comments="")
    np.savetxt(tmp_path / "labelled.csv", rows, delimiter=",", header="a,mark", comments="")
    new, labelled = (run.samples(tmp_path / f"{name}.csv") for name in ("new", "labelled"))
    assert (list(new.names), new.labels, labelled.labels) == (["new.csv:2", "new.csv:6"], None, ["0", "1"])
    np.testing.assert_array_equal(run.encode(new), run.encode(labelled))


def test_a_new_parquet_file_needs_no_labels(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    pyarrow = pytest.importorskip("pyarrow")
    run = caedsl.open(
        write_run(tmp_path / "run", spec("1x4", 'parquet "gone.parquet" labels=mark test="gone.parquet"'))
    )
    parquet.write_table(pyarrow.table({"x": np.random.default_rng(0).random((3, 4)).tolist()}), tmp_path / "x.parquet")
    assert run.samples(tmp_path / "x.parquet").labels is None


def test_sounds_are_read_as_the_runs_own(tmp_path: Path) -> None:
    run = caedsl.open(write_run(tmp_path / "run", spec("1x8", 'wav "gone/"')))
    (tmp_path / "clips" / "bark").mkdir(parents=True)
    with wave.open(str(tmp_path / "clips" / "bark" / "x.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(np.arange(24, dtype="<i2").tobytes())
    samples = run.samples(tmp_path / "clips")
    assert (len(samples), list(samples.labels or ())) == (3, ["bark"] * 3)
    expected = run.encode(np.arange(24, dtype=np.float32).reshape(3, 8) / 2**15)
    for path in (tmp_path / "clips", tmp_path / "clips" / "bark" / "x.wav"):
        np.testing.assert_array_equal(run.encode(path), expected)


def test_volumes_are_read_as_the_runs_own(tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel")
    run = caedsl.open(write_run(tmp_path / "run", spec("1x4x4x4", 'nifti "gone/"')))
    values = np.random.default_rng(0).random((4, 4, 4)).astype(np.float32)
    (tmp_path / "scans").mkdir()
    nibabel.Nifti1Image(values, np.eye(4)).to_filename(tmp_path / "scans" / "a.nii.gz")
    samples = run.samples(tmp_path / "scans")
    assert list(samples.names) == ["a.nii.gz"]
    np.testing.assert_array_equal(run.encode(samples), run.encode(values[None]))


def test_image_files_for_a_run_of_signals_are_explained(tmp_path: Path, photos: Path) -> None:
    run = caedsl.open(write_run(tmp_path / "run", spec("1x8", 'npy "gone.npy"')))
    for path in (photos / "a.png", photos):
        with pytest.raises(
            DataError, match="but the input 1x8 is for signals: name signals, such as an npy file, or use"
        ):
            run.encode(path)
    with pytest.raises(DataError, match="image files have height and width"):
        run.reconstruct_file(photos / "a.png")


def test_a_data_line_whose_files_are_missing_names_them_alone(tmp_path: Path) -> None:
    run = caedsl.open(write_run(tmp_path / "run", spec("1x4x4", 'npy "gone.npy"')))
    with pytest.raises(DataError) as told:
        run.encode('npz "none.npz" key=x')
    assert "none.npz does not exist" in str(told.value)
    assert "digits" not in str(told.value)
