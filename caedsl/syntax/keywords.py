"""Words with which lines begin: statements, settings of a training, and quantities of ``require``.

What is declared further up cannot be read here: a test holds the settings and the quantities equal to it.
"""

from collections.abc import Mapping

STATEMENTS = (
    "autoencoder",
    "input",
    "target",
    "data",
    "let",
    "defaults",
    "block",
    "encoder",
    "bottleneck",
    "decoder",
    "train",
    "sweep",
    "require",
    "allow",
)
BLOCKS: Mapping[str, bool | None] = {
    "block": True,
    "encoder": True,
    "bottleneck": None,
    "decoder": None,
    "train": True,
    "sweep": True,
    "require": True,
}
"""Whether a statement has a block: yes, or optionally (None); the others have none."""

HOLDERS = tuple(word for word in BLOCKS if word != "block")
"""Statements whose brace follows their word."""

SETTINGS = frozenset(
    ("loss", "optimizer", "schedule", "batch", "epochs", "validation", "stop", "corrupt", "augment")
) | frozenset(("clip", "precision", "threads", "ema", "seed", "on"))
QUANTITIES = ("compression", "parameters", "macs", "receptive_field", "memory")
