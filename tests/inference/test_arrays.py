"""Arrays and data lines as inputs of a trained run."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import caedsl
from caedsl.data.array_layout import layout
from caedsl.data.errors import DataError
from caedsl.data.sample_format import SampleFormat
from caedsl.data.stacks.array_stack import ArrayStack
from caedsl.inference.arrays import as_stored
from caedsl.model.data import InputRange
from tests.inference.conftest import write_run

Run = Callable[..., tuple[int, str, str]]
UNIT, HOUNSFIELD, REAL = InputRange(), InputRange(-1024.0, 3071.0), InputRange(None, None)


def drawn(shape: tuple[int, ...], dtype: str, low: int, high: int) -> np.ndarray:
    values = np.random.default_rng(0).integers(low, high, shape, np.int64)
    return values.astype(dtype) if np.dtype(dtype).kind in "iub" else (values / 255).astype(dtype)


@pytest.mark.parametrize(
    ("dtype", "ends", "range_", "white"),
    [
        ("uint8", (0, 256), UNIT, None),
        ("bool", (0, 2), UNIT, None),
        ("uint16", (0, 65536), InputRange(-1.0, 1.0), None),
        ("uint16", (0, 4096), UNIT, 4095),
        (">i2", (-1024, 3072), HOUNSFIELD, None),
        ("int32", (0, 256), UNIT, None),
        ("float32", (0, 256), UNIT, None),
        ("float64", (-500, 500), REAL, None),
    ],
)
@pytest.mark.parametrize("shape", [(5, 6, 7), (5, 2, 6, 7), (5, 6, 7, 2), (5, 9), (5, 2, 9), (5, 4, 6, 7, 2)])
def test_what_was_read_is_stored_as_it_was(
    shape: tuple[int, ...], dtype: str, ends: tuple[int, int], range_: InputRange, white: int | None
) -> None:
    pixels = drawn(shape, dtype, *ends)
    own = {(5, 6, 7): (1, 6, 7), (5, 9): (1, 9), (5, 2, 9): (2, 9), (5, 4, 6, 7, 2): (2, 4, 6, 7)}.get(shape, (2, 6, 7))
    fit = SampleFormat(own, range_, False, "stretch")
    stack = ArrayStack(pixels, layout(shape, fit, "x"), fit, "x", white=white)
    index = np.array([3, 1, 4])
    stored = as_stored(stack.scale(stack.read(index).values), index, stack)
    assert stored.dtype == pixels.dtype
    np.testing.assert_allclose(stored.astype(np.float64), pixels[index].astype(np.float64), rtol=1e-6)


@pytest.mark.parametrize("resize", ["stretch", "fit", "crop"])
@pytest.mark.parametrize(("dtype", "high"), [("uint8", 256), ("uint16", 65536)])
def test_smooth_images_of_another_size_come_back(resize: str, dtype: str, high: int) -> None:
    y, x = np.mgrid[:20, :33]
    pixels = ((y / 19 + x / 32) / 2 * (high - 1)).astype(dtype)[None].repeat(2, axis=0)
    fit = SampleFormat((1, 40, 40), UNIT, False, resize)
    stack = ArrayStack(pixels, "none", fit, "x")
    index = np.arange(2)
    stored = as_stored(stack.scale(stack.read(index).values), index, stack)
    assert (stored.shape, stored.dtype) == (pixels.shape, pixels.dtype)
    assert np.abs(stored.astype(float) - pixels.astype(float)).max() < 0.04 * high


def test_reconstruct_returns_arrays_like_the_given_ones(grey: Path, tmp_path: Path, run_caedsl: Run) -> None:
    pixels = drawn((70, 8, 8), "uint8", 0, 256)
    np.save(tmp_path / "x.npy", pixels)
    code, out, err = run_caedsl("reconstruct", grey, tmp_path / "x.npy", "-o", tmp_path / "out", "--error-maps")
    assert (code, out) == (0, f"reconstructed 70 samples into {tmp_path / 'out' / 'x.npy'}\n"), err
    made = np.load(tmp_path / "out" / "x.npy")
    assert (made.shape, made.dtype) == (pixels.shape, pixels.dtype)
    whole = caedsl.open(grey, "cpu").reconstruct(pixels)[:, 0]
    np.testing.assert_array_equal(made, (whole * 255).round().clip(0, 255).astype(np.uint8))
    errors = np.load(tmp_path / "out" / "x.error.npy")
    np.testing.assert_allclose(errors, np.abs(whole - pixels / 255), atol=1e-6)
    assert run_caedsl("reconstruct", grey, tmp_path / "x.npy", "-o", tmp_path / "out")[0] == 2
    one = tmp_path / "out" / "y.npy", tmp_path / "out" / "y.error.npy"
    one[1].write_text("kept")
    code, _, err = run_caedsl("reconstruct", grey, tmp_path / "x.npy", "-o", one[0], "--error-maps")
    assert (code, one[0].exists(), one[1].read_text()) == (2, False, "kept")
    assert f"{one[1]} already exists" in err


def test_reconstruct_returns_an_archive_for_an_archive(grey: Path, tmp_path: Path, run_caedsl: Run) -> None:
    pixels = drawn((6, 8, 8, 1), "uint16", 0, 65536)
    np.savez(tmp_path / "x.npz", scans=pixels, other=np.zeros(3))
    code, _, err = run_caedsl("reconstruct", grey, tmp_path / "x.npz", "-o", tmp_path / "y.npz")
    assert code == 2
    line = f'npz "{tmp_path / "x.npz"}" key=scans'
    assert f"choose one with a data line such as `{line}`" in err
    assert run_caedsl("reconstruct", grey, line, "-o", tmp_path / "y.npz")[0] == 0
    with np.load(tmp_path / "y.npz") as arrays:
        assert arrays.files == ["scans"]
        assert (arrays["scans"].shape, arrays["scans"].dtype) == (pixels.shape, pixels.dtype)


def test_a_data_line_takes_the_words_of_a_spec(
    grey: Path, tmp_path: Path, run_caedsl: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez("x.npz", a=drawn((9, 8, 8), "uint8", 0, 256), y=np.array(list("abcabcabc")))
    run = caedsl.open(grey, "cpu")
    with np.load("x.npz") as arrays:
        codes = run.encode(arrays["a"])
    np.testing.assert_array_equal(run.encode('data npz "x.npz" key=a'), codes)
    chosen = run.samples('npz "x.npz" key=a labels=y only="b"')
    assert (list(chosen.names), chosen.labels) == (["1", "4", "7"], ["b", "b", "b"])
    np.testing.assert_array_equal(run.encode(chosen), codes[1::3])
    assert len(run.samples("digits limit=20")) == 20
    _, out, _ = run_caedsl("score", grey, 'npz "x.npz" key=a', "--json")
    assert [json.loads(row)["name"] for row in out.splitlines()] == [str(number) for number in range(9)]
    assert run_caedsl("encode", grey, 'npz "x.npz" key=a labels=y', "-o", "codes.csv")[0] == 0
    assert (tmp_path / "codes.csv").read_text().splitlines()[1].startswith("0,a,")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('npz "x.npz" kee=a', "unknown option"),
        ("mnist only", "only"),
        ("digits; train { epochs 1 }", "one line without braces"),
        ('npy "nowhere.npy"', "nowhere.npy does not exist"),
    ],
)
def test_wrong_data_lines(grey: Path, run_caedsl: Run, line: str, said: str) -> None:
    code, _, err = run_caedsl("score", grey, line)
    assert code == 2, shlex.quote(line)
    assert said in err


def test_all_parts_of_a_source_and_broken_files(tmp_path: Path, photos: Path, run_caedsl: Run) -> None:
    root = tmp_path / "data"
    for part in ("train", "test"):
        (root / part).mkdir(parents=True)
        (root / part / "a.png").write_bytes((photos / "a.png").read_bytes())
    (root / "train" / "bad.png").write_text("no image")
    run = caedsl.open(
        write_run(tmp_path / "run", "autoencoder a\ninput 1x8x8\nencoder { conv 2 s2 }\nbottleneck\ndecoder mirror\n")
    )
    samples = run.samples(f'folder "{root}" skip=broken')
    assert list(samples.names) == ["train/a.png", "test/a.png"]
    assert samples.files == [root / "train" / "a.png", root / "test" / "a.png"]
    assert len(run.encode(samples)) == 2
    with pytest.raises(DataError, match=r"bad\.png"):
        run.encode(f'folder "{root}"')
    np.savez(tmp_path / "parts.npz", a=drawn((4, 8, 8), "uint8", 0, 256), b=drawn((3, 8, 8), "uint8", 0, 256))
    line = f'npz "{tmp_path / "parts.npz"}" key=a test=b'
    assert run_caedsl("reconstruct", tmp_path / "run", line, "-o", tmp_path / "out.npy")[0] == 2
    assert run_caedsl("reconstruct", tmp_path / "run", line, "-o", tmp_path / "out")[0] == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["test.npz", "train.npz"]


def test_tensors_keep_their_device_and_kind(grey: Path) -> None:
    run = caedsl.open(grey, "cpu")
    assert isinstance(run.encode(torch.rand(2, 1, 8, 8)), torch.Tensor)
