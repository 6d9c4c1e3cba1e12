"""Images in the file format of MNIST."""

from caedsl.data.arrays import read_labels
from caedsl.data.idx_format import read_idx
from caedsl.data.labels import StoredLabels
from caedsl.data.layout import array_stack
from caedsl.data.source_reader import Found, Request


def read(request: Request) -> Found:
    """Find the images of one idx file, with ``labels`` from another where the source names it."""
    path = request.path(request.source.path)
    labels = read_labels(request.path(request.source.labels)) if request.source.labels else StoredLabels()
    return Found(array_stack(read_idx(path), path, request, labels.numbers), class_names=labels.names)
