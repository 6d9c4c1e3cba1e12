"""No path writes a line of its own to the terminal: a name may contain line ends and controls.

Each command gets such a name in the place of each of its paths.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.test_hostile_specs import DANGEROUS
from tests.cli.test_unusable_paths import READ, WRITTEN, named
from tests.cli.workplace import new_place, place, whole, words_of
from tests.conftest import Ran

__all__ = ["new_place", "place", "whole"]  # the fixtures

if sys.platform == "win32":
    pytest.skip("Windows allows no such names", allow_module_level=True)

NAME = "a\ncaedsl: forged\r\x1b[31m\u202e\x85\u2028[/b]"
Run = Callable[..., Ran]


def hold(ran: Ran) -> None:
    """Check that each line is one of the program, and that none controls the terminal."""
    assert ran.code in (0, 1, 2), ran
    assert not DANGEROUS.search(ran.out + ran.err), ran
    for line in (ran.out + ran.err).splitlines():
        assert not line.lstrip().startswith("caedsl: forged"), ran


@pytest.mark.parametrize("command", [each for commands in READ.values() for each in commands], ids=named)
def test_paths_to_read(command: str, place: Path, caedsl: Run) -> None:
    ending = command.partition("{bad}")[2].partition(" ")[0].partition(":")[0].strip("'\"")
    hold(caedsl(*words_of(command, NAME)))
    Path(NAME + ending).mkdir(parents=True)
    hold(caedsl(*words_of(command, NAME)))


@pytest.mark.parametrize("command", [each for commands in WRITTEN.values() for each in commands], ids=named)
def test_paths_to_write(command: str, place: Path, caedsl: Run) -> None:
    hold(caedsl(*words_of(command, NAME)))
