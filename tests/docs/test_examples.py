"""The examples run, and show what they promise."""

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.docs.conftest import Shell

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
CALLBACKS = [path for path in EXAMPLES if path.stem.endswith("_callback")]

STAND_INS = {
    "mlflow": """
import contextlib, os
@contextlib.contextmanager
def start_run():
    yield
    print("end FINISHED")
def log_params(params): print("params", sorted(params))
def log_metrics(metrics, step=None): print("metrics", step, sorted(metrics))
def log_artifacts(local_dir): print("artifacts", "weights.safetensors" in os.listdir(local_dir))
""",
    "wandb": """
class Run:
    def log(self, data, step=None): print("log", step, sorted(data))
    def finish(self, exit_code=None): print("finish", exit_code)
def init(project, name, config): print("init", project, config["batch"]); return Run()
""",
}
"""Modules with the functions that the examples call, as the real ones declare them."""


@pytest.mark.parametrize("folder", ["examples/*.py", "specs/*.cae"])
def test_the_page_of_a_folder_lists_every_file(folder: str) -> None:
    files = sorted(ROOT.glob(folder))
    page = (files[0].parent / "README.md").read_text("utf-8")
    assert [file.name for file in files if file.name not in page] == []


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


@pytest.mark.parametrize("example", [path for path in EXAMPLES if path not in CALLBACKS], ids=lambda path: path.name)
def test_help_is_the_docstring(example: Path, shell: Shell) -> None:
    if example.name == "emitted_code.py":
        pytest.importorskip("safetensors")
    ended = shell(f"python examples/{example.name} --help")
    assert ended.returncode == 0
    docstring = example.read_text("utf-8").split('"""')[1]
    assert docstring.splitlines()[0] in ended.stdout


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "mlflow",
            ["params ['batch', 'optimizer']", "metrics 3 ['images_per_second', 'loss', 'lr', 'mse'", "artifacts True"],
        ),
        ("wandb", ["init caedsl 64", "['mse', 'samples/s']", "['epoch', 'validation']", "finish 0"]),
    ],
)
def test_callbacks_follow_a_run(name: str, said: list[str], project: Path, shell: Shell) -> None:
    example = project / "examples" / f"{name}_callback.py"
    (example.parent / f"{name}.py").write_text(STAND_INS[name])
    assert len(example.read_text("utf-8").splitlines()) <= 32
    ended = shell(f"python examples/{example.name}")
    (example.parent / f"{name}.py").unlink()
    assert ended.returncode == 0, ended.stdout
    assert all(line in ended.stdout for line in said), ended.stdout
