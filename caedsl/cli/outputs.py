"""Output files of commands on trained runs: written completely or not at all, replaced only with ``--overwrite``.

``-`` as an output file is standard output.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, cast

import typer

from caedsl.cli.specs import fail
from caedsl.diagnostics.messages import shown_lines
from caedsl.diagnostics.text import counted
from caedsl.runs.confined import kind_of, new_file

if TYPE_CHECKING:
    from caedsl.data.sample_format import SampleFormat
    from caedsl.inference.output_folder import OutputFolder
    from caedsl.inference.trained_run import Floats

Run = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a trained run.")]
STANDARD_OUTPUT = "-"
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")]


def new_folder(path: Path, overwrite: bool) -> Path:
    """Return ``path`` if it is new, empty, or may be overwritten; otherwise end the command."""
    if is_standard_output(path):
        raise fail("- is standard output, but the output is a folder: name a folder")
    if path.exists() and not path.is_dir():
        raise fail(f"{path} is a file, but the output is a folder: choose another name")
    if path.is_dir() and any(path.iterdir()) and not overwrite:
        raise fail(f"{path} is not empty: choose another folder, or add --overwrite")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise fail(f"the folder {path} cannot be created ({error.strerror}): choose another place") from None
    if not os.access(path, os.W_OK):
        raise fail(f"cannot write to {path}: make it writable, or choose another place")
    return path


@contextmanager
def new_parents(path: Path) -> Iterator[None]:
    """Remove ``path`` and its parents that are created inside the context, if the context fails.

    A folder that is not empty stays.
    """
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        yield
    except BaseException:
        for folder in missing:
            with suppress(OSError):  # it is not empty, or not a folder
                folder.rmdir()
        raise


def say(*lines: str, err: bool = False) -> None:
    """Print lines; see ``shown_lines``."""
    typer.echo("\n".join(shown_lines(*lines)), err=err)


@contextmanager
def filled(path: Path, overwrite: bool) -> "Iterator[OutputFolder]":
    """Write files into the folder ``path`` inside the context: all of them, or none if the context fails.

    End the command if that is not possible. Report afterwards how many files were renamed.
    """
    from caedsl.inference.output_folder import OutputError, new_files

    with new_parents(path):
        try:
            with new_files(new_folder(path, overwrite)) as folder:
                yield folder
        except OutputError as error:
            raise fail(error) from None
    if folder.renamed:
        say(
            f"caedsl: renamed {counted(folder.renamed, 'file')} in {path}, because some sample names lead out of the "
            "folder or are not unique",
            err=True,
        )


@contextmanager
def new_output(path: Path, overwrite: bool) -> Iterator[IO[bytes]]:
    """Write a file atomically inside the context; end the command if it exists or cannot be written."""
    if is_standard_output(path):
        yield cast(IO[bytes], sys.stdout.buffer)
        return
    refuse_existing(path, overwrite)
    with new_parents(path.parent):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with new_file(path.parent, path.name) as file:
                yield file
        except OSError as error:
            raise fail(f"{path} cannot be written ({error.strerror or error}): choose another place") from None


def is_standard_output(path: Path | None) -> bool:
    """Return whether an output file is standard output, so that a command reports its success elsewhere."""
    return str(path) == STANDARD_OUTPUT


def write_new(path: Path, content: bytes, overwrite: bool) -> None:
    """Write the content of a file; see ``new_output``."""
    with new_output(path, overwrite) as file:
        file.write(content)


def write_samples(output: Path, names: Sequence[str], samples: "Floats", fit: "SampleFormat", overwrite: bool) -> None:
    """Write samples in the input's range: as one array if ``output`` ends in .npy, otherwise as pictures."""
    from caedsl.inference.pictures import write_decoded
    from caedsl.inference.tables import array_bytes

    if output.suffix.lower() == ".npy":
        write_new(output, array_bytes(samples), overwrite)
    else:
        with filled(output, overwrite) as folder:
            write_decoded(folder, names, samples, fit)


def refuse_existing(path: Path, overwrite: bool) -> None:
    """End the command if ``path`` exists and must not be replaced."""
    if is_standard_output(path):
        return
    if path.exists() and not path.is_file():
        raise fail(f"{path} is a {kind_of(path.stat())}, but the output is a file: name a file")
    if path.exists() and not overwrite:
        raise fail(f"{path} already exists: choose another name, or add --overwrite")
