"""Realistic findings for the tests of every renderer."""

from collections.abc import Callable

import pytest

from caedsl.diagnostics import Applicability, Edit, Finding, Fix, Label, Report, Severity
from caedsl.source import Source, Span

SPEC = """\
autoencoder small

input 1x28x28 in 0..1

encoder {
  conv 16 k3 s2 relu
  conv 8 k3 s2 relu
}

bottleneck 8x7x7

decoder {
  deconv 16 k3 s2 relu
  deconv 1 k3 s2 pad=1 sigmoid
}

train {
  loss mse
  optimizer adam lerning_rate=1e-3
"""


def find(source: Source, text: str, nth: int = 0) -> Span:
    start = -1
    for _ in range(nth + 1):
        start = source.text.index(text, start + 1)
    return Span(start, start + len(text))


@pytest.fixture
def place() -> Callable[..., Span]:
    """Return the span of the ``nth`` occurrence of a text in a source."""
    return find


@pytest.fixture
def small() -> Source:
    return Source(SPEC, "specs/small.cae")


@pytest.fixture
def shape(small: Source) -> Finding:
    layer = find(small, "deconv 1 k3 s2 pad=1 sigmoid")
    after_pad = find(small, "pad=1").end
    return Finding(
        "output-shape",
        "the decoder returns 1x27x27, but the input is 1x28x28",
        Label(layer, "makes 1x27x27"),
        (Label(find(small, "1x28x28"), "the input"),),
        ("height: (14 - 1)*2 - 2*1 + 3 + 0 = 27",),
        "add `output_pad=1`, which gives the missing row and column",
        Fix(
            "add `output_pad=1`",
            (Edit(Span(after_pad, after_pad), " output_pad=1"),),
            Applicability.UNSAFE,
        ),
        "CAE201",
        data={"output": (1, 27, 27), "ratio": float("inf")},
    )


@pytest.fixture
def typo(small: Source) -> Finding:
    word = find(small, "lerning_rate")
    return Finding(
        "unknown-option",
        'optimizer adam has no option "lerning_rate"',
        Label(word, 'did you mean "lr"?'),
        (Label(find(small, "adam"), "its options: lr, betas, eps, weight_decay"),),
        fix=Fix('write "lr"', (Edit(word, "lr"),), Applicability.SAFE),
        code="CAE104",
        severity=Severity.WARNING,
    )


@pytest.fixture
def unclosed(small: Source) -> Finding:
    end = len(small.text)
    return Finding(
        "syntax",
        "`train` is not closed",
        Label(Span(end, end), "expected `}`"),
        (Label(find(small, "train {"), "opened here"),),
        fix=Fix("close it with `}`", (Edit(Span(end, end), "}\n"),), Applicability.SAFE),
        code="CAE001",
    )


@pytest.fixture
def block(small: Source) -> Finding:
    opening = find(small, "encoder {")
    return Finding(
        "no-bottleneck",
        "the encoder does not compress",
        Label(Span(opening.start, find(small, "}").end), "784 values in, 392 out"),
        code="CAE301",
        severity=Severity.INFO,
    )


@pytest.fixture
def reports(small: Source, shape: Finding, typo: Finding, unclosed: Finding, block: Finding) -> list[Report]:
    """Return all four findings, out of order."""
    return [Report(small, (unclosed, typo, shape, block))]
