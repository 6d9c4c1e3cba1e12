"""Infer the part that a layer belongs to from its name."""

_WORDS = {"encoder": ("enc",), "decoder": ("dec",), "code": ("bottleneck", "latent", "code", "embedding")}


def is_called(name: str, part: str) -> bool:
    """Return whether a step of the path ``name`` begins with a word for ``part``: encoder, decoder or code."""
    return any(step.lower().lstrip("_").startswith(_WORDS[part]) for step in name.split("."))


def part_of(name: str) -> str:
    """Return the part that ``name`` indicates: encoder or decoder, or an empty text."""
    return next((part for part in ("encoder", "decoder") if is_called(name, part)), "")
