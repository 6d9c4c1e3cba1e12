"""Sources too large to be read before the first step: a sample is looked at, the rest is read when it is needed."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from caedsl.data import first_reading
from caedsl.data.errors import DataError
from caedsl.data.loading import load
from caedsl.data.stacks import array_stack, folder_stack, scratch, stack
from caedsl.data.stacks.cached_stack import Cached
from caedsl.data.stacks.pixels import Held, Streamed
from caedsl.evaluation.evaluated_run import train_and_evaluate
from caedsl.evaluation.reevaluation import evaluate_again
from caedsl.training.batches import Batches
from caedsl.training.resume import resume

from .test_resume import assert_same, killed_at
from .test_streaming import assert_alike
from .tiny import always_keep, model_of

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8)
SPEC = """
autoencoder small
input {input}
data {data}
encoder {{ conv 2 relu; maxpool 2 }}
bottleneck dense 3
decoder mirror
train {{ optimizer adam lr=1e-2; batch 9; epochs 2; precision fp32; threads 1 }}
"""
FOLDER = SPEC.format(input="1x8x8", data='folder "photos"')


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return forty images in two classes; the eight evenly chosen are 0, 6, 11, 17, 22, 28, 33 and 39."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for number, image in enumerate(IMAGES):
        path = tmp_path / "photos" / "ab"[number // 20] / f"{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return tmp_path / "photos"


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat more than ten files, or a thousand bytes, as a large source."""
    monkeypatch.setattr(folder_stack, "MANY_FILES", 10)
    monkeypatch.setattr(array_stack, "LARGE_BYTES", 1000)
    monkeypatch.setattr(first_reading, "_LOOKED_AT", 8)


def count_reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    read, reads = folder_stack.FolderStack.read, []

    def counted(self: folder_stack.FolderStack, index: np.ndarray) -> stack.RawSamples:
        reads.extend(index.tolist())
        return read(self, index)

    monkeypatch.setattr(folder_stack.FolderStack, "read", counted)
    return reads


