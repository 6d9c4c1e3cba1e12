"""Lookup of the reader of a data source."""

from importlib import import_module
from typing import cast

from caedsl.data.readers.source_reader import Reader
from caedsl.vocabulary.sources import SOURCES


def reader_of(name: str) -> Reader:
    """Return the function that reads the source ``name``."""
    module, function = SOURCES[name].reader
    return cast(Reader, getattr(import_module(f"caedsl.data.readers.{module}"), function))
