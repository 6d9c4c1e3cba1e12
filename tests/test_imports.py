"""Import rules: the order of packages, third-party packages, and imports forbidden in the fast commands."""

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.trees import tree

PACKAGE = ROOT / "caedsl"
ORDER = (
    "version",
    "extras",
    "public",
    "source",
    "diagnostics",
    "syntax",
    "vocabulary",
    "model",
    "resolve",
    "facts",
    "rules",
    "figures",
    "backends",
    "machine",
    "data",
    "runs",
    "training",
    "console",
    "inference",
    "evaluation",
    "export",
    "report",
    "importing",
    "doctor",
    "api",
    "sklearn",
    "keras",
    "lightning",
    "cli",
)
"""Packages and files of their own, lowest first: each imports only from itself and from those before it."""

TOP_LEVEL = {"__init__.py": {"api", "version"}, "__main__.py": {"cli"}}
"""Files that may import only these packages."""

OUTSIDE = {
    "syntax": {"lark"},
    "facts": {"pydantic"},
    "backends": {"torch"},
    "data": {"PIL", "nibabel", "numpy", "pooch", "pyarrow", "requests", "sklearn", "torch"},
    "runs": {"filelock", "pydantic", "safetensors", "torch"},
    "training": {"pydantic", "safetensors", "torch"},
    "console": {"rich"},
    "inference": {"PIL", "matplotlib", "numpy", "png", "pyarrow", "pydantic", "scipy", "torch"},
    "evaluation": {"PIL", "numpy", "pydantic", "scipy", "sklearn", "torch"},
    "report": {"PIL", "jinja2", "markupsafe", "matplotlib", "numpy", "torch"},
    "doctor": {"jinja2", "markupsafe", "numpy", "torch"},
    "figures": {"graphviz", "jinja2", "matplotlib"},
    "export": {"onnx", "onnxruntime", "torch"},
    "importing": {"h5py", "numpy", "onnx", "onnxruntime", "safetensors", "torch"},
    "api": {"numpy", "torch"},
    "sklearn": {"numpy", "sklearn"},
    "keras": {"keras", "numpy", "torch"},
    "lightning": {"lightning", "pytorch_lightning", "torch"},
    "cli": {"huggingface_hub", "rich", "typer"},
}
"""Third-party packages that a package may import.

``requests`` comes with pooch, whose downloads raise its errors.
"""

ONLY_IN = {
    "pydantic": {PACKAGE / name / "schema.py" for name in ("facts", "runs", "training", "inference", "evaluation")}
}
"""Packages that are slow to import, and the files that may import them."""

FILES = sorted(PACKAGE.rglob("*.py"))
MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in FILES}


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the full module name of every import in a file, including those inside functions."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield node.lineno, whole if whole in MODULES else str(node.module)


def package_of(path: Path) -> str:
    """Return the package of a file; for files at the top, their own name."""
    first = path.relative_to(PACKAGE).parts[0]
    return first if first in TOP_LEVEL else first.removesuffix(".py")


@pytest.mark.parametrize("mine", sorted({package_of(path) for path in FILES}))
def test_imports_only_from_packages_before(mine: str) -> None:
    assert mine in ORDER or mine in TOP_LEVEL, f"{mine} is no known package"
    below = TOP_LEVEL.get(mine) or {*ORDER[: ORDER.index(mine) + 1]}
    found = [(path, line, name) for path in FILES if package_of(path) == mine for line, name in imports(path)]
    for path, line, name in found:
        first, _, rest = name.partition(".")
        place = f"{path.relative_to(ROOT)}:{line}"
        if first == "caedsl":
            target = rest.partition(".")[0]
            # The package itself contains only the version, which commands show and run folders record.
            assert target in below, f"{place}: {mine} imports {name}"
        elif first not in sys.stdlib_module_names:
            assert first in OUTSIDE.get(mine, ()), f"{place}: {mine} imports {name}"
            assert path in ONLY_IN.get(first, {path}), f"{place}: {name} belongs to a schema.py"


def test_diagnostics_know_of_the_source_alone() -> None:
    for path in FILES:
        if package_of(path) == "diagnostics":
            imported = {name.split(".")[1] for _, name in imports(path) if name.startswith("caedsl.")}
            assert imported <= {"source", "diagnostics"}, path


EXPORTING = [module for module, path in MODULES.items() if "__all__ = " in path.read_text("utf-8")]


@pytest.mark.parametrize("module", EXPORTING)
def test_every_name_that_a_module_exports_exists(module: str) -> None:
    imported = importlib.import_module(module)
    assert [name for name in imported.__all__ if not hasattr(imported, name)] == []


