"""Samples given by a data line as in a spec: ``npz "x.npz" key=images``."""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from caedsl.data.errors import DataError
from caedsl.diagnostics.explanation import is_error
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.data import DataSource
from caedsl.resolve.merging.overrides import OverrideError, override
from caedsl.resolve.resolve import resolve
from caedsl.syntax.parser import parse
from caedsl.vocabulary.option import Type
from caedsl.vocabulary.sources import SOURCES

_DATA = "data "


def is_data_line(given: str) -> bool:
    """Return whether ``given`` is a data line: it starts with a source, and no file has that name."""
    first, *_ = re.split(r"[\s;{]", given.removeprefix(_DATA), maxsplit=1)
    return first in SOURCES and not os.path.lexists(given)


def with_data_line(model: Autoencoder, line: str) -> Autoencoder:
    """Return ``model`` with the sources of a data line; paths are relative to the current folder.

    Raise a ``DataError`` if the line is invalid.
    """
    try:
        source = override(model.source, {"data": line.removeprefix(_DATA)})
    except OverrideError as error:
        raise DataError(str(error)) from None
    tree, _ = parse(source)
    changed, findings = resolve(tree, source)
    for finding in findings:
        if is_error(finding):
            remedy = f"; {finding.help}" if finding.help else ""
            raise DataError(f"`{line}` cannot be read: {finding.message}{remedy}")
    assert changed is not None, "a spec without errors has a model"
    return replace(model, data=tuple(map(_from_here, changed.data)))


def _from_here(source: DataSource) -> DataSource:
    return replace(source, **dict(_absolute_paths(source)))  # type: ignore[arg-type]


def _absolute_paths(source: DataSource) -> Iterator[tuple[str, str]]:
    """Yield the path options of a source with absolute paths."""
    for option in source.kind.options:
        value = getattr(source, option.name)
        if option.type is Type.PATH and isinstance(value, str):
            yield option.name, str(Path(os.path.expanduser(value)).absolute())
