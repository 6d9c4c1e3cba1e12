"""Tables and sounds cut into windows, and volumes in NIfTI files."""

import wave
from pathlib import Path

import numpy as np
import pytest
import torch

from caedsl.data.errors import DataError
from caedsl.data.loading import load
from caedsl.data.readers import wav
from caedsl.data.stacks import window_stack
from caedsl.model.data import DataSource, InputRange

from .conftest import spec

REAL = InputRange(None, None)
DRAW = np.random.default_rng(0)


def table(path: Path, rows: np.ndarray, names: str = "a,b", delimiter: str = ",") -> None:
    lines = [delimiter.join(f"{value:g}" for value in row) for row in rows]
    path.write_text("\n".join([*([names] if names else []), *lines]) + "\n")


@pytest.mark.parametrize(("delimiter", "names"), [(",", "a,b"), (";", "a;b"), ("\t", '"a"\tb'), (",", "")])
def test_a_table_is_cut_into_windows_of_its_columns(delimiter: str, names: str, tmp_path: Path, read) -> None:
    rows = DRAW.integers(0, 9, (20, 2))
    table(tmp_path / "x.csv", rows, names, delimiter)
    images = read("csv", path="x.csv", shape=(2, 6), range=REAL)
    assert images.train.shape == (3, 2, 6)
    for number, window in enumerate(images.train.numpy()):
        np.testing.assert_array_equal(window, rows[6 * number : 6 * number + 6].T)
    one = read("csv", path="x.csv", shape=(1, 6), range=REAL, columns="b" if names else "2", step=1)
    np.testing.assert_array_equal(one.train.numpy()[3, 0], rows[3:9, 1])
    assert len(one) == 15
    assert "windows of 6 overlap because of `step=1`" in one.notes[0]


def test_windows_of_another_length_are_resized(tmp_path: Path, read) -> None:
    table(tmp_path / "x.csv", np.arange(48).reshape(24, 2))
    images = read("csv", path="x.csv", shape=(2, 4), range=REAL, window=8)
    assert images.train.shape == (3, 2, 4)
    assert images.notes == ("resized from 8 to 4 (stretch)",)


def test_a_window_has_the_largest_label_of_its_lines(tmp_path: Path, read) -> None:
    marks = np.zeros(20)
    marks[7] = 1
    table(tmp_path / "x.csv", np.stack([np.arange(20) / 20, marks], 1), "a,mark")
    images = read("csv", path="x.csv", shape=(1, 5), labels="mark")
    assert images.labels.tolist() == [0, 1, 0, 0]
    normal = read("csv", path="x.csv", shape=(1, 5), labels="mark", only=0)
    assert normal.train[:, 0, 0].tolist() == pytest.approx([0, 0.5, 0.75])


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("a,b\n1,2\n3,x\n", {}, r'x.csv, line 3: the column "b" has `x`, not a number: correct it'),
        ("a,b\n1,2\n3\n", {}, r'line 3: the column "b" is missing'),
        ("a,b\n1,nan\n3,4\n", {}, r'line 2: the column "b" has nan: replace the value'),
        ("a,b\n1,2\n3,4\n", {"columns": "c"}, r'x.csv has no column "c": its columns are a, b'),
        ("a,a\n1,2\n3,4\n", {"columns": "a"}, r'x.csv has several columns named "a"'),
        ("a,b,c\n1,2,3\n", {}, r'has 3 columns to read, but the input 2x2 has 2 channels: write `input 3x2`.*"a,b"'),
        ("a,b\n1,2\n", {}, "has 1 line of numbers, fewer than the window of 2"),
        ("a,b\n1,2\n3,4\n", {"labels": "d"}, 'has no column "d"'),
        ("a,b,l\n1,2,0.5\n3,4,1\n", {"labels": "l"}, "labels are whole numbers, but the column l has other values"),
        ("a,b\n1,0\n0,1\n0,1\n3,9\n", {}, r"x.csv: the signal from line 4 on has the value 3, outside 0..1.*in real`"),
        ("\n", {}, "its first line does not name the columns"),
    ],
)
def test_tables_that_cannot_be_read_are_explained(text, options, message, tmp_path: Path, read) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read(
            "csv",
            path="x.csv",
            shape=(2, 2),
            range=InputRange() if "outside" in message else InputRange(0, 4),
            **options,
        )


@pytest.mark.parametrize(("names", "starts"), [("a,b", [2, 5, 8]), ("", [1, 4, 7])])
def test_windows_of_a_table_are_named_by_their_first_line(names, starts, tmp_path: Path, read) -> None:
    table(tmp_path / "x.csv", np.arange(24).reshape(12, 2), names)
    images = read("csv", path="x.csv", shape=(2, 5), range=REAL, step=3)
    assert [images.name_of("train", number) for number in range(3)] == [f"x.csv:{line}" for line in starts]
    lines = (tmp_path / "x.csv").read_text().splitlines()
    assert lines[starts[1] - 1] == ",".join(f"{value:g}" for value in images.train[1, :, 0].tolist())


