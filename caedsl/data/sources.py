"""The kinds of data sources: a new one is one file and one line here."""

from collections.abc import Mapping

from caedsl.data import arrays, cifar10, digits, folder, idx, manifest, mnist
from caedsl.data.source_reader import Reader

READERS: Mapping[str, Reader] = {
    "digits": digits.read,
    "mnist": mnist.read,
    "fashion_mnist": mnist.read,
    "kmnist": mnist.read,
    "cifar10": cifar10.read,
    "folder": folder.read,
    "manifest": manifest.read,
    "npy": arrays.read_npy,
    "npz": arrays.read_npz,
    "idx": idx.read,
}
