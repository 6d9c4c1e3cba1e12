"""Images that do not fit into memory are read during training, with the same result bit for bit."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from caedsl.data import first_reading
from caedsl.data.errors import DataError
from caedsl.data.loading import load
from caedsl.data.sample import Sample, joined
from caedsl.data.stacks import scratch
from caedsl.data.stacks.pixels import Held, Streamed
from caedsl.data.stacks.row_file import RowFile
from caedsl.data.stacks.stack import Index
from caedsl.evaluation.evaluated_run import resume_and_evaluate, train_and_evaluate
from caedsl.evaluation.reevaluation import evaluate_again
from caedsl.training.batches import Batches
from caedsl.training.loop import Training
from caedsl.training.objective import Losses
from caedsl.training.reporter import Reporter
from caedsl.training.resume import resume

from .test_resume import assert_same, killed_at
from .tiny import always_keep, model_of

DRAW = np.random.default_rng(0)
COLOUR = DRAW.integers(0, 256, (70, 8, 10, 3), dtype=np.uint8)
GREY = COLOUR[..., 0]
SPEC = """
autoencoder small
input {input}
data {data}
encoder {{ conv 2 relu; maxpool 2 }}
bottleneck dense 3
decoder mirror
train {{ optimizer adam lr=1e-2; batch 9; epochs 3; corrupt gaussian=0.2; augment flip; precision fp32 }}
"""


def spec(data: str, input: str = "1x8x10") -> str:
    return SPEC.format(input=input, data=data)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of decoded copies."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CAEDSL_DATA", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave no room for decoded copies."""
    monkeypatch.setattr(scratch, "LEFT_FREE", 1 << 60)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the same images in every kind of file."""
    folder = tmp_path_factory.mktemp("files")
    arrays = {
        "grey": GREY,
        "grey_last": GREY[..., None],
        "colour": COLOUR,
        "colour_first": np.ascontiguousarray(COLOUR.transpose(0, 3, 1, 2)),
        "columns_first": np.asfortranarray(COLOUR),
        "real": COLOUR / np.float32(255),
        "wide": GREY.astype(np.uint16) * 200,
        "black_and_white": GREY > 99,
        "anything": DRAW.normal(size=(70, 8, 10)),
    }
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    np.save(folder / "labels.npy", np.arange(70) % 2)
    np.savez(folder / "stored.npz", x=COLOUR, which=np.arange(70) % 2)
    np.savez_compressed(folder / "packed.npz", x=COLOUR)
    for number, image in enumerate(COLOUR):
        part = folder / "photos" / ("test" if number >= 60 else "train") / "ab"[number % 2]
        part.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(part / f"{number:02}.png")
        (folder / "mixed").mkdir(exist_ok=True)
        deep = GREY[number].astype(np.uint16) * 257 if number == 50 else GREY[number]
        Image.fromarray(deep).save(folder / "mixed" / f"{number:02}.png")
    return folder


CASES = {
    "grey": ("1x8x10", 'npy "grey.npy"'),
    "grey, channel last": ("1x8x10 in -1..1", 'npy "grey_last.npy"'),
    "colour": ("3x8x10", 'npy "colour.npy"'),
    "colour, channels first": ("3x8x10 in -1..2", 'npy "colour_first.npy"'),
    "columns first": ("3x8x10", 'npy "columns_first.npy"'),
    "real numbers": ("3x8x10", 'npy "real.npy"'),
    "16 bits": ("1x8x10", 'npy "wide.npy"'),
    "black and white": ("1x8x10", 'npy "black_and_white.npy"'),
    "no range": ("1x8x10 in real", 'npy "anything.npy"'),
    "resized": ("3x5x5", 'npy "colour.npy" resize=crop'),
    "made grey": ("1x8x10", 'npy "colour_first.npy" gray'),
    "selected": ("3x8x10", 'npz "stored.npz" key=x labels=which only=1 limit=29'),
    "packed": ("3x8x10", 'npz "packed.npz"'),
    "folder": ("3x8x8", 'folder "photos" resize=fit'),
    "folder, made grey": ("1x8x10", 'folder "photos" gray only="b"'),
    "folder of 8 and 16 bits": ("1x8x10 in -1..1", 'folder "mixed"'),
}


DECODED = ("columns first", "resized", "made grey", "folder", "folder, made grey")


@pytest.mark.parametrize(
    ("case", "room"), [*((case, True) for case in CASES), *((case, False) for case in DECODED)], ids=str
)
def test_batches_are_the_same_wherever_images_are(
    case: str, room: bool, files: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(files)
    monkeypatch.setattr(first_reading, "_BLOCK_IMAGES", 16)
    if not room:
        monkeypatch.setattr(scratch, "LEFT_FREE", 1 << 60)
    model = model_of(spec(CASES[case][1], CASES[case][0]))
    held, streamed = load(model), load(model, memory=100)
    assert isinstance(held.train_pixels, Held) and isinstance(streamed.train_pixels, Streamed)
    assert (held.sha256, held.train_pixels.span()) == (streamed.sha256, streamed.train_pixels.span())
    assert held.train_pixels.span() == (held.train.min(), held.train.max())
    assert any("decoded once into a file in" in note for note in streamed.notes) == (room and case in DECODED)
    assert not any(path.is_file() for path in cache.rglob("*"))
    assert [*held.notes] == [note for note in streamed.notes if "into memory" not in note]
    index = torch.arange(1, len(held), 2)
    for size in (1, 4, 100):
        a, b = Batches(held.train_pixels, index), Batches(streamed.train_pixels, index)
        assert_alike([*a.in_order(size)], [*b.in_order(size)])
        assert_alike([*a.shuffled(size, seed=3)], [*b.shuffled(size, seed=3)])
        assert_alike([*a.shuffled(size, seed=3)][2:], [*b.shuffled(size, seed=3, skip=2)])
        assert_alike([*a.spread(5).in_order(size)], [*b.spread(5).in_order(size)])


def assert_alike(some: list[Sample], others: list[Sample]) -> None:
    """Assert the same values in the same memory order, which determines the choice of kernels."""
    assert len(some) == len(others)
    for x, y in ((a.seen, b.seen) for a, b in zip(some, others, strict=True)):
        assert x.dtype == y.dtype == torch.float32
        assert torch.equal(x, y) and x.stride() == y.stride()


def test_bytes_stay_bytes_in_memory(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(files)
    expected = {"grey": 1, "real numbers": 4, "resized": 4, "folder": 1, "folder of 8 and 16 bits": 4}
    for case, size in expected.items():
        pixels = load(model_of(spec(CASES[case][1], CASES[case][0]))).train_pixels
        assert isinstance(pixels, Held) and pixels.values.element_size() == size, case


def test_images_that_outgrow_the_memory_when_read_are_streamed(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes would fit, but one file turns out to have 16 bits when most are read."""
    monkeypatch.chdir(files)
    monkeypatch.setattr(first_reading, "_BLOCK_IMAGES", 16)
    model = model_of(spec('folder "mixed"'))
    images = load(model, memory=3 * 70 * 80)
    assert isinstance(images.train_pixels, Streamed)
    assert torch.equal(images.train, load(model).train)


