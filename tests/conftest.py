"""Fixtures shared by all tests: golden texts, commands in this process, and a torch with one thread."""

import gc
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, NoReturn

import pytest
from hypothesis import settings

from caedsl.cli.main import main
from tests.preloaded import preloaded

# Examples are random locally and fixed in CI; there is no deadline, since times depend on the machine.
settings.register_profile("caedsl", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("caedsl")

os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).parents[1]
SPECS = sorted((ROOT / "specs").glob("*.cae"))

if sys.dont_write_bytecode:
    # Every worker, and every program that a test starts, would compile all files again: keep byte code out of the tree.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(ROOT / ".pytest_cache" / "byte-code")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--without-torch",
        action="store_true",
        help="only tests that never import torch or scikit-learn: the compiler's",
    )
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden texts; review the diff by eye")
    parser.addoption("--fuzz-seconds", type=float, default=4.0, help="seconds that each fuzzing test may take")
    parser.addoption(
        "--fuzz-specs", type=int, default=0, help="how many specs fuzzing tests try, whatever time it takes"
    )
    parser.addoption("--fuzz-seed", type=int, default=0, help="where the random numbers of fuzzing tests start")


class WithoutTorch:
    """Finder that skips the test, or the whole file, that is about to import torch or scikit-learn."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name in ("torch", "sklearn"):
            self._skip(name)

    def _skip(self, name: str) -> NoReturn:
        pytest.skip(f"imports {name}", allow_module_level=True)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "torch: starts programs that need torch")
    if config.getoption("--without-torch"):
        sys.meta_path.insert(0, WithoutTorch())  # type: ignore[arg-type]  # it finds nothing


def pytest_collection_finish(session: pytest.Session) -> None:
    gc.freeze()  # modules and thousands of tests are no garbage: each full collection would look through them again


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("torch") and item.config.getoption("--without-torch"):
        pytest.skip("starts programs that need torch")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their parameter: files made for a test hold the time, and every worker must collect the same."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Return ``golden(text, "name.txt")``, which compares a text with ``golden/name.txt`` next to the test."""

    def compare(text: str, name: str) -> None:
        path = Path(request.fspath).parent / "golden" / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8", newline="")
        assert path.exists(), f"no golden text {path.name}: run pytest with --update-golden and review it"
        assert text == path.read_bytes().decode("utf-8")

    return compare


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[str]:
    """Return the path of a Python that starts at once, and runs ``-c CODE``, ``-m MODULE`` or a file.

    PyTorch and its like are imported there already: importing them takes longer than what most programs of tests do.
    """
    if pytestconfig.getoption("--without-torch"):
        pytest.skip("starts programs that need torch")
    if not hasattr(os, "fork"):
        yield sys.executable
        return
    environment = {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1", "LANG": "C.UTF-8"}
    with preloaded(tmp_path_factory.mktemp("python"), environment) as program:
        yield str(program)


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


@pytest.fixture
def run_caedsl(caedsl: Callable[..., Ran]) -> Callable[..., Ran]:
    """Return the same under another name, for tests that use the module ``caedsl``."""
    return caedsl
