"""MNIST and similar sets, CIFAR-10 and the embedded digits."""

import gzip
import io
import os
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from caedsl.data.errors import DataError
from caedsl.data.loading import load
from caedsl.data.readers import cifar10, digits, mnist
from caedsl.model.data import DataSource, InputRange

from .conftest import CLOSED, mnist_files, spec, write_all

REAL_FILES = os.environ.get("CAEDSL_DATA")


def test_digits_are_the_real_ones_at_the_range(read) -> None:
    images = read("digits")
    assert images.train.shape == (1797, 1, 8, 8)
    assert images.train.dtype == torch.float32
    assert images.train.is_contiguous()
    assert (images.train.min(), images.train.max()) == (0, 1)
    assert images.test is None
    assert images.labels is not None
    assert images.labels.bincount().tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert images.notes == ()


@pytest.mark.parametrize("table", [digits._TABLE, "elsewhere.csv.gz"])
def test_digits_are_those_of_scikit_learn(table: str, read, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are read from its file or, if a version keeps that elsewhere, by its own function."""
    monkeypatch.setattr(digits, "_TABLE", table)
    images, original = read("digits"), load_digits()
    np.testing.assert_array_equal(16 * images.train[:, 0].numpy(), original.images)
    np.testing.assert_array_equal(images.labels.numpy(), original.target)


def test_digits_need_one_channel(read) -> None:
    with pytest.raises(DataError, match="write `input 1x8x8`"):
        read("digits", shape=(3, 8, 8))


@pytest.mark.parametrize("place", ["mnist", "MNIST/raw", "MNIST", "."])
@pytest.mark.parametrize("zipped", [True, False])
def test_mnist_is_found_where_people_keep_it(place: str, zipped: bool, tmp_path: Path, read) -> None:
    files = mnist_files()
    kept = files if zipped else {name.removesuffix(".gz"): gzip.decompress(files[name]) for name in files}
    write_all(tmp_path / "data" / place, kept)
    images = read("mnist", data_dir=tmp_path / "data")
    pixels = np.frombuffer(gzip.decompress(files[mnist.FILES[0]])[16:], np.uint8).reshape(12, 1, 8, 8)
    assert torch.equal(images.train, torch.tensor(pixels).float() / 255)
    assert images.test is not None
    assert images.test.shape == (6, 1, 8, 8)
    assert images.labels.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    assert images.test_labels.tolist() == [0, 1, 2, 3, 4, 5]
    assert any("not the published file" in note for note in images.notes)


@pytest.mark.parametrize("place", ["fashion-mnist", "fashion_mnist", "FashionMNIST/raw"])
def test_fashion_mnist_is_found_under_each_of_its_names(place: str, tmp_path: Path, read) -> None:
    write_all(tmp_path / place, mnist_files())
    images = read("fashion_mnist", data_dir=tmp_path, only="Sneaker")
    assert images.class_names[7] == "Sneaker"
    assert images.labels.tolist() == [7]


def test_the_data_folder_is_the_argument_then_the_variable_then_the_cache(tmp_path: Path, monkeypatch) -> None:
    model = spec(DataSource("mnist"))
    for count, folder in enumerate(("cache/caedsl", "variable", "argument"), start=3):
        write_all(tmp_path / folder / "mnist", mnist_files(train=count))
    assert len(load(model)) == 3
    monkeypatch.setenv("CAEDSL_DATA", str(tmp_path / "variable"))
    assert len(load(model)) == 4
    assert len(load(model, tmp_path / "argument")) == 5
    assert len(load(model, tmp_path / "empty")) == 4


def test_files_of_another_set_are_not_taken(tmp_path: Path, monkeypatch) -> None:
    """All three sets have the same file names: in one flat folder, only checksums distinguish them."""
    import hashlib

    files = mnist_files()
    sha256 = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    fashion = mnist.SETS["fashion_mnist"]
    monkeypatch.setitem(mnist.SETS, "fashion_mnist", replace(fashion, files=replace(fashion.files, files=sha256)))
    write_all(tmp_path, files)
    assert load(spec(DataSource("fashion_mnist")), tmp_path).notes == ()
    with pytest.raises(DataError, match="belong to fashion_mnist"):
        load(spec(DataSource("mnist")), tmp_path)


def test_a_truncated_file_is_an_error_and_not_a_reason_to_fall_back(tmp_path: Path) -> None:
    files = mnist_files()
    files[mnist.FILES[0]] = files[mnist.FILES[0]][:-20]
    write_all(tmp_path / "mnist", files)
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte.gz is damaged .* download it again"):
        load(spec(DataSource("mnist"), DataSource("digits")), tmp_path)


def test_images_in_the_place_of_labels_are_an_error(tmp_path: Path, read) -> None:
    files = mnist_files()
    files[mnist.FILES[1]] = files[mnist.FILES[0]]
    write_all(tmp_path / "mnist", files)
    with pytest.raises(DataError, match="labels are one number per sample, but the shape of this array is 12 x 8 x 8"):
        read("mnist", data_dir=tmp_path)


def test_the_published_checksums_are_those_of_the_real_files() -> None:
    """MNIST and Fashion-MNIST, gzipped and unpacked, if CAEDSL_DATA has them.

    Otherwise, and for KMNIST and CIFAR-10, only the form of the checksums can be tested.
    """
    import hashlib

    for a_set in (*(a.files for a in mnist.SETS.values()), cifar10.CIFAR10):
        assert all(len(bytes.fromhex(sha256)) == 32 for sha256 in a_set.files.values())
        assert all(mirror.endswith("/") for mirror in a_set.mirrors)
    for name in ("mnist", "fashion_mnist") if REAL_FILES else ():
        for paths in mnist.complete(mnist.SETS[name].files, [Path(REAL_FILES or "")]):
            for file, path in paths.items():
                if path.suffix == ".gz" and path.parent != Path(REAL_FILES or ""):
                    assert hashlib.sha256(path.read_bytes()).hexdigest() == mnist.SETS[name].files.files[file]
            images = paths[mnist.FILES[0]]
            if images.suffix == ".gz" and mnist.SETS[name].unpacked:
                content = gzip.decompress(images.read_bytes())
                assert hashlib.sha256(content).hexdigest() == mnist.SETS[name].unpacked


def cifar_batch(count: int, seed: int) -> bytes:
    records = np.random.default_rng(seed).integers(0, 256, (count, 3073), dtype=np.uint8)
    records[:, 0] %= 10
    return records.tobytes()


CIFAR_BATCHES = {
    **{f"data_batch_{n}.bin": cifar_batch(2, n) for n in range(1, 6)},
    "test_batch.bin": cifar_batch(3, 6),
}


def cifar_archive(batches: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, batch in batches.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(batch)
            archive.addfile(member, io.BytesIO(batch))
    return content.getvalue()


@pytest.mark.parametrize("unpacked", [True, False])
def test_cifar10_is_read_from_the_binary_files(unpacked: bool, tmp_path: Path, read) -> None:
    if unpacked:
        write_all(tmp_path / "cifar10" / "cifar-10-batches-bin", CIFAR_BATCHES)
    else:
        write_all(tmp_path / "cifar10", {"cifar-10-binary.tar.gz": cifar_archive(CIFAR_BATCHES)})
    images = read("cifar10", shape=(3, 32, 32), data_dir=tmp_path, range=InputRange(0, 255))
    assert images.train.shape == (10, 3, 32, 32)
    assert images.test.shape == (3, 3, 32, 32)
    second = np.frombuffer(CIFAR_BATCHES["data_batch_1.bin"], np.uint8)[3073:]
    assert images.labels[1] == second[0]
    assert images.train[1].flatten().tolist() == second[1:].tolist()


def test_cifar10_says_what_is_damaged(tmp_path: Path, read) -> None:
    archive = tmp_path / "cifar-10-binary.tar.gz"
    archive.write_bytes(cifar_archive(CIFAR_BATCHES)[:-2000])
    with pytest.raises(DataError, match=r"cifar-10-binary.tar.gz is damaged"):
        read("cifar10", shape=(3, 32, 32), data_dir=tmp_path)
    archive.write_bytes(cifar_archive({"data_batch_1.bin": b"x"}))
    with pytest.raises(DataError, match=r"has no data_batch_2.bin"):
        read("cifar10", shape=(3, 32, 32), data_dir=tmp_path)
    archive.write_bytes(cifar_archive(CIFAR_BATCHES | {"test_batch.bin": b"x"}))
    with pytest.raises(DataError, match=r"test_batch.bin has 1 bytes, not a multiple of 3,073"):
        read("cifar10", shape=(3, 32, 32), data_dir=tmp_path)


def test_pickles_of_cifar10_are_named_and_not_read(tmp_path: Path, read, monkeypatch) -> None:
    monkeypatch.setattr(cifar10, "CIFAR10", replace(cifar10.CIFAR10, mirrors=(CLOSED,)))
    (tmp_path / "cifar-10-batches-py").mkdir()
    with pytest.raises(DataError, match="cifar-10-batches-py contains pickles"):
        read("cifar10", shape=(3, 32, 32), data_dir=tmp_path)


def test_colours_need_the_word_gray(tmp_path: Path, read) -> None:
    write_all(tmp_path / "cifar-10-batches-bin", CIFAR_BATCHES)
    with pytest.raises(DataError, match="add `gray` to the source"):
        read("cifar10", shape=(1, 32, 32), data_dir=tmp_path)
    colour = read("cifar10", shape=(3, 32, 32), data_dir=tmp_path).train
    grey = read("cifar10", shape=(1, 32, 32), data_dir=tmp_path, gray=True)
    red, green, blue = colour.unbind(1)
    torch.testing.assert_close(grey.train[:, 0], 0.299 * red + 0.587 * green + 0.114 * blue)
    assert "colours converted to grey (ITU-R 601 luma)" in grey.notes
