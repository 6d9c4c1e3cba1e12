"""Mutated specs through every command that reads one: an answer within seconds, an exit code, and never a bug.

``pytest tests/cli/test_fuzzed_specs.py -n 0 --fuzz-seconds 3600 --fuzz-seed 7`` goes on for an hour from another seed.
"""

import ast
import re
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from caedsl.rules.engine import catalogue
from caedsl.rules.engine.example import examples, whole_spec
from tests.cli.conftest import Ran
from tests.conftest import SPECS

MOST_SECONDS = 5.0
"""Processor time of one command: far more than any spec needs, so that a loaded machine fails no test."""

CORPUS = [
    *(path.read_text("utf-8") for path in SPECS),
    *(
        whole_spec(fragment)
        for entry in catalogue.every()
        for heading in ("Example", "Instead")
        for fragment in examples(entry.documentation, heading)
    ),
]
TOKEN = re.compile(r"[A-Za-z_]\w*|[0-9.]+[A-Za-z%0-9]*|\"[^\"\n]*\"|\s+|.", re.DOTALL)
WORDS = sorted({token for text in CORPUS for token in TOKEN.findall(text) if not token.isspace()})
NUMBERS = [
    "0",
    "1",
    "-1",
    "2",
    "3",
    "7",
    "1000000",
    "1e300",
    "1e-300",
    "1e300G",
    "1e39",
    ".5",
    "5.",
    "0.3333333333333333333333333333333333",
    "99999999999999999999",
    "999999999999999999999999999999999999999999999999",
    "100%",
    "1e300%",
    "0x10",
    "1x1",
    "0x0",
    "65536x65536",
    "1x1x1x1",
    "3x3",
    "k0",
    "k99999",
    "s9",
    "d9",
    "x2000",
    "x3",
    "g7",
    "0..1",
    "1..0",
    "0..1e300",
    "-1e300..1e300",
    "real",
    "auto",
    "/0",
    "/2",
    "1/3",
    "(1+2)*3",
    "1/0",
]
HOSTILE = [
    "\x00",
    "\x1b[31m",
    "\u202e",
    "\ufeff",
    "\r",
    "\t",
    "#",
    "/*",
    "//",
    '"',
    "{",
    "}",
    "(",
    ")",
    ";",
    "=",
    "..",
    "é",
    "漢",
]


def mutated(random: Random) -> str:
    """Return a spec of the corpus with a few tokens replaced, doubled, moved, deleted or wrapped into blocks."""
    tokens = TOKEN.findall(random.choice(CORPUS))
    for _ in range(random.choice((1, 1, 2, 3, 5, 12))):
        at = random.randrange(len(tokens)) if tokens else 0
        match random.randrange(9):
            case 0:
                tokens[at : at + 1] = [random.choice(WORDS)]
            case 1:
                tokens[at : at + 1] = [random.choice(NUMBERS)]
            case 2:
                tokens.insert(at, f" {random.choice(WORDS)} ")
            case 3:
                tokens.insert(at, f" {random.choice(NUMBERS)} ")
            case 4:
                del tokens[at : at + random.choice((1, 1, 2, 5, 20))]
            case 5:
                tokens[at:at] = tokens[at : at + random.choice((1, 3, 10, 40))] * random.choice((1, 1, 2, 30))
            case 6:
                tokens.insert(at, random.choice(HOSTILE))
            case 7:
                group = random.choice(("repeat 3 {", "residual {", "stage a {", "repeat 2000 {", "residual relu {"))
                tokens[at:at] = [f" {group} "]
                tokens.insert(min(len(tokens), at + random.randrange(1, 12)), " } ")
            case _:
                other = TOKEN.findall(random.choice(CORPUS))
                place = random.randrange(len(other))
                tokens[at:at] = other[place : place + random.randrange(1, 20)]
    return "".join(tokens)[:20_000]


COMMANDS = (
    ("check", "--output-format", "json"),
    ("check", "--diff", "--unsafe-fixes"),
    ("fmt", "--diff"),
    ("show",),
    ("graph", "-o", "a.svg"),
    ("emit", "--training"),
    ("emit",),
)


@pytest.fixture
def budget(request: pytest.FixtureRequest) -> tuple[float, int]:
    """Return how long to go on, and the seed."""
    return request.config.getoption("--fuzz-seconds"), request.config.getoption("--fuzz-seed")


def test_mutated_specs_are_answered(
    budget: tuple[float, int], tmp_path: Path, caedsl: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    seconds, seed = budget
    end = time.monotonic() + seconds
    number = 0
    while time.monotonic() < end or not number:
        text = mutated(Random(f"{seed}/{number}"))
        Path("a.cae").write_text(text, "utf-8", newline="")
        for command in COMMANDS:
            start = time.process_time()
            ran = caedsl(command[0], "a.cae", *command[1:])
            taken = time.process_time() - start
            case = (
                f"spec {number} of seed {seed}, {' '.join(command)}: exit code {ran.code} after {taken:.1f} s\n{text}"
            )
            assert ran.code in (0, 1, 2), case
            assert "bug in caedsl" not in ran.err, f"{ran.err}\n{case}"
            assert taken < MOST_SECONDS, case
            assert len(ran.out) < 2_000_000, case
            if command[0] == "emit" and ran.code == 0:
                ast.parse(ran.out)
        number += 1
