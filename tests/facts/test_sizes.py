"""What windows leave unread, against counting; and the resolutions of a decoder against those of its encoder."""

import itertools

import pytest

from caedsl.facts.sizes import missing_resolutions, size_path, unread
from caedsl.source import Span
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers import KINDS
from caedsl.vocabulary.misfit import Misfit

NOWHERE = Span(0, 0)


def convolution(size: int, kernel: int, stride: int, dilation: int, pad: int) -> Layer | None:
    """Return a one-channel convolution over a square map, or None if its window does not fit."""
    kind = KINDS["conv"]
    given = {"channels": 1, "kernel": (kernel,), "stride": (stride,), "dilation": (dilation,), "pad": (pad,)}
    fit = kind.fit(given, (1, size, size))
    return None if isinstance(fit, Misfit) else Layer(kind, fit.options, (1, size, size), fit.out_shape, NOWHERE)


@pytest.mark.parametrize("size", [5, 8, 11])
def test_unread_rows_are_those_that_no_tap_meets(size: int) -> None:
    seen = 0
    for kernel, stride, dilation, pad in itertools.product((1, 2, 3, 4), (1, 2, 3, 4), (1, 2, 3), (0, 1)):
        layer = convolution(size, kernel, stride, dilation, pad)
        if layer is None:
            continue
        outputs = layer.out_shape[1]
        read = {o * stride + t * dilation - pad for o in range(outputs) for t in range(kernel)}
        last = max(read)
        found = unread(layer)
        edge = max(0, size - 1 - last)
        assert (found[0].edge if found else 0) == edge
        # Every residue of the stride occurs somewhere unless rows are skipped between the windows.
        skipped = stride - len({row % stride for row in read})
        assert (found[0].skipped if found else 0) == skipped
        seen += 1
    assert seen > 50


@pytest.mark.parametrize(
    ("down", "up", "missing"),
    [
        ([(28, 28), (14, 14), (7, 7)], [(7, 7), (14, 14), (28, 28)], []),
        ([(28, 28), (14, 14), (7, 7)], [(7, 7), (28, 28)], [(14, 14)]),
        ([(28, 28), (14, 14), (7, 7), (4, 4)], [(4, 4), (8, 8), (16, 16), (14, 14), (28, 28)], [(7, 7)]),
        ([(28, 28), (14, 14)], [(7, 7), (28, 28), (14, 14), (28, 28)], []),
        ([(28, 28), (28, 28)], [(28, 28)], []),
    ],
)
def test_resolutions_that_do_not_come_back(
    down: list[tuple[int, int]], up: list[tuple[int, int]], missing: list[tuple[int, int]]
) -> None:
    assert missing_resolutions(down, up) == missing


def test_a_path_explains_what_is_not_plain() -> None:
    pad = convolution(8, 3, 1, 1, 0)
    halved = convolution(6, 2, 2, 1, 0)
    assert pad is not None
    assert halved is not None
    assert size_path((1, 8, 8), (pad, halved), 0) == "8 → 6 (8 - 3 + 1) → 3"
