"""Running the program in this process, as a person would from a folder of their own."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from caedsl.cli.main import main


class Ran(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def caedsl(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Return a function that runs a command, as in ``caedsl("show", path)``; it fails the test on a traceback."""
    for name in ("NO_COLOR", "FORCE_COLOR", "CAEDSL_OUTPUT_FORMAT", "CAEDSL_DATA"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        assert "this is a bug" not in err, err
        return Ran(code, out, err)

    return run
