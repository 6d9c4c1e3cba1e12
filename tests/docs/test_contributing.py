"""The words that CONTRIBUTING.md adds, one file each, go through every command."""

from pathlib import Path

from tests.conftest import ROOT
from tests.docs.conftest import Shell
from tests.docs.markdown import blocks

PAGE = ROOT / "CONTRIBUTING.md"
SPEC = """autoencoder every_word

input 1x10x10
data digits limit=40

encoder {
  trim 8
  conv 8 celu=0.5
  conv 8 g4 celu=0.5
  shuffle 4
  maxpool 2
}

bottleneck bounded 12

decoder mirror

train {
  loss      smooth_l1 beta=0.1
  optimizer asgd alpha=0.8
  batch     16
  epochs    1
}
"""
COMMANDS = (
    "check all.cae",
    "fmt --check all.cae",
    "show all.cae",
    "show --json all.cae",
    "graph all.cae -o all.svg",
    "graph all.cae -o all.mmd",
    "graph all.cae -o all.dot",
    "graph all.cae -o all.png",
    "graph all.cae -o all.pdf",
    "emit all.cae -o module.py",
    "emit all.cae --training -o loop.py",
    "train all.cae --out runs/all --quiet",
    "train --resume runs/all --epochs 2 --quiet",
    "runs",
    "evaluate runs/all",
    "encode runs/all -o code.npz",
    "report runs/all",
    "rule even-kernel",
)
_SCRIPT = """
import numpy
from caedsl.cli.main import main
for command in {commands!r}:
    assert main(command.split()) == 0, command
compile(open("module.py").read() + open("loop.py").read(), "emitted.py", "exec")
assert "CELU" in open("module.py").read() and "ASGD" in open("loop.py").read()
assert abs(numpy.load("code.npz")["codes"]).max() <= 1
print("every command ended well")
"""


def test_words_added_in_one_file_each_go_through_every_command(project: Path, shell: Shell) -> None:
    touched = []
    for block in blocks(PAGE):
        name = block.values.get("file") or block.values.get("append") or ""
        if name.startswith("caedsl/"):
            touched.append(name)
            with (project / name).open("a", encoding="utf-8") as file:
                file.write("\n" + block.text)
    assert len(touched) == len(set(touched)) == 7
    (project / "all.cae").write_text(SPEC, "utf-8")
    (project / "all.py").write_text(_SCRIPT.format(commands=COMMANDS), "utf-8")
    ended = shell("python all.py")
    assert "every command ended well" in ended.stdout, ended.stdout
