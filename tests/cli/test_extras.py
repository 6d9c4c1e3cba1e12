"""Commands without the optional packages: the compiler works, and the others say what to install."""

import json
import subprocess
import sys
from collections.abc import Sequence
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


def answers(missing: set[str], commands: Sequence[Sequence[str]], folder: Path) -> list[tuple[int, str]]:
    """Return the exit code and the errors of each command in one process that lacks the ``missing`` packages."""
    doing = f"""
import io, json
from contextlib import redirect_stderr
from caedsl.cli.main import main
answers = []
for command in {[list(command) for command in commands]!r}:
    with redirect_stderr(io.StringIO()) as errors:
        answers.append((main(command), errors.getvalue()))
print("\\n" + json.dumps(answers))
"""
    ended = without(missing, doing, folder)
    assert ended.returncode == 0, ended.stderr
    return [(code, errors) for code, errors in json.loads(ended.stdout.splitlines()[-1])]


def test_the_compiler_works_without_the_training_packages(tmp_path: Path) -> None:
    commands = (
        ("check", str(DIGITS)),
        ("fmt", "--check", str(DIGITS)),
        ("show", str(DIGITS), "--json"),
        ("graph", str(DIGITS), "-o", "digits.svg"),
        ("graph", str(DIGITS), "-o", "digits.mmd"),
        ("emit", str(DIGITS), "--training"),
        ("rule", "dead-layer"),
        ("new", "fresh"),
    )
    for command, (code, errors) in zip(commands, answers(TRAINING, commands, tmp_path), strict=True):
        assert code == 0, (command, errors)


@pytest.mark.parametrize(
    ("missing", "commands"),
    [
        (
            TRAINING,
            {
                ("train", str(DIGITS)): "caedsl[train]",
                ("graph", str(DIGITS), "-o", "digits.png"): "caedsl[graph]",
                ("graph", str(DIGITS), "-o", "digits.pdf"): "caedsl[graph]",
                ("doctor", "net.py:Net", "--data", "digits"): "caedsl[train]",
            },
        ),
        ({"torch"}, {("train", str(DIGITS), "--quiet"): "caedsl[train]"}),
        (TRAINING | {"h5py"}, {("import", "net.keras"): "caedsl[keras,train]"}),
        ({"h5py"}, {("doctor", "net.h5", "--data", "digits"): "caedsl[keras]"}),
        ({"onnx", "onnxruntime", "torch"}, {("doctor", "net.onnx", "--data", "digits"): "caedsl[onnx,train]"}),
    ],
)
def test_a_command_names_the_extra_that_it_lacks(
    missing: set[str], commands: dict[tuple[str, ...], str], tmp_path: Path
) -> None:
    for extra, (code, errors) in zip(commands.values(), answers(missing, [*commands], tmp_path), strict=True):
        assert code == 2
        assert f"pip install '{extra}'" in errors
        assert errors.count("\n") == 1
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
