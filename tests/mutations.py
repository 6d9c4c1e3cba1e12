"""Specs with typical human faults: words misspelt, dropped, doubled or swapped, and absurd numbers."""

import re
from pathlib import Path

from hypothesis import strategies as st

_SPECS = [path.read_text("utf-8") for path in sorted((Path(__file__).parents[1] / "specs").glob("*.cae"))]
_TOKEN = re.compile(r"[A-Za-z_]+|[0-9.][0-9A-Za-z.+-]*|[{}()=;<>/*]|[ \t]+|\n")
_NUMBERS = ["0", "1", "2", "3", "7", "13", "64", "100000", "10**12", "1000000000000", "-1", "1e-9", "0.5", "1e9", "99%"]
_WORDS = [
    "sigmoid",
    "relu",
    "tanh",
    "conv",
    "maxpool",
    "upsample",
    "sgd",
    "bce",
    "k7",
    "s2",
    "s3",
    "pad=valid",
    "x3",
    "ceil",
]


@st.composite
def mutated(draw: st.DrawFn, most: int = 3) -> str:
    """Return one of the shipped specs with up to ``most`` faults."""
    text = draw(st.sampled_from(_SPECS))
    for _ in range(draw(st.integers(1, most))):
        text = draw(_once(text))
    return text


@st.composite
def _once(draw: st.DrawFn, text: str) -> str:
    tokens = list(_TOKEN.finditer(text))
    if not tokens:
        return text
    token = draw(st.sampled_from(tokens))
    word = token.group()
    match draw(st.sampled_from(["misspell", "drop", "double", "number", "word", "swap"])):
        case "misspell" if len(word) > 2:
            at = draw(st.integers(0, len(word) - 2))
            new = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        case "drop":
            new = ""
        case "double":
            new = f"{word} {word}"
        case "number":
            new = draw(st.sampled_from(_NUMBERS))
        case "word":
            new = draw(st.sampled_from(_WORDS))
        case _:
            other = draw(st.sampled_from(tokens))
            first, second = sorted((token, other), key=lambda match: match.start())
            if first.end() > second.start():
                return text
            between = text[first.end() : second.start()]
            return text[: first.start()] + second.group() + between + first.group() + text[second.end() :]
    return text[: token.start()] + new + text[token.end() :]
