"""Files of a command: finding and reading specs, and writing texts atomically."""

import os
import stat
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from caedsl.diagnostics.messages import MessageError
from caedsl.source import Source
from caedsl.syntax.reading import MAX_BYTES, SourceError, decode_source, read_source

STANDARD_INPUT = "-"
ENDING = ".cae"

_SKIPPED = frozenset({"runs", "node_modules", "__pycache__"})
_ENVIRONMENT_MARK = "pyvenv.cfg"


class FoundFiles(NamedTuple):
    """Files that the arguments lead to, each once, and the problems with the others."""

    paths: list[str]
    problems: list[str]


class WriteError(MessageError, OSError):
    """Text that could not be written. The message names the path, the problem and the remedy."""


def find_specs(arguments: Sequence[str], excluded: Callable[[str], bool] | None = None) -> FoundFiles:
    """Return the specs among ``arguments`` and in the folders among them.

    A folder stands for all ``.cae`` files below it, sorted, except those in hidden folders, run folders and virtual
    environments, and those that are ``excluded``. A file named directly is included whatever its name.
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
            problems.append(f"{argument}: this folder has {which}; name a file or another folder")
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
    """Return the spec at ``path``, ``-`` for standard input; raise ``SourceError`` if it cannot be read."""
    if path == STANDARD_INPUT:
        if sys.stdin is None:
            raise SourceError("<stdin>: standard input is closed; name a `.cae` file")
        return decode_source(sys.stdin.buffer.read(MAX_BYTES + 1), "<stdin>")
    return read_source(path)


def write_text(path: str, text: str) -> None:
    """Replace the contents of the file ``path`` by ``text`` atomically; raise ``WriteError`` if that fails.

    After a failure the file is unchanged. Its permissions are kept, and a symbolic link still leads to it; a new file
    gets the usual permissions.
    """
    from tempfile import mkstemp

    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    try:
        status = os.stat(target) if os.path.exists(target) else None
        if status is not None and not stat.S_ISREG(status.st_mode):
            raise WriteError(f"{path}: this is a folder, a pipe or a device, not a file; choose another name")
        if status is not None and not (os.access(target, os.W_OK) and status.st_mode & 0o222):
            raise WriteError(f"{path}: this file is read-only and was not changed; make it writable (`chmod u+w`)")
        handle, temporary = mkstemp(prefix=f".{name}.", dir=folder)
    except WriteError:
        raise
    except OSError as error:
        raise WriteError(
            f"{path}: cannot write to its folder ({error.strerror}); create the folder, make it writable, or choose "
            f"another place"
        ) from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        if status is None:
            os.chmod(temporary, 0o666 & ~_umask())
        else:
            _keep_owner(temporary, status)
        os.replace(temporary, target)
    except BaseException as error:
        os.unlink(temporary)
        if isinstance(error, OSError):
            raise WriteError(
                f"{path}: writing failed ({error.strerror}) and the file was not changed; check that the disk has "
                f"space and the folder is writable"
            ) from None
        raise


def _umask() -> int:
    """Return the permissions that this process removes from new files; reading the mask requires setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _keep_owner(temporary: str, status: os.stat_result) -> None:
    """Give the new file the owner of the old one, if allowed, and its permissions."""
    if hasattr(os, "chown") and (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
        # A file of another owner stays writable for those who may write it; only its owner changes.
        with suppress(PermissionError):
            os.chown(temporary, status.st_uid, status.st_gid)
    os.chmod(temporary, status.st_mode & 0o7777)
