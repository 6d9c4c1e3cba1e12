"""The examples run, and show what they promise."""

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.docs.conftest import Shell

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def test_python_api(project: Path, shell: Shell) -> None:
    ended = shell("python examples/python_api.py --out run")
    assert ended.returncode == 0, ended.stdout
    assert "unknown option" in ended.stdout
    assert "class Tiny(nn.Module)" in ended.stdout
    assert "PCA-8" in ended.stdout
    assert (project / "run" / "weights.safetensors").exists()


def test_image_folder(project: Path, shell: Shell) -> None:
    ended = shell("python examples/image_folder.py made --epochs 1 --images 24")
    assert ended.returncode == 0, ended.stdout
    assert len(list((project / "made" / "photos").glob("*.png"))) == 24
    assert (project / "made" / "run" / "reconstructions.png").exists()
    assert shell("python examples/image_folder.py made").returncode == 2


def test_emitted_code_without_caedsl(project: Path, shell: Shell) -> None:
    made = shell(
        "caedsl emit specs/digits.cae -o digits.py && "
        "caedsl train specs/digits.cae --epochs 1 --set 'data=digits limit=100' --out run && rm -r caedsl"
    )
    assert made.returncode == 0, made.stdout
    ended = shell("python examples/emitted_code.py digits.py run")
    assert ended.returncode == 0, ended.stdout
    assert "(4, 8)" in ended.stdout
    assert "(4, 1, 8, 8)" in ended.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_help_is_the_docstring(example: Path, shell: Shell) -> None:
    if example.name == "emitted_code.py":
        pytest.importorskip("safetensors")
    ended = shell(f"python examples/{example.name} --help")
    assert ended.returncode == 0
    docstring = example.read_text("utf-8").split('"""')[1]
    assert docstring.splitlines()[0] in ended.stdout
