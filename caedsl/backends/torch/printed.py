"""Source text of the definitions that emitted files carry.

The files are read, not imported: writing PyTorch code does not need PyTorch.
"""

import ast
from functools import cache
from pathlib import Path


@cache
def definitions(module: str) -> dict[str, str]:
    """Return the source of each class, function and assignment at the top of ``module``, in the file's order.

    ``module`` is the name of a file beside this one, such as ``ssim``. An assignment to several names is listed under
    each of them.
    """
    text = (Path(__file__).parent / f"{module}.py").read_text("utf-8")
    found: dict[str, str] = {}
    for node in ast.parse(text).body:
        source = ast.get_source_segment(text, node) or ""
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
