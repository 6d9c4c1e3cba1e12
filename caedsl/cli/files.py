"""Files of a command: find specs, read them, and write a text so that nothing is ever half-written."""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from caedsl.source import Source
from caedsl.syntax.reading import MAX_BYTES, SourceError, decode_source, read_source

STANDARD_INPUT = "-"
ENDING = ".cae"

_SKIPPED = frozenset({"runs", "node_modules", "__pycache__"})
_ENVIRONMENT_MARK = "pyvenv.cfg"


class FoundFiles(NamedTuple):
    """The files that arguments lead to, each once, and what is wrong with those that lead to none."""

    paths: list[str]
    problems: list[str]


class WriteError(OSError):
    """A text that could not be written. Its text names the path, what is wrong and the remedy."""


def find_specs(arguments: Sequence[str], excluded: Callable[[str], bool] | None = None) -> FoundFiles:
    """Return the specs among ``arguments`` and below the folders among them.

    A folder stands for all ``.cae`` files below it, sorted, but for those in hidden folders, run folders and virtual
    environments, and those that are ``excluded``. A file that is named is taken whatever it is called.
    """
    paths: dict[str, None] = {}
    problems: list[str] = []
    for argument in arguments:
        if argument == STANDARD_INPUT or not os.path.isdir(argument):
            paths[argument] = None
            continue
        below = _specs_below(argument, problems)
        wanted = [path for path in below if excluded is None or not excluded(path)]
        if not wanted:
            which = "only excluded specs" if below else f"no {ENDING} file"
            problems.append(f"{argument}: this folder has {which}; name a file, or another folder")
        paths.update(dict.fromkeys(wanted))
    return FoundFiles(list(paths), problems)


def _specs_below(folder: str, problems: list[str]) -> list[str]:
    def unreadable(error: OSError) -> None:
        problems.append(f"{error.filename}: this folder cannot be read ({error.strerror}); change its permissions")

    specs = []
    for place, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = [name for name in folders if not _is_skipped(place, name)]
        specs += [os.path.normpath(os.path.join(place, name)) for name in files if name.endswith(ENDING)]
    return sorted(specs)


def _is_skipped(place: str, name: str) -> bool:
    return name.startswith(".") or name in _SKIPPED or os.path.exists(os.path.join(place, name, _ENVIRONMENT_MARK))


def read_spec(path: str) -> Source:
    """Return the spec at ``path``, ``-`` for standard input; raises ``SourceError``."""
    if path == STANDARD_INPUT:
        if sys.stdin is None:
            raise SourceError("<stdin>: standard input is closed; name a `.cae` file")
        return decode_source(sys.stdin.buffer.read(MAX_BYTES + 1), "<stdin>")
    return read_source(path)


def write_text(path: str, text: str) -> None:
    """Make ``text`` what the file ``path`` holds, all at once; raises ``WriteError`` where that fails.

    The file is then as it was. Its permissions stay, and a symbolic link still leads to it; a new file gets the usual
    ones.
    """
    from tempfile import mkstemp

    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    try:
        status = os.stat(target) if os.path.exists(target) else None
        if status is not None and not (os.access(target, os.W_OK) and status.st_mode & 0o222):
            raise WriteError(f"{path}: this file is read-only and was left as it is; make it writable (`chmod u+w`)")
        handle, beside = mkstemp(prefix=f".{name}.", dir=folder)
    except WriteError:
        raise
    except OSError as error:
        raise WriteError(
            f"{path}: nothing can be written in its folder ({error.strerror}), and nothing was; "
            "make the folder, and make it writable, or choose another place"
        ) from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        if status is None:
            os.chmod(beside, 0o666 & ~_umask())
        else:
            _keep_owner(beside, status)
        os.replace(beside, target)
    except BaseException as error:
        os.unlink(beside)
        if isinstance(error, OSError):
            raise WriteError(
                f"{path}: the file was left as it is, for writing failed ({error.strerror}); "
                "see that the disk has room and the folder is writable"
            ) from None
        raise


def _umask() -> int:
    """Return the permissions that new files of this process do not get; asking for it means setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _keep_owner(beside: str, status: os.stat_result) -> None:
    """Give the new file the owner of the old one, where that is allowed, and its permissions."""
    if hasattr(os, "chown") and (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
        # Another's file stays writable for those who may write it; only its owner becomes who changed it.
        with suppress(PermissionError):
            os.chown(beside, status.st_uid, status.st_gid)
    os.chmod(beside, status.st_mode & 0o7777)
