"""Reason why a layer cannot be placed."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from caedsl.diagnostics.finding import Datum


class Misfit(NamedTuple):
    """Finding about a layer, without a position.

    ``name`` is the name of the rule; ``option`` is the one to point at; ``notes`` show the arithmetic, ``help`` the
    remedy, and ``data`` the numbers.
    """

    name: str
    message: str
    notes: tuple[str, ...] = ()
    help: str = ""
    option: str = ""
    data: Mapping[str, Datum] = MappingProxyType({})
