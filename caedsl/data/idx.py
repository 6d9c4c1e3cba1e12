"""Images in the file format of MNIST."""

from caedsl.data.arrays import read_labels
from caedsl.data.folder_layout import TEST, VALIDATION
from caedsl.data.idx_format import read_idx
from caedsl.data.labels import StoredLabels
from caedsl.data.layout import array_stack, parts_of
from caedsl.data.source_reader import Request, UnreadImages


def read(request: Request) -> UnreadImages:
    """Find the images of one idx file, with ``labels`` from another where the source names it."""
    path = request.path(request.source.path)
    labels = read_labels(request.path(request.source.labels)) if request.source.labels else StoredLabels()
    parts = parts_of(request, lambda written: (read_idx(request.path(written)), request.path(written)))
    train = array_stack(read_idx(path), path, request, labels.numbers)
    return UnreadImages(train, parts.get(TEST), parts.get(VALIDATION), labels.names)
