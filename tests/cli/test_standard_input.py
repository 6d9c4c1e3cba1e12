"""``-`` is standard input where a command reads text, and standard output where it writes text."""

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import ROOT, Ran
from tests.inference.conftest import write_run

SPEC = (ROOT / "specs" / "mnist_mirror.cae").read_bytes()
COMMANDS = ("show", "emit", "graph")


@pytest.fixture
def piped(caedsl: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Ran]:
    """Run a command with bytes on standard input, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(content: bytes, *arguments: object) -> Ran:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
            return caedsl(*arguments)

    return run


@pytest.mark.parametrize("command", ["show", "emit"])
def test_the_output_is_that_of_the_file(command: str, piped: Callable[..., Ran]) -> None:
    from_file = piped(b"", command, ROOT / "specs" / "mnist_mirror.cae")
    assert piped(SPEC, command, "-") == from_file
    assert from_file.code == 0


def test_a_diagram_is_named_after_the_model(piped: Callable[..., Ran], tmp_path: Path) -> None:
    assert piped(SPEC, "graph", "-") == Ran(0, "drew mnist_mirror.svg\n", "")
    assert (tmp_path / "mnist_mirror.svg").read_text("utf-8").startswith("<svg ")


@pytest.mark.parametrize("command", COMMANDS)
def test_findings_name_standard_input(command: str, piped: Callable[..., Ran]) -> None:
    ran = piped(SPEC.replace(b"maxpool 2", b"maxpool 99"), command, "-")
    assert ran.code == 1
    assert "<stdin>:" in ran.err


@pytest.mark.parametrize("command", COMMANDS)
def test_bytes_that_are_no_text_are_a_clear_error(command: str, piped: Callable[..., Ran]) -> None:
    ran = piped(b"\xff\xfe\x00", command, "-")
    assert ran.code in (1, 2)
    assert "<stdin>" in ran.err


@pytest.fixture
def run(tmp_path: Path) -> Path:
    spec = "autoencoder tiny; input 1x8x8; encoder { conv 2 relu; maxpool 2 }; bottleneck dense 3; decoder mirror"
    for name in ("a.png", "b.png"):
        Image.new("L", (8, 8), 90).save(tmp_path / name)
    return write_run(tmp_path / "run", spec)


def test_codes_pass_from_encode_to_decode(run: Path, piped: Callable[..., Ran], tmp_path: Path) -> None:
    encoded = piped(b"b.png\na.png\n", "encode", run, "-", "-o", "-")
    assert encoded.code == 0
    assert encoded.err == "encoded 2 samples into -: 3 numbers each\n"
    assert [line.split(",")[0] for line in encoded.out.splitlines()] == ["name", "b.png", "a.png"]
    assert piped(encoded.out.encode(), "decode", run, "-", "-o", "out").out == "decoded 2 codes into out\n"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "b.png"]
    assert not (tmp_path / "-").exists()


@pytest.mark.parametrize("content", [b"", b"name,z0\na,1\n", b"name,z0,z1,z2\na,1,2,x\n", b"\xff\xfe\x00", b"PK\3\4"])
def test_codes_that_are_none_are_a_clear_error(content: bytes, run: Path, piped: Callable[..., Ran]) -> None:
    ran = piped(content, "decode", run, "-", "-o", "out")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(("caedsl: <stdin>", "caedsl: - cannot be decoded: "))


def test_scores_go_to_standard_output(run: Path, piped: Callable[..., Ran], tmp_path: Path) -> None:
    ran = piped(b"a.png\n", "score", run, "-", "b.png", "--csv", "-")
    assert ran.code == 0
    assert [line.split(",")[0] for line in ran.out.splitlines()] == ["name", "a.png", "b.png"]
    assert not (tmp_path / "-").exists()


@pytest.mark.parametrize(
    "command",
    [
        "calibrate run - --fpr 40%",
        "export run -o x.pt2 --samples -",
        "evaluate run --test -",
        "score run -",
        "encode run - -o codes.csv",
        "reconstruct run - -o out",
    ],
)
def test_commands_on_samples_take_their_names(
    command: str, run: Path, piped: Callable[..., Ran], tmp_path: Path
) -> None:
    for kind in ("good", "bad"):
        (tmp_path / kind).mkdir()
        Image.new("L", (8, 8), 90 if kind == "good" else 250).save(tmp_path / kind / "1.png")
    Image.new("L", (8, 8), 80).save(tmp_path / "good" / "2.png")
    names = b"good/1.png\nbad/1.png\n" if "evaluate" in command else b"good/1.png\ngood/2.png\n"
    ran = piped(names, *command.split())
    assert ran.code == 0, ran.err
    empty = piped(b"\n", *command.split(), *(["--overwrite"] if "-o" in command else []))
    assert (empty.code, empty.err) == (2, "caedsl: standard input names no file: write one name per line\n")


def test_source_goes_to_standard_output(piped: Callable[..., Ran], tmp_path: Path) -> None:
    assert piped(SPEC, "emit", "-", "-o", "-") == piped(SPEC, "emit", "-")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command",
    [
        "reconstruct run - -o -",
        "decode run - -o -",
        "score run a.png --maps -",
        "export run -o -",
        "train a.cae --out -",
    ],
)
def test_a_folder_is_never_standard_output(command: str, run: Path, piped: Callable[..., Ran], tmp_path: Path) -> None:
    ran = piped(b"name,z0,z1,z2\na,1,2,3\n" if "decode" in command else b"a.png\n", *command.split())
    assert (ran.code, ran.out) == (2, "")
    assert "- is standard output, but " in ran.err
    assert not (tmp_path / "-").exists()
