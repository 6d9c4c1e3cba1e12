"""Why a layer cannot stand where it stands."""

from typing import NamedTuple


class Misfit(NamedTuple):
    """``name`` is the rule's; ``option`` is the one to point at; ``notes`` show the arithmetic; ``help`` the remedy."""

    name: str
    message: str
    notes: tuple[str, ...] = ()
    help: str = ""
    option: str = ""
