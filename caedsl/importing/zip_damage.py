"""Damage in a zip archive, for which each of its decompressors raises errors of its own."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def damage_as_bad_zip() -> Iterator[None]:
    """Turn any error of reading an archive inside the context into ``BadZipFile``."""
    try:
        yield
    except (MemoryError, zipfile.BadZipFile):
        raise
    except Exception as error:
        raise zipfile.BadZipFile(str(error) or type(error).__name__) from error
