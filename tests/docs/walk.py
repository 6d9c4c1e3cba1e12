"""Running the blocks of a page in order."""

import contextlib
import io
import re
from pathlib import Path
from typing import Any

from tests.docs.conftest import Shell
from tests.docs.markdown import Block, blocks, matches

SET_UP = (
    "python -m venv",
    "pip install",
    "pytest",
    "ruff",
    "python -m tests.docs",
    "python -m caedsl.rules.engine.documentation",
    "python -m caedsl.training.monitors.engine.documentation",
)
"""Commands that set up a machine, run this very suite or rewrite the tree: the pages' tests leave them alone."""


def walk(page: Path, folder: Path, shell: Shell) -> None:
    """Write, run and execute every block of a page in order, and compare the outputs with those shown."""
    namespace: dict[str, Any] = {"__name__": page.stem}
    found = list(blocks(page))
    for block, following in zip(found, [*found[1:], None], strict=True):
        if name := block.values.get("file"):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, "utf-8")
        elif name := block.values.get("append"):
            with (folder / name).open("a", encoding="utf-8") as file:
                file.write("\n" + block.text)
        elif block.language == "console":
            _run(block, shell)
        elif block.language == "python":
            output = _execute(block, namespace)
            if following is not None and following.language == "text" and _adjoin(block, following):
                assert matches(following.text, output), f"{following} shows something else than comes out:\n{output}"


def commands(block: Block) -> list[tuple[str, str]]:
    """Return the commands of a console block, each with the output that is shown below it."""
    parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
    assert not parts[0].strip(), f"{block}: a console block begins with `$ `"
    found = []
    for part in parts[1:]:
        command, _, shown = re.sub(r"\\\n\s*", "", part).partition("\n")
        found.append((command.strip(), shown))
    return found


def _run(block: Block, shell: Shell) -> None:
    for command, shown in commands(block):
        if command.startswith(SET_UP):
            continue
        ended = shell(command)
        wanted = int(block.values.get("exit", 0))
        assert ended.returncode == wanted, f"{block}: `{command}` ended with {ended.returncode}:\n{ended.stdout}"
        if shown.strip():
            assert matches(shown, ended.stdout), f"{block}: `{command}` prints something else:\n{ended.stdout}"


def _execute(block: Block, namespace: dict[str, Any]) -> str:
    code = compile("\n" * block.line + block.text, str(block.page), "exec")
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(code, namespace)
    return output.getvalue()


def _adjoin(block: Block, following: Block) -> bool:
    between = block.page.read_text("utf-8")[block.end : following.start]
    return not between.strip()
