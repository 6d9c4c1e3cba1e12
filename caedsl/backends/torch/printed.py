"""Source text of the definitions that emitted files carry.

The files are read, not imported: writing PyTorch code does not need PyTorch.
"""

import ast
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from caedsl.vocabulary import schedules

_SCHEDULES = Path(schedules.__file__)
_LOOP = ("preprocessing", "seeds", "draws", "batch_parts", "averaging", "augmentation", "corruption", "ssim", "losses")
"""The files whose definitions a training loop may need."""


@cache
def definitions(module: str | Path) -> dict[str, str]:
    """Return the source of each top-level class, function and assignment of ``module``, in the file's order.

    ``module`` is a path, or the name of a file in this folder, such as ``ssim``. An assignment to several names is
    listed under each of them.
    """
    path = module if isinstance(module, Path) else Path(__file__).parent / f"{module}.py"
    text = path.read_text("utf-8")
    lines = text.split("\n")
    found: dict[str, str] = {}
    for node in ast.parse(text).body:
        # ast.get_source_segment would split the whole text again for each of them.
        *whole, last = lines[node.lineno - 1 : node.end_lineno]
        source = "\n".join([*whole, last.encode()[: node.end_col_offset].decode()])
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                found[name] = source
            case ast.Assign(targets=[target]):
                names = target.elts if isinstance(target, ast.Tuple) else [target]
                found |= {name.id: source for name in names if isinstance(name, ast.Name)}
            case _:
                pass
    return found


@cache
def classes(module: str) -> dict[str, str]:
    """Return the source of each class of ``module``, in the file's order."""
    return {name: source for name, source in definitions(module).items() if source.startswith("class ")}


@cache
def _of_the_loop() -> dict[str, str]:
    return {name: source for module in (_SCHEDULES, *_LOOP) for name, source in definitions(module).items()}


def with_what_they_use(texts: Iterable[str]) -> list[str]:
    """Return the definitions that ``texts`` of a training loop mention, and those that these mention in turn.

    Constants come first, before the functions that use them.
    """
    known = _of_the_loop()
    needed: set[str] = set()
    waiting = set().union(*(_mentioned(text) for text in texts)) & set(known)
    while waiting:
        name = waiting.pop()
        needed.add(name)
        waiting |= (_mentioned(known[name]) & set(known)) - needed
    sources = dict.fromkeys(source for name, source in known.items() if name in needed)
    constants = [source for source in sources if not source.startswith(("def ", "class "))]
    functions = [source for source in sources if source not in constants]
    return ["\n".join(constants), *functions] if constants else functions


def _mentioned(text: str) -> set[str]:
    """Return the names in a piece of code, except those in comments and docstrings."""
    code = re.sub(r'""".*?"""|#[^\n]*', "", text, flags=re.DOTALL)
    return set(re.findall(r"(?<![.\w])[A-Za-z_]\w*", code))