TORCH = {"torch", "torchvision"}
TRAINING_ONLY = TORCH | {
    "PIL",
    "filelock",
    "matplotlib",
    "numpy",
    "pooch",
    "requests",
    "safetensors",
    "scipy",
    "sklearn",
}
"""What the extra ``train`` installs: the commands of the compiler work without it."""
HEAVY = TORCH | {"PIL", "graphviz", "matplotlib", "numpy", "pooch", "pydantic", "rich", "sklearn", "typer"}

_LOADED = "import sys\n{steps}"
_STEP = "{doing}; sys.stdout.flush(); print('\\n' + ' '.join({{name.partition('.')[0] for name in sys.modules}}))"


def loaded(steps: Sequence[str], folder: Path) -> list[set[str]]:
    """Return the top-level modules that one fresh process has imported after each of the ``steps``."""
    ended = subprocess.run(
        [sys.executable, "-c", _LOADED.format(steps="\n".join(_STEP.format(doing=step) for step in steps))],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    return [
        set(line.split()) for line in ended.stdout.splitlines() if " caedsl " in f" {line} " and " sys " in f" {line} "
    ]


LIGHT = {
    "check and fmt": (
        HEAVY,
        [
            ["check", "digits.cae"],
            ["check", "faulty.cae", "--fix", "--unsafe-fixes"],
            ["check", "digits.cae", "--output-format", "sarif"],
            ["fmt", "--check", "digits.cae"],
        ],
    ),
    "the compiler": (
        TRAINING_ONLY,
        [
            ["show", "digits.cae"],
            ["rule", "output-shape"],
            ["new", "fresh"],
            ["graph", "digits.cae", "-o", "digits.svg"],
            ["graph", "digits.cae", "-o", "digits.mmd"],
            ["graph", "digits.cae", "-o", "digits.dot"],
            ["emit", "digits.cae"],
            ["emit", "digits.cae", "--training"],
        ],
    ),
    "without torch": (
        TORCH,
        [
            ["show", "digits.cae", "--json"],
            ["rule", "dead-layer"],
            ["graph", "digits.cae", "-o", "digits.png"],
            ["runs"],
        ],
    ),
}
"""What commands may not import. Those of one set run in one process: a module, once imported, stays."""


@pytest.mark.parametrize("name", LIGHT)
def test_commands_stay_light(name: str, tmp_path: Path) -> None:
    banned, commands = LIGHT[name]
    digits = (ROOT / "specs" / "digits.cae").read_text("utf-8")
    (tmp_path / "digits.cae").write_text(digits, "utf-8")
    (tmp_path / "faulty.cae").write_text(
        digits.replace("decoder mirror", "decoder { upsample 3; conv 1 sigmoid }"), "utf-8"
    )
    steps = [f"from caedsl.cli.main import main; main({arguments!r})" for arguments in commands]
    for arguments, modules in zip(commands, loaded(steps, tmp_path), strict=True):
        assert not modules & banned, arguments


@pytest.mark.parametrize("doing", ["import caedsl", "import caedsl.api; caedsl.check('autoencoder a; input 1x8x8')"])
def test_package_stays_light(doing: str, tmp_path: Path) -> None:
    (modules,) = loaded([doing], tmp_path)
    assert not modules & HEAVY


def test_a_model_is_presented_without_what_training_needs(tmp_path: Path) -> None:
    spec = "autoencoder a; input 1x8x8; encoder { conv 4; maxpool 2 }; bottleneck; decoder mirror"
    doing = f"import caedsl; m = caedsl.load({spec!r}); m._repr_html_(); str(caedsl.show(m)); str(caedsl.graph(m))"
    (modules,) = loaded([doing], tmp_path)
    assert not modules & (TORCH | {"numpy", "matplotlib", "graphviz", "pydantic", "typer"})


def test_no_two_files_import_each_other() -> None:
    """Follow every import, including those for type checking, and find circular ones."""
    targets = {module: sorted({name for _, name in imports(path)} & MODULES.keys()) for module, path in MODULES.items()}
    assert circles(targets) == []


def circles(targets: dict[str, list[str]]) -> list[list[str]]:
    """Return the strongly connected groups of more than one module (Tarjan 1972)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        number[module] = lowest[module] = len(number)
        stack.append(module)
        for target in targets[module]:
            if target not in number:
                visit(target)
            if target in stack:
                lowest[module] = min(lowest[module], lowest[target])
        if lowest[module] == number[module]:
            group = stack[stack.index(module) :]
            del stack[stack.index(module) :]
            if len(group) > 1:
                found.append(sorted(group))

    for module in targets:
        if module not in number:
            visit(module)
    return found
