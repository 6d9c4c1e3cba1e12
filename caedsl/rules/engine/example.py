"""Examples of rules: fragments of specs, and the complete specs that they stand for."""

import re
from collections.abc import Iterator

_BEFORE = {"autoencoder": "autoencoder example", "input": "input 1x28x28"}
_AFTER = {
    "encoder": "encoder { conv 8 relu; maxpool 2 }",
    "bottleneck": "bottleneck dense 16",
    "decoder": "decoder mirror",
}
_BLOCK = re.compile(r"^```cae\n(.*?)^```", re.DOTALL | re.MULTILINE)


def examples(documentation: str, heading: str) -> Iterator[str]:
    """Yield the fragments of specs under ``## heading`` in a rule's documentation."""
    for section in re.split(r"^## +", documentation, flags=re.MULTILINE):
        if section.partition("\n")[0].strip() == heading:
            yield from (match[1] for match in _BLOCK.finditer(section))


def whole_spec(fragment: str) -> str:
    """Return ``fragment`` completed to a whole spec; a fragment that begins a spec is complete."""
    if fragment.lstrip().startswith("autoencoder"):
        return fragment
    before, after = (
        [line for word, line in lines.items() if not re.search(rf"^[ \t]*{word}\b", fragment, re.MULTILINE)]
        for lines in (_BEFORE, _AFTER)
    )
    return "\n".join([*before, fragment.strip("\n"), *after, ""])
