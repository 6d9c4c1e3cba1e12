"""Import rules: the order of rooms, third-party packages, and imports forbidden in the fast commands."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "caedsl"
ROOMS = (
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
"""Lowest first: a room imports only from itself and from rooms before it."""

ENTRANCES = {"__init__.py": {"api", "version"}, "__main__.py": {"cli"}}
"""The files of the package itself, and the room that each opens."""

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
"""What a room may import besides the standard library.

``requests`` comes with pooch, whose downloads raise its errors.
"""

ONLY_IN = {
    "pydantic": {PACKAGE / room / "schema.py" for room in ("facts", "runs", "training", "inference", "evaluation")}
}
"""Packages that are slow to import, and the files that may import them."""

FILES = sorted(PACKAGE.rglob("*.py"))
MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in FILES}


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the full module name of every import in a file, including those inside functions."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield node.lineno, whole if whole in MODULES else str(node.module)


def room(path: Path) -> str:
    """Return the room of a file; for files of the package itself, their own name."""
    first = path.relative_to(PACKAGE).parts[0]
    return first if first in ENTRANCES else first.removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_only_from_rooms_before(path: Path) -> None:
    mine = room(path)
    assert mine in ROOMS or mine in ENTRANCES, f"{path} is in no room"
    below = ENTRANCES.get(mine) or {*ROOMS[: ROOMS.index(mine) + 1]}
    for line, name in imports(path):
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
        if room(path) == "diagnostics":
            rooms = {name.split(".")[1] for _, name in imports(path) if name.startswith("caedsl.")}
            assert rooms <= {"source", "diagnostics"}, path


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

_LOADED = "import sys; {doing}; sys.stdout.flush(); print('\\n' + ' '.join({{name.partition('.')[0] for name in sys.modules}}))"


def loaded(doing: str, folder: Path) -> set[str]:
    """Return the top-level modules that a fresh process has imported after ``doing``."""
    ended = subprocess.run(
        [sys.executable, "-c", _LOADED.format(doing=doing)],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(ended.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("arguments", "banned"),
    [
        (["check", "digits.cae"], HEAVY),
        (["check", "faulty.cae", "--fix", "--unsafe-fixes"], HEAVY),
        (["check", "digits.cae", "--output-format", "sarif"], HEAVY),
        (["fmt", "--check", "digits.cae"], HEAVY),
        (["show", "digits.cae"], TORCH),
        (["show", "digits.cae", "--json"], TORCH),
        (["rule", "output-shape"], TORCH),
        (["rule", "dead-layer"], TORCH),
        (["new", "fresh"], TORCH),
        (["graph", "digits.cae", "-o", "digits.svg"], TORCH),
        (["graph", "digits.cae", "-o", "digits.png"], TORCH),
        (["show", "digits.cae"], TRAINING_ONLY),
        (["rule", "output-shape"], TRAINING_ONLY),
        (["new", "fresh"], TRAINING_ONLY),
        (["graph", "digits.cae", "-o", "digits.svg"], TRAINING_ONLY),
        (["graph", "digits.cae", "-o", "digits.mmd"], TRAINING_ONLY),
        (["graph", "digits.cae", "-o", "digits.dot"], TRAINING_ONLY),
        (["emit", "digits.cae"], TRAINING_ONLY),
        (["emit", "digits.cae", "--training"], TRAINING_ONLY),
        (["runs"], TORCH),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_command_stays_light(arguments: list[str], banned: set[str], tmp_path: Path) -> None:
    digits = (ROOT / "specs" / "digits.cae").read_text("utf-8")
    (tmp_path / "digits.cae").write_text(digits, "utf-8")
    (tmp_path / "faulty.cae").write_text(
        digits.replace("decoder mirror", "decoder { upsample 3; conv 1 sigmoid }"), "utf-8"
    )
    doing = f"from caedsl.cli.main import main; main({arguments!r})"
    modules = loaded(doing, tmp_path)
    assert "caedsl" in modules
    assert not modules & banned


@pytest.mark.parametrize("doing", ["import caedsl", "import caedsl.api; caedsl.check('autoencoder a; input 1x8x8')"])
def test_package_stays_light(doing: str, tmp_path: Path) -> None:
    assert not loaded(doing, tmp_path) & HEAVY


def test_a_model_is_presented_without_what_training_needs(tmp_path: Path) -> None:
    spec = "autoencoder a; input 1x8x8; encoder { conv 4; maxpool 2 }; bottleneck; decoder mirror"
    doing = f"import caedsl; m = caedsl.load({spec!r}); m._repr_html_(); str(caedsl.show(m)); str(caedsl.graph(m))"
    assert not loaded(doing, tmp_path) & (TORCH | {"numpy", "matplotlib", "graphviz", "pydantic", "typer"})


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
