"""The pre-commit hooks: what ``.pre-commit-hooks.yaml`` promises, and a real run without any network."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from caedsl.cli.main import main
from tests.cli.test_check import CLEAN
from tests.conftest import ROOT

HOOKS = (ROOT / ".pre-commit-hooks.yaml").read_text("utf-8")


def test_each_hook_gives_many_files_to_one_process(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ids, entries = (re.findall(rf"^(?:- |  ){key}: (.+)$", HOOKS, re.MULTILINE) for key in ("id", "entry"))
    assert dict(zip(ids, entries, strict=True)) == {"caedsl-check": "caedsl check", "caedsl-fmt": "caedsl fmt"}
    for key, value in {"language": "python", "files": r"\.cae$", "require_serial": "true"}.items():
        assert HOOKS.count(f"\n  {key}: {value}") == len(ids)
    paths = [tmp_path / "a.cae", tmp_path / "b c.cae"]
    for path in paths:
        path.write_text(CLEAN)
    for entry in entries:
        assert main([*entry.split()[1:], *map(str, paths)]) == 0, capsys.readouterr()


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_a_commit_is_stopped_and_then_let_through(tmp_path: Path) -> None:
    hook = f"{{id: ID, name: ID, entry: {sys.executable} -m ENTRY, language: system, files: '\\.cae$'}}"
    lines = [hook.replace("ID", name).replace("ENTRY", f"caedsl {name}") for name in ("check", "fmt")]
    config = "".join(["repos:\n  - repo: local\n    hooks:\n", *(f"      - {line}\n" for line in lines)])
    (tmp_path / ".pre-commit-config.yaml").write_text(config)
    spec = tmp_path / "a.cae"
    spec.write_text(CLEAN.replace("conv 16", "cnov  16"))
    code, out = commit(tmp_path)
    assert code == 1
    assert "unknown-layer" in out
    spec.write_text(CLEAN)
    code, out = commit(tmp_path)
    assert code == 0, out


def commit(folder: Path) -> tuple[int, str]:
    """Stage everything and run the hooks, as ``git commit`` would."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment = {**plain, "PRE_COMMIT_HOME": str(folder / ".home"), "PYTHONPATH": str(ROOT)}
    for command in (["git", "init", "-q"], ["git", "add", "a.cae", ".pre-commit-config.yaml"]):
        subprocess.run(command, cwd=folder, env=environment, check=True)
    command = [sys.executable, "-m", "pre_commit", "run"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr
