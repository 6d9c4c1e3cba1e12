"""MNIST and the datasets published in its format: Fashion-MNIST and Kuzushiji-MNIST."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from caedsl.data.array_layout import layout
from caedsl.data.errors import DataError
from caedsl.data.files.data_folders import StandardSet, complete, fetch
from caedsl.data.files.idx_format import read_idx
from caedsl.data.files.regular_file import open_regular
from caedsl.data.labels import as_labels
from caedsl.data.readers.source_reader import Request, UnreadImages
from caedsl.data.stacks.array_stack import ArrayStack

FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


@dataclass(frozen=True)
class MnistSet:
    """Dataset of 60,000 and 10,000 grey images of 28x28.

    ``unpacked`` is the SHA-256 of the uncompressed training images, if known.
    """

    files: StandardSet
    class_names: tuple[str, ...]
    unpacked: str | None


def _standard(name: str, sha256: tuple[str, ...], mirrors: tuple[str, ...], places: tuple[str, ...]) -> StandardSet:
    return StandardSet(name, dict(zip(FILES, sha256, strict=True)), mirrors, places)


_ALL = (
    MnistSet(
        _standard(
            "mnist",
            (
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            ),
            ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
            ("mnist", "MNIST/raw", "MNIST"),
        ),
        tuple("0123456789"),
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    MnistSet(
        _standard(
            "fashion_mnist",
            (
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            ),
            (
                "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            ),
            ("fashion_mnist", "fashion-mnist", "FashionMNIST/raw", "FashionMNIST"),
        ),
        (
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    ),
    MnistSet(
        _standard(
            "kmnist",
            (
                "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
                "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
                "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
                "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
            ),
            ("https://codh.rois.ac.jp/kmnist/dataset/kmnist/", "http://codh.rois.ac.jp/kmnist/dataset/kmnist/"),
            ("kmnist", "KMNIST/raw", "KMNIST"),
        ),
        ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        None,
    ),
)
SETS: Mapping[str, MnistSet] = {each.files.name: each for each in _ALL}
"""The published files have the same names in all three datasets; only their checksums tell them apart."""


def read(request: Request) -> UnreadImages:
    """Return the dataset that the source names, from the data folders or the network."""
    name = request.source.name
    chosen = SETS[name]
    looked = []
    for paths in complete(chosen.files, request.data_folders):
        holds = _published_as(paths[FILES[0]])
        if holds is None or holds == name:
            return _found(paths, chosen, request, unknown=holds is None)
        looked.append(f"the files in {paths[FILES[0]].parent} belong to {holds}")
    return _found(fetch(chosen.files, request, looked), chosen, request)


def _published_as(images: Path) -> str | None:
    """Return the dataset with these training images, or None if they cannot be recognised."""
    with open_regular(images) as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return next((name for name, a in SETS.items() if sha256 in (a.files.files[FILES[0]], a.unpacked)), None)


def _found(paths: Mapping[str, Path], chosen: MnistSet, request: Request, unknown: bool = False) -> UnreadImages:
    train, test = (
        _stack(paths[images], paths[labels], request) for images, labels in ((FILES[0], FILES[1]), (FILES[2], FILES[3]))
    )
    notes = []
    recognisable = chosen.unpacked is not None or paths[FILES[0]].suffix == ".gz"
    if unknown and recognisable:
        notes.append(f"{paths[FILES[0]]} is not the published file: its checksum differs")
    return UnreadImages(train, test, class_names=chosen.class_names, notes=tuple(notes))


def _stack(images: Path, labels: Path, request: Request) -> ArrayStack:
    pixels, numbers = read_idx(images), as_labels(read_idx(labels), str(labels)).numbers
    if numbers is not None and numbers.size and not 0 <= numbers.min() <= numbers.max() <= 9:
        raise DataError(
            f"{labels} has labels {numbers.min()}..{numbers.max()}, but the classes of {request.source.name} are 0..9"
        )
    return ArrayStack(pixels, layout(pixels.shape, request.fit, str(images)), request.fit, str(images), numbers)