def test_a_disk_that_fills_up_takes_no_copy(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(files)
    monkeypatch.setattr(first_reading, "_BLOCK_IMAGES", 16)
    model = model_of(spec('folder "photos"', "3x8x10"))
    put, added = scratch.Scratch.put, []

    def fill(self: scratch.Scratch, places: Index, values: Tensor) -> bool:
        added.append(values)
        if len(added) == 3:
            monkeypatch.setattr(scratch, "LEFT_FREE", 1 << 60)
        return put(self, places, values)

    monkeypatch.setattr(scratch.Scratch, "put", fill)
    images = load(model, memory=100)
    assert any("read from their files when they are needed" in note for note in images.notes)
    assert torch.equal(images.train, load(model).train)


def test_an_array_of_an_archive_is_read_from_the_file(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(files / "stored.npz", tmp_path)
    model = model_of(spec('npz "stored.npz" key=x', "3x8x10"))
    images = load(model, memory=100)
    assert isinstance(images.train_pixels, Streamed) and isinstance(images.train_pixels.stack.pixels, RowFile)
    content = bytearray((tmp_path / "stored.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "stored.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"stored.npz .* is damaged .*CRC"):
        load(model, memory=100)


@pytest.mark.parametrize("free", [100, 1 << 30])
def test_what_is_wrong_with_a_file_is_reported_before_training(free: int, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    array = np.zeros((2000, 8, 10), np.float32)
    array[1700, 3, 3] = np.nan
    np.save("x.npy", array)
    with pytest.raises(DataError, match=r"x.npy: 1 of 2,000 images contains NaN .* is image 1700"):
        load(model_of(spec('npy "x.npy"')), memory=free)


RUNS = {
    "array": spec('npy "colour.npy"', "3x8x10"),
    "no range": spec('npy "anything.npy" labels="labels.npy" only=1', "1x8x10 in real"),
    "folder with test images": spec('folder "photos"', "3x8x10"),
}


@pytest.mark.parametrize("run", RUNS)
def test_a_whole_run_is_the_same(run: str, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(files)
    text, held, streamed = RUNS[run], tmp_path / "held", tmp_path / "streamed"
    train_and_evaluate(model_of(text), spec_text=text, out=held)
    monkeypatch.setattr(first_reading, "available_memory", lambda: 100)
    train_and_evaluate(model_of(text), spec_text=text, out=streamed)
    assert_same(held, streamed)
    for name in ("metrics.json", "reconstructions.png"):
        assert (held / name).read_bytes() == (streamed / name).read_bytes()
    notes = json.loads((streamed / "environment.json").read_text())["notes"]
    assert any("into memory" in note for note in notes)
    assert evaluate_again(held).differences == ()


def test_a_killed_run_resumes_identically(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(files)
    text = RUNS["array"]
    train_and_evaluate(model_of(text), spec_text=text, out=tmp_path / "whole")
    always_keep(monkeypatch)
    monkeypatch.setattr(first_reading, "available_memory", lambda: 100)
    run = lambda: train_and_evaluate(model_of(text), spec_text=text, out=tmp_path / "killed")  # noqa: E731
    killed_at(10, monkeypatch, run)
    resume(tmp_path / "killed")
    assert_same(tmp_path / "whole", tmp_path / "killed")


def cut_short(folder: Path) -> None:
    os.truncate(folder / "colour.npy", 1000)


def write_over(folder: Path) -> None:
    np.save(folder / "colour.npy", COLOUR[::-1])


def remove_image(folder: Path) -> None:
    (folder / "photos" / "train" / "a" / "00.png").unlink()


def replace_image(folder: Path) -> None:
    Image.fromarray(COLOUR[1]).save(folder / "photos" / "train" / "a" / "00.png")


@pytest.mark.parametrize(
    ("harm", "run", "message"),
    [
        (cut_short, "array", r"colour.npy was (truncated|changed) while it was in use"),
        (write_over, "array", r"colour.npy was changed while it was in use: restore it"),
        (remove_image, "folder with test images", r"00.png cannot be read: no such file"),
        (replace_image, "folder with test images", r"00.png was changed while it was in use: restore it"),
    ],
)
def test_a_file_that_changes_while_training(
    harm: Callable[[Path], None], run: str, message: str, files: Path, tmp_path: Path, monkeypatch, full_disk: None
) -> None:
    """The error names the file, the state is saved, and once the file is restored the run resumes normally."""
    shutil.copytree(files, tmp_path / "data")
    monkeypatch.chdir(tmp_path / "data")
    text = RUNS[run]
    train_and_evaluate(model_of(text), spec_text=text, out=tmp_path / "whole")
    always_keep(monkeypatch)
    monkeypatch.setattr(first_reading, "available_memory", lambda: 100)
    take_step = Training.take_step

    def harmed(self: Training, *x_bchw: Any) -> Losses:
        if self.step == 8:
            harm(tmp_path / "data")
        return take_step(self, *x_bchw)

    with monkeypatch.context() as patched:
        patched.setattr(Training, "take_step", harmed)
        with pytest.raises(DataError, match=rf"(?s){message}.*best weights before it are in .*--resume"):
            train_and_evaluate(model_of(text), spec_text=text, out=tmp_path / "run")
    assert json.loads((tmp_path / "run" / "state.json").read_text())["state"] == "failed"
    shutil.rmtree(tmp_path / "data")
    shutil.copytree(files, tmp_path / "data")
    monkeypatch.chdir(tmp_path / "data")
    resume(tmp_path / "run")
    assert_same(tmp_path / "whole", tmp_path / "run")


def test_a_file_that_is_gone_when_the_run_is_evaluated(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full_disk: None
) -> None:
    shutil.copytree(files, tmp_path / "data")
    monkeypatch.chdir(tmp_path / "data")
    monkeypatch.setattr(first_reading, "available_memory", lambda: 100)
    text, run = RUNS["folder with test images"], tmp_path / "run"

    class Harm(Reporter):
        def loading(self, task: str, done: int, total: int, unit: str) -> None:
            if task == "evaluating":
                remove_image(tmp_path / "data")

    with pytest.raises(DataError, match=r"(?s)00.png cannot be read.*its weights are in .*--resume \S* evaluates them"):
        train_and_evaluate(model_of(text), spec_text=text, out=run, reporter=Harm())
    shutil.copytree(files, tmp_path / "data", dirs_exist_ok=True)
    resume_and_evaluate(run)
    assert evaluate_again(run).differences == ()


def test_a_decoded_copy_outlives_its_files(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(files / "photos", tmp_path / "data" / "photos")
    monkeypatch.chdir(tmp_path / "data")
    model = model_of(RUNS["folder with test images"])
    images, expected = load(model, memory=100), load(model).train
    shutil.rmtree(tmp_path / "data" / "photos")
    assert torch.equal(images.train, expected)


def test_a_slice_of_each_batch_is_read(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(files)
    model = model_of(RUNS["array"])
    whole = Batches(load(model).train_pixels)
    streamed = Batches(load(model, memory=100).train_pixels)
    for batches in (whole, streamed):
        parts = [[*batches.sliced(rank, 3).shuffled(9, seed=1, skip=1)] for rank in range(3)]
        assert_alike([joined(part) for part in zip(*parts, strict=True)], [*whole.shuffled(9, seed=1, skip=1)])
