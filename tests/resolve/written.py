"""Models of fragments of specs."""

from caedsl.model.autoencoder import Autoencoder
from caedsl.resolve.resolve import resolve
from caedsl.rules.engine.example import whole_spec
from caedsl.source import Source
from caedsl.syntax.parser import parse


def model(fragment: str) -> Autoencoder:
    """Return the model of ``fragment``, in which the compiler must find nothing."""
    source = Source(whole_spec(fragment))
    resolved, findings = resolve(parse(source)[0], source)
    assert resolved is not None
    assert not findings, [finding.message for finding in findings]
    return resolved
