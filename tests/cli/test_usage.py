"""Help and usage errors look the same in every command, whichever library reads its arguments."""

import re
from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from caedsl.cli.app import _COMMANDS
from tests.conftest import ROOT, Ran

Run = Callable[..., Ran]

COMMANDS = ("check", "fmt", *(command.__name__.rstrip("_") for command, *_ in _COMMANDS))


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_the_same_parts(command: str, caedsl: Run) -> None:
    ran = caedsl(command, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert re.match(rf"Usage: caedsl {command} \[OPTIONS\]( \[?[A-Z|]+\]?(\.\.\.)?)*\n\n", ran.out)
    parts = ["\nArguments:\n", "\nOptions:\n", "Show this message and exit.", "Example", "Exit codes: 0 fine; "]
    places = [ran.out.index(part) for part in parts]
    assert places == sorted(places)
    assert not re.search(r"<(str|path|list)", ran.out)
    texts = re.findall(r"^  (?:-|[A-Z]+ )\S.*?  +([a-zA-Z].*)", ran.out, re.MULTILINE)
    assert texts
    assert all(text[0].isupper() for text in texts)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_line_reads_the_examples_in_help(
    command: str, caedsl: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO((ROOT / "specs/digits.cae").read_bytes())))
    _, _, examples = caedsl(command, "--help").out.partition("Example")
    lines = re.findall(rf"\bcaedsl {command}( .*)?$", examples, re.MULTILINE)
    assert lines
    for line in lines:
        ran = caedsl(command, *line.partition("<")[0].split())
        # Most files are absent in this folder, but usage errors come first.
        absent = re.search("does not exist|there is no run folder|has no .cae file", ran.err)
        assert ran.code == 0 or absent, ran.err
        assert all((ROOT / spec).is_file() for spec in re.findall(r"specs/\S+", line))


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_option_is_one_line_with_a_suggestion(command: str, caedsl: Run) -> None:
    ran = caedsl(command, "a", "--hepl")
    expected = f"caedsl: unknown option --hepl: did you mean --help?; see `caedsl {command} --help`\n"
    assert (ran.code, ran.out, ran.err) == (2, "", expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("chekc a.cae", "unknown command chekc: did you mean check?; see `caedsl --help`"),
        ("--vresion", "unknown option --vresion: did you mean --version?; see `caedsl --help`"),
        ("check", "the following arguments are required: PATH; see `caedsl check --help`"),
        ("show", "the following arguments are required: SPEC; see `caedsl show --help`"),
        ("sample run", "the following arguments are required: -o/--output; see `caedsl sample --help`"),
        ("show a.cae b.cae", "unexpected arguments: (b.cae); see `caedsl show --help`"),
        ("train a.cae --epochs", "--epochs needs a value; see `caedsl train --help`"),
        (
            "train a.cae --epochs 0",
            '--epochs is "0"; write a whole number from 1 to 1,000,000,000; see `caedsl train --help`',
        ),
        ("show a.cae --variant=x", '--variant is "x"; write a whole number; see `caedsl show --help`'),
        ("graph a.cae --width wide", '--width is "wide"; write a number; see `caedsl graph --help`'),
        (
            "train a.cae --device tpu",
            '--device is "tpu"; write one of `auto`, `cpu`, `cuda`; see `caedsl train --help`',
        ),
    ],
)
def test_wrong_usage_names_the_place_the_value_and_the_remedy(arguments: str, message: str, caedsl: Run) -> None:
    ran = caedsl(*arguments.split())
    assert (ran.code, ran.out, ran.err) == (2, "", f"caedsl: {message}\n")


def test_the_program_alone_prints_its_help(caedsl: Run) -> None:
    ran = caedsl()
    assert (ran.code, ran.err) == (2, "")
    assert ran.out == caedsl("--help").out
    assert "\n  check        Find mistakes" in ran.out
