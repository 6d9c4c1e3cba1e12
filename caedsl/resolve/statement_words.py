"""Statements that a spec needs or repeats, and those that were found, by word."""

from dataclasses import dataclass, field

from caedsl.model.autoencoder import Allowance
from caedsl.source import Span
from caedsl.syntax import tree

EXTENDS = "extends"
"""Word after the name of a variant."""

REQUIRED_STATEMENTS = {
    "autoencoder": "autoencoder NAME",
    "input": "input 1x28x28",
    "encoder": "encoder { conv 16 relu; maxpool 2 }",
    "bottleneck": "bottleneck",
    "decoder": "decoder mirror",
}
"""Required statements, and an example of each."""

MANY = ("let", "defaults", "block", "allow")


@dataclass
class StatementsByWord:
    """Statements of a spec by word, and the number of ``defaults`` lines above each."""

    single: dict[str, tree.Statement] = field(default_factory=dict)
    defaults: dict[str, int] = field(default_factory=dict)
    allowances: list[Allowance] = field(default_factory=list)
    places: dict[str, Span] = field(default_factory=dict)
    meant: set[str] = field(default_factory=set)
    """Statements that are written under a name that the language does not have."""