def test_tables_to_validate_and_to_test_on_are_read_like_the_first(tmp_path: Path, read) -> None:
    for number, name in enumerate(("x", "v", "t")):
        rows = np.stack([np.full(6, number), np.arange(6) > 3], 1)
        table(tmp_path / f"{name}.csv", rows, "a,mark")
    options = {"labels": "mark", "validation": "v.csv", "test": "t.csv"}
    images = read("csv", path="x.csv", shape=(1, 2), range=REAL, **options)
    parts = (images.train_pixels, images.validation_pixels, images.test_pixels)
    assert [part.everything()[:, 0, 0].tolist() for part in parts] == [[0] * 3, [1] * 3, [2] * 3]
    assert images.test_labels.tolist() == [0, 0, 1]
    assert images.name_of("test", 1) == "t.csv:4"
    assert read("csv", path="x.csv", shape=(1, 2), range=REAL, only=0, **options).test_pixels.everything().shape[0] == 2


def test_windows_after_an_empty_line_are_named_by_their_line(tmp_path: Path, read) -> None:
    (tmp_path / "x.csv").write_text("a\n1\n\n2\n\n3\n4\n")
    images = read("csv", path="x.csv", shape=(1, 2), range=REAL)
    assert [images.name_of("train", number) for number in range(2)] == ["x.csv:2", "x.csv:6"]


