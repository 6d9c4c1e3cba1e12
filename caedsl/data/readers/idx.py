"""Images in the file format of MNIST."""

from caedsl.data.array_layout import array_stack, parts_of
from caedsl.data.files.folder_layout import TEST, VALIDATION
from caedsl.data.files.idx_format import read_idx
from caedsl.data.labels import StoredLabels
from caedsl.data.readers.arrays import read_labels, read_weights
from caedsl.data.readers.source_reader import Request, UnreadImages


def read(request: Request) -> UnreadImages:
    """Find the images of an idx file, with ``labels`` from another one if the source names it."""
    path = request.path(request.source.path)
    labels = read_labels(request.path(request.source.labels)) if request.source.labels else StoredLabels()
    parts = parts_of(request, lambda written: (read_idx(request.path(written)), request.path(written)))
    pixels = read_idx(path)
    train = array_stack(pixels, path, request, labels.numbers, read_weights(request, len(pixels)))
    return UnreadImages(train, parts.get(TEST), parts.get(VALIDATION), labels.names)
