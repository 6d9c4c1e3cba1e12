"""Names of the samples of a source: the file that each comes from, or its number."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeGuard

from caedsl.data.folder_stack import FolderStack
from caedsl.data.stack import Index, Stack
from caedsl.diagnostics.text import printable


def names_files(stack: Stack) -> TypeGuard[FolderStack]:
    """Return whether each sample is a file."""
    return isinstance(stack, FolderStack)


def sample_names(stack: Stack, index: Index) -> list[str]:
    """Return the names of the samples of these numbers: paths from the folder of the source, else numbers from 0."""
    if names_files(stack):
        return [file_name(stack.paths[number], stack.root) for number in index.tolist()]
    return [str(number) for number in index.tolist()]


def file_names(paths: Sequence[Path], root: Path) -> list[str]:
    """Return the names of files; see ``file_name``."""
    return [file_name(path, root) for path in paths]


def file_name(path: Path, root: Path) -> str:
    """Return the path of a file from the folder ``root``, or from that of the file ``root``, where it lies in it."""
    for folder in (root, root.parent):
        if path.is_relative_to(folder):
            return printable(str(path.relative_to(folder)))
    return printable(str(path))