def sound(path: Path, width: int, values: np.ndarray, rate: int = 8000) -> None:
    """Write frames × channels of -1..1."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = np.round(values * (2 ** (8 * width - 1) - 1)).astype(np.int64)
    whole = whole + 128 if width == 1 else whole
    content = whole.astype("<i8").view(np.uint8).reshape(*whole.shape, 8)[..., :width].tobytes()
    with wave.open(str(path), "wb") as file:
        file.setparams((values.shape[1], width, rate, 0, "NONE", ""))
        file.writeframes(content)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("range", [InputRange(), InputRange(-1, 1), REAL], ids=str)
def test_sounds_of_every_depth_are_read_to_their_last_bit(width: int, range: InputRange, tmp_path: Path, read) -> None:
    values = DRAW.uniform(-1, 1, (100, 2))
    sound(tmp_path / "x.wav", width, values)
    images = read("wav", path="x.wav", shape=(2, 30), range=range)
    expected = values[:90].reshape(3, 30, 2).swapaxes(1, 2)
    expected = (expected + 1) / 2 if range == InputRange() else expected
    assert images.train.shape == (3, 2, 30)
    np.testing.assert_allclose(images.train.numpy(), expected, atol=1.01 / 2 ** (8 * width - 2) + 1e-6)


def test_a_folder_of_sounds_has_classes_and_is_streamed_as_it_is_held(tmp_path: Path) -> None:
    for number, kind in enumerate(("bark", "meow", "bark")):
        sound(tmp_path / "clips" / kind / f"{number}.wav", 2, DRAW.uniform(-1, 1, (50 + number, 1)))
    model = spec(DataSource("wav", path="clips", step=5), shape=(1, 20), folder=tmp_path)
    held, streamed = load(model, tmp_path), load(model, tmp_path, memory=100)
    assert held.class_names == ("bark", "meow")
    assert torch.equal(held.train, streamed.train)
    assert held.labels.tolist() == [0] * 7 + [0] * 7 + [1] * 7
    names = [held.name_of("train", number) for number in (0, 6, 7, 20)]
    assert names == ["bark/0.wav:0", "bark/0.wav:30", "bark/2.wav:0", "meow/1.wav:30"]


def test_many_sounds_are_read_while_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        sound(tmp_path / "clips" / f"{number:02}.wav", 2, DRAW.uniform(-1, 1, (50, 1)))
    model = spec(DataSource("wav", path="clips"), shape=(1, 20), folder=tmp_path)
    told: list[tuple[int, int]] = []

    def progress(task: str, done: int, total: int, unit: str) -> None:
        if "headers" in task:
            told.append((done, total))

    monkeypatch.setattr(wav, "_BLOCK", 8)
    held = load(model, tmp_path, progress)
    assert told == [(8, 20), (16, 20), (20, 20)]
    monkeypatch.setattr(window_stack, "MANY_FILES", 19)
    monkeypatch.setattr("caedsl.data.first_reading._LOOKED_AT", 8)
    read: list[int] = []
    plain = window_stack.WindowStack.read
    monkeypatch.setattr(window_stack.WindowStack, "read", lambda self, index: read.extend(index) or plain(self, index))
    lazy = load(model, tmp_path)
    assert len(read) == 8
    assert any("8 of 40 signals; all are" in note for note in lazy.notes)
    assert torch.equal(lazy.train, held.train)
    assert len(read) == 48


def test_sounds_that_do_not_fit_are_named(tmp_path: Path, read) -> None:
    sound(tmp_path / "clips" / "a.wav", 2, np.zeros((50, 1)))
    sound(tmp_path / "clips" / "b.wav", 2, np.zeros((50, 2)))
    sound(tmp_path / "clips" / "c.wav", 2, np.zeros((9, 1)))
    sound(tmp_path / "clips" / "d.wav", 2, np.zeros((50, 1)), rate=16000)
    (tmp_path / "clips" / "e.wav").write_bytes(b"RIFF")
    with pytest.raises(DataError, match="4 of 5 sounds cannot be used") as caught:
        read("wav", path="clips", shape=(1, 20))
    for part in (
        "b.wav has 2 channels, but the input is 1x20: write `input 2x20`",
        "c.wav has 9 frames, fewer than the window of 20",
        "d.wav has 16,000 frames per second, but a.wav has 8,000",
        "e.wav is not a WAV file",
    ):
        assert part in str(caught.value)
    images = read("wav", path="clips", shape=(1, 20), skip="broken")
    assert len(images) == 2
    assert "4 of 5 sounds skipped as broken" in images.notes[0]
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="contains no sounds"):
        read("wav", path="none", shape=(1, 20))


def test_sounds_with_many_chunks_before_their_data_are_refused(tmp_path: Path, read) -> None:
    sound(tmp_path / "x.wav", 2, np.zeros((50, 1)))
    content = (tmp_path / "x.wav").read_bytes()
    for count, refused in ((900, False), (1001, True)):
        junk = b"junk\x01\0\0\0xx" * count  # chunks have an even number of bytes
        size = (len(content) + len(junk) - 8).to_bytes(4, "little")
        (tmp_path / "x.wav").write_bytes(b"RIFF" + size + b"WAVE" + junk + content[12:])
        if refused:
            with pytest.raises(DataError, match="it has more than 1,000 chunks before its data"):
                read("wav", path="x.wav", shape=(1, 20))
        else:
            assert len(read("wav", path="x.wav", shape=(1, 20))) == 2


def test_a_sound_that_changes_while_it_is_used_is_named(tmp_path: Path) -> None:
    sound(tmp_path / "x.wav", 2, np.zeros((50, 1)))
    images = load(spec(DataSource("wav", path="x.wav"), shape=(1, 20), folder=tmp_path), tmp_path, memory=10)
    sound(tmp_path / "x.wav", 2, np.zeros((60, 1)))
    with pytest.raises(DataError, match=r"x.wav was changed while it was in use"):
        images.train_pixels.everything()


@pytest.mark.parametrize("ending", ["nii", "nii.gz"])
def test_volumes_are_read_scaled_and_resized(ending: str, tmp_path: Path, read) -> None:
    nibabel = pytest.importorskip("nibabel")
    values = DRAW.integers(-1024, 3000, (6, 5, 4)).astype(np.int16)
    nibabel.Nifti1Image(values, np.eye(4)).to_filename(tmp_path / f"x.{ending}")
    images = read("nifti", path=f"x.{ending}", shape=(1, 6, 5, 4), range=InputRange(-1024, 3071))
    np.testing.assert_array_equal(images.train.numpy()[0, 0], values.astype(np.float32))
    small = read("nifti", path=f"x.{ending}", shape=(1, 3, 5, 4), range=InputRange(-1024, 3071))
    assert small.train.shape == (1, 1, 3, 5, 4)
    assert small.notes == ("1 of 1 volume resized to 3x5x4 (stretch)",)
    with pytest.raises(DataError, match=r"outside 0..1: declare the actual range, such as `input 1x6x5x4 in"):
        read("nifti", path=f"x.{ending}", shape=(1, 6, 5, 4))
    with pytest.raises(DataError, match="NIfTI files have one channel"):
        read("nifti", path=f"x.{ending}", shape=(2, 6, 5, 4))


def test_a_series_of_volumes_is_refused_and_named(tmp_path: Path, read) -> None:
    nibabel = pytest.importorskip("nibabel")
    nibabel.Nifti1Image(np.zeros((3, 3, 3, 2), np.float32), np.eye(4)).to_filename(tmp_path / "x.nii")
    with pytest.raises(DataError, match=r"x.nii is 3 x 3 x 3 x 2, but a volume has three axes"):
        read("nifti", path="x.nii", shape=(1, 3, 3, 3))
