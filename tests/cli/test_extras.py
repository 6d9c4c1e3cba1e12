"""Commands without the optional packages: the compiler works, and the others say what to install."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

DIGITS = ROOT / "specs" / "digits.cae"

_WITHOUT = """
import sys
from importlib.abc import MetaPathFinder

class Missing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
"""

TRAINING = {"torch", "numpy", "PIL", "matplotlib", "filelock", "pooch", "requests", "safetensors", "scipy", "sklearn"}


def without(missing: set[str], doing: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run ``doing`` in a fresh process that lacks the ``missing`` packages."""
    return subprocess.run(
        [sys.executable, "-c", _WITHOUT.format(missing=sorted(missing)) + doing],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def command(*arguments: str) -> str:
    return f"from caedsl.cli.main import main; sys.exit(main({list(arguments)!r}))"


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", str(DIGITS)),
        ("fmt", "--check", str(DIGITS)),
        ("show", str(DIGITS), "--json"),
        ("graph", str(DIGITS), "-o", "digits.svg"),
        ("graph", str(DIGITS), "-o", "digits.mmd"),
        ("emit", str(DIGITS), "--training"),
        ("rule", "dead-layer"),
        ("new", "fresh"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_the_compiler_works_without_the_training_packages(arguments: tuple[str, ...], tmp_path: Path) -> None:
    ended = without(TRAINING, command(*arguments), tmp_path)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    ("missing", "arguments", "extra"),
    [
        (TRAINING, ("train", str(DIGITS)), "caedsl[train]"),
        ({"torch"}, ("train", str(DIGITS), "--quiet"), "caedsl[train]"),
        (TRAINING, ("graph", str(DIGITS), "-o", "digits.png"), "caedsl[graph]"),
        (TRAINING, ("graph", str(DIGITS), "-o", "digits.pdf"), "caedsl[graph]"),
        (TRAINING | {"h5py"}, ("import", "net.keras"), "caedsl[keras,train]"),
        ({"h5py"}, ("doctor", "net.h5", "--data", "digits"), "caedsl[keras]"),
        ({"onnx", "onnxruntime", "torch"}, ("doctor", "net.onnx", "--data", "digits"), "caedsl[onnx,train]"),
        (TRAINING, ("doctor", "net.py:Net", "--data", "digits"), "caedsl[train]"),
    ],
)
def test_a_command_names_the_extra_that_it_lacks(
    missing: set[str], arguments: tuple[str, ...], extra: str, tmp_path: Path
) -> None:
    ended = without(missing, command(*arguments), tmp_path)
    assert ended.returncode == 2
    assert f"pip install '{extra}'" in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_the_python_interface_names_the_extra_that_it_lacks(tmp_path: Path) -> None:
    doing = f"""
import caedsl
caedsl.check({str(DIGITS)!r})
try:
    caedsl.build({str(DIGITS)!r})
except ModuleNotFoundError as error:
    print(error)
"""
    ended = without({"torch"}, doing, tmp_path)
    assert "pip install 'caedsl[train]'" in ended.stdout, ended.stderr
