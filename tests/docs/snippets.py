"""Snippets of the language as whole specs, and the findings that they expect."""

import re

from caedsl import check
from caedsl.source import Source
from caedsl.syntax.parser import parse
from tests.docs.markdown import Block

HEALTHY = {
    "autoencoder": "autoencoder example",
    "input": "input 1x28x28",
    "data": 'data folder "images/"',
    "encoder": "encoder { conv 16 relu; maxpool 2; conv 16 relu; maxpool 2 }",
    "bottleneck": "bottleneck dense 32",
    "decoder": "decoder mirror",
}
"""What a fragment is set into."""

PARTS = ("encoder", "decoder", "train", "require")
_EXPECTED = re.compile(r"#\s*(error|warning|info): \[([a-z-]+)\]")


def whole(block: Block) -> str:
    """Return the spec that a snippet stands for, with line numbers as in the snippet."""
    if not block.words:
        return block.text
    (word,) = block.words
    text = f"{word} {{\n{block.text}}}\n" if word in PARTS else block.text
    if word not in PARTS:
        assert word == "statements", f"{block}: what is a `cae {word}` snippet?"
    spec, _ = parse(Source(text))
    given = {statement.head.text for statement in spec.statements}
    before: list[str] = []
    after: list[str] = []
    for name, statement in HEALTHY.items():
        if name not in given:
            (before if name in ("autoencoder", "input") else after).append(statement)
    return "\n".join(["; ".join(before), text.rstrip("\n"), *after]) + "\n"


def expected(spec: str) -> set[tuple[int, str, str]]:
    """Return the findings that the comments of a spec announce: line, severity and name."""
    return {
        (number, severity, name)
        for number, line in enumerate(spec.splitlines(), 1)
        for severity, name in _EXPECTED.findall(line)
    }


def found(spec: str) -> set[tuple[int, str, str]]:
    """Return the findings of a spec: line, severity and name."""
    source = Source(spec)
    return {
        (source.position(finding.primary.span.start).line, finding.severity.value, finding.name)
        for finding in check(spec)
    }