@pytest.mark.parametrize("memory", [None, 100])
def test_batches_are_the_same_and_each_file_is_decoded_once(
    memory: int | None, photos: Path, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as small:
        small.setattr(folder_stack, "MANY_FILES", 100)
        expected = Batches(load(model_of(FOLDER)).train_pixels)
    reads = count_reads(monkeypatch)
    images = load(model_of(FOLDER), memory=memory)
    assert sorted(reads) == [0, 6, 11, 17, 22, 28, 33, 39]
    assert any("checked 8 of 40 images; all are read when they are first needed" in x for x in images.notes)
    assert images.train_pixels.span() == (images.train[reads].min(), images.train[reads].max())
    reads.clear()
    images = load(model_of(FOLDER), memory=memory)
    pixels = images.train_pixels
    assert isinstance(pixels, Cached) and not pixels.at_hand
    batches = Batches(pixels)
    assert_alike([*batches.spread(5).in_order(2)], [*expected.spread(5).in_order(2)])
    for seed in range(3):
        assert_alike([*batches.shuffled(7, seed)], [*expected.shuffled(7, seed)])
    assert len(reads) == 8 + 40
    assert pixels.at_hand == (memory is None)
    assert (images.labels_of("training") == torch.arange(40) // 20).all()
    assert images.name_of("train", 39) == "b/39.png"


def test_images_are_held_once_all_were_read(photos: Path, large: None) -> None:
    """An epoch later, they are held where those of a small source are; both parts share them."""
    pixels = load(model_of(FOLDER)).train_pixels
    train, validation = (Batches(pixels, torch.arange(start, 40, 2)) for start in (0, 1))
    first = [*train.sliced(0, 1).in_order(8)]
    assert isinstance(train.images, Cached)
    rest = [*validation.sliced(0, 1).in_order(8)]
    assert_alike(first, [*train.sliced(0, 1).in_order(8)])
    assert_alike(rest, [*validation.sliced(0, 1).in_order(8)])
    assert isinstance(train.images, Held) and train.images is validation.images
    assert train.images.span() == pixels.span()


@pytest.mark.parametrize("memory", [None, 100])
def test_one_file_of_16_bits_is_read_whole(memory: int | None, photos: Path, large: None) -> None:
    """Memory was allocated for bytes: wider images are decoded again, and batches may mix both."""
    deep = IMAGES[5].astype(np.uint16) * 257 + 3
    Image.fromarray(deep).save(photos / "a" / "05.png")
    batches = Batches(load(model_of(FOLDER), memory=memory).train_pixels)
    for _ in range(2):
        seen = torch.cat([sample.seen for sample in batches.in_order(4)])[:, 0].numpy()
        np.testing.assert_allclose(seen[5], deep / np.float32(65535), rtol=1e-6)
        np.testing.assert_array_equal(np.delete(seen, 5, 0), np.delete(IMAGES, 5, 0) / np.float32(255))


def test_where_there_is_no_room_each_file_is_decoded_when_it_is_needed(
    photos: Path, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch, "LEFT_FREE", 1 << 60)
    images = load(model_of(FOLDER), memory=100)
    reads = count_reads(monkeypatch)
    first, second = images.train, images.train
    assert torch.equal(first, second) and len(reads) == 80


def test_a_run_is_the_same_wherever_its_images_are(
    photos: Path, large: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    train_and_evaluate(model_of(FOLDER), spec_text=FOLDER, out=whole)
    assert evaluate_again(whole).differences == ()
    notes = json.loads((whole / "environment.json").read_text())["notes"]
    assert any(note.startswith("checked 8 of 40 images") for note in notes)
    always_keep(monkeypatch)
    monkeypatch.setattr(first_reading, "available_memory", lambda: 100)
    killed_at(6, monkeypatch, lambda: train_and_evaluate(model_of(FOLDER), spec_text=FOLDER, out=killed))
    resume(killed)
    assert_same(whole, killed)
    assert (whole / "validation.txt").read_text().split() == (killed / "validation.txt").read_text().split()


def test_the_checksum_differs_for_other_files(photos: Path, large: None) -> None:
    before = load(model_of(FOLDER)).sha256
    assert load(model_of(FOLDER), memory=100).sha256 == before
    Image.fromarray(IMAGES[0]).save(photos / "b" / "39.png")
    other = load(model_of(FOLDER)).sha256
    (photos / "b" / "38.png").rename(photos / "b" / "38a.png")
    assert len({before, other, load(model_of(FOLDER)).sha256}) == 3


def test_a_quick_scan_names_all_broken_files(photos: Path, large: None) -> None:
    for name in ("a/06.png", "a/07.png", "b/31.png"):
        (photos / name).write_bytes(b"no image")
    with pytest.raises(DataError, match=r"(?s)3 of 40 images .* cannot be used:.*06.png.*07.png.*31.png.*skip=broken"):
        load(model_of(FOLDER))


def test_a_broken_file_is_named_when_it_is_met(photos: Path, large: None, tmp_path: Path) -> None:
    """A repaired file may be trained on."""
    run, broken = tmp_path / "run", photos / "a" / "07.png"
    good = broken.read_bytes()
    broken.write_bytes(b"no image")
    with pytest.raises(DataError, match=r"(?s)07.png cannot be decoded.*add `skip=broken`"):
        train_and_evaluate(model_of(FOLDER), spec_text=FOLDER, out=run)
    broken.write_bytes(good)
    train_and_evaluate(model_of(FOLDER), spec_text=FOLDER, out=run)


def test_skip_broken_reads_all_files_first(photos: Path, large: None) -> None:
    (photos / "a" / "07.png").write_bytes(b"no image")
    images = load(model_of(FOLDER.replace('"photos"', '"photos" skip=broken')))
    assert isinstance(images.train_pixels, Held) and len(images) == 39
    assert len(images.skipped) == 1 and "07.png" in images.skipped[0]


def test_large_arrays(photos: Path, large: None, tmp_path: Path) -> None:
    """Arrays are copied into memory if they fit, and otherwise read row by row, with the same checksum."""
    np.save(tmp_path / "x.npy", IMAGES)
    model = model_of(SPEC.format(input="1x8x8", data='npy "x.npy"'))
    held, streamed = load(model), load(model, memory=100)
    assert isinstance(held.train_pixels, Held) and isinstance(streamed.train_pixels, Streamed)
    assert held.sha256 == streamed.sha256
    assert torch.equal(held.train, streamed.train)
    np.testing.assert_array_equal((held.train[:, 0] * 255).round().numpy(), IMAGES)
    resized = load(model_of(SPEC.format(input="1x4x4", data='npy "x.npy"')))
    assert isinstance(resized.train_pixels, Cached) and resized.train.shape == (40, 1, 4, 4)


def test_the_range_of_real_numbers_is_that_of_the_images_looked_at(photos: Path, large: None, tmp_path: Path) -> None:
    """The result is the same whether memory holds all images or not."""
    np.save(tmp_path / "x.npy", IMAGES.astype(np.float32))
    model = model_of(SPEC.format(input="1x8x8 in real", data='npy "x.npy"'))
    looked_at = IMAGES[[0, 6, 11, 17, 22, 28, 33, 39]]
    for memory in (None, 100):
        assert load(model, memory=memory).train_pixels.span() == (looked_at.min(), looked_at.max())
