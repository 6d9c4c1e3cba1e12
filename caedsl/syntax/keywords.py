"""Words that syntax errors name: statements, settings of a training, quantities of ``require``, kinds of sources.

What is declared further up cannot be read here: a test holds the settings, quantities and sources equal to it.
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

AS = "as"
"""Word before the name of an output."""

HOLDERS = tuple(word for word in BLOCKS if word != "block")
"""Statements whose brace follows their word."""

SETTINGS = frozenset(
    ("loss", "optimizer", "schedule", "batch", "epochs", "validation", "stop", "corrupt", "augment")
) | frozenset(("clip", "precision", "threads", "ema", "seed", "on"))
QUANTITIES = ("compression", "parameters", "macs", "receptive_field", "memory")

ENDINGS: Mapping[str, tuple[str, ...]] = {
    "npy": (".npy",),
    "npz": (".npz",),
    "idx": ("-ubyte", "-idx", "-ubyte.gz", "-idx.gz"),
    "parquet": (".parquet",),
    "csv": (".csv", ".tsv", ".txt"),
    "wav": (".wav", ".wave"),
    "nifti": (".nii", ".nii.gz"),
}
"""Endings of the files that a kind of source reads."""

FOLDERS = ("parquet", "wav", "nifti")
"""Kinds of sources that read a folder of such files too."""
