"""Specs with one mistake, and what a finding about it must hold."""

import re
from functools import cache

from caedsl.api import check
from caedsl.diagnostics.edits import apply_edits
from caedsl.diagnostics.finding import Finding, Severity
from caedsl.resolve.settings_table import SETTINGS
from caedsl.rules.engine.checking import examine
from caedsl.source import Source
from caedsl.vocabulary.joining import Join
from caedsl.vocabulary.layers import KINDS
from caedsl.vocabulary.quantities import QUANTITIES

PARTS = {
    "autoencoder": "autoencoder a",
    "input": "input 1x16x16",
    "data": "data digits",
    "encoder": "encoder { conv 8 s2 relu }",
    "bottleneck": "bottleneck conv 2",
    "decoder": "decoder mirror",
    "train": "train { batch 8 }",
}
NOT_LINES = ("as", "caedsl", "in", "trouble")
"""First words of a part of a line, and of a command."""
INTERNAL = re.compile(r"channel_groups|\btimes\b|Type\.|Written\.|None|g0\b(?!`)")


def whole(**parts: str) -> str:
    return "\n".join((PARTS | parts).values()) + "\n"


@cache
def errors(text: str) -> tuple[Finding, ...]:
    """Return the errors with verified fixes."""
    return tuple(finding for finding in check(text) if finding.severity is Severity.ERROR)


def faults_of_language(text: str) -> list[str]:
    """Return the messages of the errors that the compiler itself finds; their fixes need no verification."""
    found = examine(Source(text)).findings
    return [each.message for each in found if each.severity is Severity.ERROR and each.code.startswith("CAE1")]


def in_encoder(line: str) -> str:
    return whole(encoder=f"encoder {{ conv 8 s2 relu; {line} }}")


def in_train(line: str) -> str:
    return whole(train=f"train {{ {line} }}")


def as_statement(line: str) -> str:
    return whole(**{line.split()[0]: line})


def beside_the_others(line: str) -> str:
    return whole(data=f"data digits\n{line}")


def hold_one_finding(text: str, shown: str) -> Finding:
    """Hold that ``text`` has one error, whose help has ``shown``, parses and resolves, as its fix does."""
    found = errors(text)
    assert len(found) == 1, [finding.message for finding in found]
    assert shown in found[0].help
    assert not INTERNAL.search(found[0].message + found[0].help)
    hold_that_it_resolves(found[0].help, has_train=PARTS["train"] in text)
    if found[0].fix:
        assert not faults_of_language(apply_edits(text, found[0].fix.edits))
    return found[0]


def hold_that_it_resolves(help_line: str, has_train: bool = True) -> None:
    for line in quoted(help_line):
        spec = _spec_with(line, has_train)
        assert not spec or not faults_of_language(spec), line


def quoted(help_line: str) -> list[str]:
    return [
        text for text in re.findall(r"`([^`]*)`", help_line) if " " in text and "..." not in text and "…" not in text
    ]


def _spec_with(line: str, has_train: bool) -> str:
    """Return a spec that has ``line`` where it belongs, or an empty text for a part of a line and for a command."""
    word = line.split()[0]
    if word in NOT_LINES:
        return ""
    if word in SETTINGS and not has_train:
        return in_train(line)
    if word in KINDS and not isinstance(KINDS[word], Join):
        return in_encoder(line.replace("pixelshuffle 2", "pixelshuffle 1"))
    if word in PARTS or word in ("require", "sweep"):
        return whole(**{word: line})
    if word in QUANTITIES:
        return whole(require=f"require {{ {line} }}")
    if re.match(r"(train|let|bottleneck)\.", word):
        return whole(input=f"let width = 8\n{PARTS['input']}", sweep=f"sweep {{ {line} }}")
    if word == "let":
        width = f"8 dropout={line.split()[1]}" if "%" in line else line.split()[1]
        return whole(input=f"{line}\n{PARTS['input']}", encoder=f"encoder {{ conv {width} s2 relu }}")
    if word in KINDS:
        return in_encoder(f"conv 8 as {line.split()[1]}; {line}")
    if re.match(r"\d|[ks]\d", word):
        return in_encoder(f"conv {'' if word[0].isdigit() else '8 '}{line}")
    return in_train(line)
