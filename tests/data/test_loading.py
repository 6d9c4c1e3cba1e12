"""What holds for every source: the table, selection, checksums, memory."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from caedsl.data import first_reading
from caedsl.data.errors import DataError
from caedsl.data.loading import load
from caedsl.data.sources import reader_of
from caedsl.model.data import DataSource
from caedsl.vocabulary.sources import SOURCES

from .conftest import mnist_files, spec, write_all

IMAGES = np.random.default_rng(0).integers(0, 256, (10, 8, 8), dtype=np.uint8)


@pytest.fixture
def arrays(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", IMAGES)
    np.save(tmp_path / "y.npy", np.arange(10) % 3)


def test_every_source_of_the_language_is_read() -> None:
    assert all(callable(reader_of(name)) for name in SOURCES)


def test_a_spec_without_data_says_what_to_add() -> None:
    with pytest.raises(DataError, match="tiny has no `data` line: add one, such as `data digits`"):
        load(spec())


def test_gray_needs_an_input_of_one_channel(read) -> None:
    with pytest.raises(DataError, match="`gray` leaves one channel, but the input is 3x8x8"):
        read("digits", shape=(3, 8, 8), gray=True)


def test_only_is_applied_before_limit(arrays, read) -> None:
    images = read("npy", path="x.npy", labels="y.npy", only=1, limit=2)
    taken = (images.train[:, 0].numpy() * 255).round()
    assert [any((image == IMAGES[number]).all() for number in (1, 4, 7)) for image in taken] == [True, True]
    assert images.labels.tolist() == [1, 1]
    assert images.notes == ("only images of class 1", "limited to 2 randomly chosen images")


def test_a_limit_that_leaves_nothing_out_is_not_mentioned(arrays, read) -> None:
    assert read("npy", path="x.npy", limit=10).notes == ()


def test_a_limit_keeps_the_shares_of_the_classes(tmp_path: Path, read) -> None:
    """The files are sorted by class, so the first ones belong to a single class."""
    labels = np.repeat([0, 1, 2], [600, 300, 100])
    np.save(tmp_path / "x.npy", (np.arange(1000, dtype=np.uint16).reshape(-1, 1, 1) * np.ones((8, 8), np.uint16)))
    np.save(tmp_path / "y.npy", labels)
    images = read("npy", path="x.npy", labels="y.npy", limit=20)
    assert np.bincount(images.labels).tolist() == [12, 6, 2]
    numbers = (images.train[:, 0, 0, 0] * 65535).round().int().tolist()
    assert numbers == sorted(set(numbers))
    assert labels[numbers].tolist() == images.labels.tolist()
    assert numbers[:12] != list(range(12))
    again = read("npy", path="x.npy", labels="y.npy", limit=20)
    assert again.sha256 == images.sha256
    assert sorted(read("npy", path="x.npy", labels="y.npy", limit=3).labels.tolist()) == [0, 1, 2]
    assert len(set(read("npy", path="x.npy", limit=20).train[:, 0, 0, 0].tolist())) == 20


def test_a_limit_leaves_the_test_images_alone(read, tmp_path: Path) -> None:
    write_all(tmp_path / "mnist", mnist_files())
    images = read("mnist", limit=4, data_dir=tmp_path)
    assert len(images) == 4
    assert len(images.test_pixels) == 6


def test_a_class_that_is_not_there_is_an_error_with_those_that_are(arrays, read) -> None:
    with pytest.raises(DataError, match=r'npy "x.npy" has no class 7: its classes are 0, 1, 2'):
        read("npy", path="x.npy", labels="y.npy", only=7)
    with pytest.raises(DataError, match=r"digits has no class cat: its classes are 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"):
        read("digits", only="cat")


def test_only_needs_labels(arrays, read) -> None:
    with pytest.raises(DataError, match=r"`only=1` needs labels, but .* add `labels="):
        read("npy", path="x.npy", only=1)


def test_the_checksum_is_that_of_the_images_that_are_used(arrays, read, tmp_path: Path) -> None:
    import hashlib

    np.save(tmp_path / "y.npy", np.array([0] * 4 + [1] * 6))
    whole, part = read("npy", path="x.npy"), read("npy", path="x.npy", labels="y.npy", only=0)
    assert whole.sha256 == hashlib.sha256(IMAGES.tobytes()).hexdigest()
    assert part.sha256 == hashlib.sha256(IMAGES[:4].tobytes()).hexdigest()
    assert read("npy", path="x.npy", shape=(1, 4, 4)).sha256 == whole.sha256


def test_blocks_change_nothing(arrays, read, monkeypatch) -> None:
    whole = read("npy", path="x.npy", shape=(1, 5, 5))
    monkeypatch.setattr(first_reading, "_BLOCK_BYTES", 1000)
    seen: list[tuple[str, int, int, str]] = []
    in_blocks = read("npy", path="x.npy", shape=(1, 5, 5), progress=lambda *step: seen.append(step))
    assert (in_blocks.train == whole.train).all()
    assert in_blocks.sha256 == whole.sha256
    assert seen == [('reading npy "x.npy"', done, 10, "images") for done in (3, 6, 9, 10)]


@pytest.mark.parametrize("free", [2 * IMAGES.nbytes, 2 * IMAGES.nbytes - 1])
def test_images_take_at_most_half_of_the_memory(free: int, arrays, read, monkeypatch) -> None:
    monkeypatch.setattr(first_reading, "available_memory", lambda: free)
    images = read("npy", path="x.npy")
    assert images.train_pixels.at_hand == (free == 2 * IMAGES.nbytes)
    said = "the images do not fit into memory (0.0 MB needed, 0.0 MB free), so they are read from their files"
    assert any(said in note for note in images.notes) != images.train_pixels.at_hand
    np.testing.assert_array_equal(images.train[:, 0].numpy() * 255, IMAGES)


def test_processes_on_one_machine_share_its_memory(arrays, read, monkeypatch) -> None:
    monkeypatch.setattr(first_reading, "available_memory", lambda: 4 * IMAGES.nbytes)
    held = {}
    for processes in ("", "2", "3"):
        monkeypatch.setenv("LOCAL_WORLD_SIZE", processes)
        held[processes] = read("npy", path="x.npy").train_pixels.at_hand
    assert held == {"": True, "2": True, "3": False}


def test_a_user_without_a_home_reads_data_all_the_same(arrays, read, monkeypatch) -> None:
    """In a container whose user has only a number, there is no folder for a cache."""

    def homeless(_: str) -> str:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr("pooch.os_cache", homeless)
    assert len(read("digits")) == 1797
    assert (
        load(spec(DataSource("digits", resize="fit"), shape=(1, 9, 9)), memory=100)
        .notes[-1]
        .endswith("they are read from their files when they are needed")
    )
    with pytest.raises(
        DataError, match=r"there is no home folder .*\n.*\n.*set the environment variable CAEDSL_DATA to a"
    ):
        read("mnist")


def test_a_path_starts_from_the_folder_of_the_spec(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "specs").mkdir()
    np.save(tmp_path / "specs" / "x.npy", IMAGES)
    monkeypatch.chdir(tmp_path)
    model = spec(DataSource("npy", path="x.npy"), folder=Path("specs"))
    assert len(load(model)) == 10
    assert len(load(replace(model, data=(DataSource("npy", path=str(tmp_path / "specs" / "x.npy")),)))) == 10
