"""What the compiler makes of a text, kept for the few texts that were looked at last.

A check reads the same text more than once: rules try a change before they propose it, and verifying the fix makes that
change again.
"""

from functools import lru_cache
from typing import NamedTuple

from caedsl.diagnostics.finding import Finding
from caedsl.model.autoencoder import Autoencoder
from caedsl.resolve.resolve import resolve
from caedsl.source import Source
from caedsl.syntax.bidirectional import bidirectional_controls
from caedsl.syntax.parser import parse
from caedsl.syntax.tree import Spec


class Compiled(NamedTuple):
    """The tree of a text, its model (None where there was nothing to build on), and what the compiler finds wrong."""

    spec: Spec
    model: Autoencoder | None
    findings: tuple[Finding, ...]


@lru_cache(maxsize=8)
def compiled(text: str, path: str) -> Compiled:
    """Syntax, then the model; text of any kind is answered with findings, never raised."""
    source = Source(text, path)
    spec, syntax_findings = parse(source)
    model, model_findings = resolve(spec, source)
    return Compiled(spec, model, (*syntax_findings, *bidirectional_controls(text), *model_findings))
