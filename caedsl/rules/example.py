"""The examples of rules: fragments of specs, and the whole specs they stand for."""

import re
from collections.abc import Iterator

_TEMPLATE = {
    "autoencoder": "autoencoder example",
    "input": "input 1x28x28 in 0..1",
    "data": "data mnist else digits",
    "encoder": "encoder { conv 8 relu; maxpool 2 }",
    "bottleneck": "bottleneck dense 32",
    "decoder": "decoder mirror",
    "train": "train { loss mse; optimizer adam lr=1e-3; batch 128; epochs 20 }",
}
_BLOCK = re.compile(r"^```cae\n(.*?)^```", re.DOTALL | re.MULTILINE)
_IGNORED = re.compile(r'#.*|"[^"\n]*"')


def examples(documentation: str, heading: str) -> Iterator[str]:
    """The fragments of specs under ``## heading`` of a rule's documentation."""
    sections = re.split(r"^## +", documentation, flags=re.MULTILINE)
    for section in sections:
        if section.partition("\n")[0].strip() == heading:
            yield from (match[1] for match in _BLOCK.finditer(section))


def whole_spec(fragment: str) -> str:
    """The spec that ``fragment`` stands for: its statements in the place of those of a small, sound one.

    A fragment that names an autoencoder is whole already.
    """
    statements = _statements(fragment)
    words = [word for word, _ in statements]
    if "autoencoder" in words:
        return fragment
    lines = [text for word, text in _TEMPLATE.items() if word in ("autoencoder", "input") and word not in words]
    before = [text for word, text in statements if word not in _TEMPLATE or word == "input"]
    after = [
        text
        for place in list(_TEMPLATE)[2:]
        for text in ([own for word, own in statements if word == place] or [_TEMPLATE[place]])
    ]
    return "".join(f"{line}\n" for line in (*lines, *before, *after))


def _statements(fragment: str) -> list[tuple[str, str]]:
    """The statements of the outermost level with their first words; a line outside all braces begins one."""
    statements: list[list[str]] = []
    depth = 0
    for line in fragment.splitlines():
        if depth <= 0 and line.strip() and not line.startswith("#"):
            statements.append([])
        if statements:
            statements[-1].append(line)
        bare = _IGNORED.sub("", line)
        depth += bare.count("{") - bare.count("}")
    return [(statement[0].split()[0], "\n".join(statement)) for statement in statements]
