"""Output files of commands on trained runs, written atomically and replaced only with ``--overwrite``."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from caedsl.cli.specs import fail
from caedsl.diagnostics.text import counted, printable
from caedsl.runs.confined import kind_of, new_file

if TYPE_CHECKING:
    from caedsl.data.fit import SampleFormat
    from caedsl.inference.output_folder import OutputFolder
    from caedsl.inference.trained_run import Floats

Run = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a trained run.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")]


def new_folder(path: Path, overwrite: bool) -> Path:
    """Return ``path`` if it is new, empty, or may be overwritten; otherwise end the command."""
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
def removed_if_unused(path: Path) -> Iterator[None]:
    """Remove the folder ``path`` if it is created inside the context and the context fails before it has a file."""
    existed = path.exists()
    try:
        yield
    except BaseException:
        if not existed:
            with suppress(OSError):  # it is not empty
                path.rmdir()
        raise


def say(message: str, err: bool = False) -> None:
    """Print lines; characters of a name that would control the terminal are shown in visible form."""
    typer.echo("\n".join(map(printable, message.split("\n"))), err=err)


@contextmanager
def filled(path: Path, overwrite: bool) -> "Iterator[OutputFolder]":
    """Write samples into the folder ``path`` inside the context; end the command if that fails.

    Report afterwards how many samples have files with names other than their own.
    """
    from caedsl.inference.output_folder import OutputError, OutputFolder

    with removed_if_unused(path):
        folder = OutputFolder(new_folder(path, overwrite))
        try:
            yield folder
        except OutputError as error:
            raise fail(str(error)) from None
    if folder.renamed:
        say(
            f"caedsl: renamed {counted(folder.renamed, 'file')} in {path}, because some names of samples lead "
            "elsewhere or are not unique",
            err=True,
        )


@contextmanager
def new_output(path: Path, overwrite: bool) -> Iterator[IO[bytes]]:
    """Write a file atomically inside the context; end the command if it exists or cannot be written."""
    refuse_existing(path, overwrite)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with new_file(path.parent, path.name) as file:
            yield file
    except OSError as error:
        raise fail(f"{path} cannot be written ({error.strerror or error}): choose another place") from None


def write_new(path: Path, content: bytes, overwrite: bool) -> None:
    """Write the content of a file; see ``new_output``."""
    with new_output(path, overwrite) as file:
        file.write(content)


def write_samples(output: Path, names: Sequence[str], samples: "Floats", fit: "SampleFormat", overwrite: bool) -> None:
    """Write samples in the input's range: as one array if ``output`` ends in .npy, otherwise as pictures."""
    from caedsl.inference.pictures import write_decoded
    from caedsl.inference.tables import array_bytes

    if output.suffix == ".npy":
        write_new(output, array_bytes(samples), overwrite)
    else:
        with filled(output, overwrite) as folder:
            write_decoded(folder, names, samples, fit)


def refuse_existing(path: Path, overwrite: bool) -> None:
    """End the command if ``path`` exists and must not be replaced."""
    if path.exists() and not path.is_file():
        raise fail(f"{path} is a {kind_of(path.stat())}, but the output is a file: name a file")
    if path.exists() and not overwrite:
        raise fail(f"{path} already exists: choose another name, or add --overwrite")
