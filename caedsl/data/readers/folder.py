"""A folder of image files: flat, in class subfolders, or with subfolders for training, validation and testing."""

from pathlib import Path

from caedsl.data.errors import DataError, UnavailableError
from caedsl.data.files.file_listing import Files, files_in
from caedsl.data.files.folder_layout import TEST, TRAIN, VALIDATION
from caedsl.data.patches import Patches
from caedsl.data.readers.part_folders import part_classes, part_roots
from caedsl.data.readers.source_reader import Request, UnreadImages
from caedsl.data.stacks.folder_stack import FolderStack
from caedsl.data.stacks.picture_stack import check_input
from caedsl.data.stacks.stack import Labels


def read(request: Request) -> UnreadImages:
    """Find the images of a folder, recursively, sorted by name.

    If there are subfolders for training, and perhaps for validation and testing, only those are read. The labels are
    the immediate subfolders, if every image is in one.
    """
    from caedsl.data.files.decoding import suffixes

    check_input(request.fit)
    notes: list[str] = []
    roots = part_roots(request, suffixes(), notes)
    for part, path in roots.items():
        if not path.is_dir():
            named = "a folder" if part == TRAIN else f"a folder after `{part}=`"
            raise DataError(f"{path} is a file, but `folder` reads {named}: for an array, write `npy`, `npz` or `idx`")
    files = {part: images_in(folder, request.root, notes) for part, folder in roots.items()}
    if not files[TRAIN]:
        text = f"{roots[TRAIN]} contains no images (.png, .jpg and so on)"
        raise UnavailableError(text, f"put image files into {roots[TRAIN]}")
    classes = part_classes({part: found.names for part, found in files.items()}, roots, request, notes)
    patches = request.fit.patches
    stacks = {
        part: FolderStack(
            found,
            roots[part],
            request.fit,
            _repeated(classes.labels[part], patches),
            request.source.white,
            patches=patches,
        )
        for part, found in files.items()
        if found
    }
    return UnreadImages(stacks[TRAIN], stacks.get(TEST), stacks.get(VALIDATION), classes.names, tuple(notes))


def images_in(root: Path, allowed: Path | None, notes: list[str]) -> Files:
    """Return the image files below ``root``, sorted by name; add other files to ``notes``.

    If ``allowed`` is a folder, nothing outside it is read.
    """
    from caedsl.data.files.decoding import suffixes

    return files_in(root, allowed, notes, suffixes(), "images")


def _repeated(labels: Labels | None, patches: Patches | None) -> Labels | None:
    """Return the labels of the samples: those of the images, for each of their patches."""
    return labels if labels is None or patches is None else labels.repeat(patches.count)
