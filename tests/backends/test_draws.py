"""Random numbers that follow from seed, step, sample and place."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from caedsl.backends.torch.draws import Draws, connect, disconnect, pcg4d, spread
from caedsl.backends.torch.modules import Gaussian, GaussianNoise, Quantizer

WORDS = [(0, 0, 0, 0), (1, 2, 3, 4), (195, 127, 2**31 - 1, -5), (7, -1, 1, -(2**31)), (70_000, 3, 12, 77)]


def hashed(x: int, y: int, z: int, w: int) -> tuple[int, ...]:
    """Return ``pcg4d`` as the paper states it, in Python's integers."""
    x, y, z, w = ((v * 1664525 + 1013904223) % 2**32 for v in (x, y, z, w))
    for _ in range(2):
        x = (x + y * w) % 2**32
        y = (y + z * x) % 2**32
        z = (z + x * y) % 2**32
        w = (w + y * z) % 2**32
        before = (x, y, z, w)
        x, y, z, w = (v ^ v >> 16 for v in before)
    return before


@pytest.mark.parametrize("words", WORDS)
def test_the_hash_is_that_of_the_paper(words: tuple[int, int, int, int]) -> None:
    sample, step = (spread(torch.tensor([[word]], dtype=torch.int32)) for word in words[1:3])
    found = pcg4d(words[0] + 1, sample, step, words[3])[0, :, -1]
    assert tuple(word % 2**32 for word in found.tolist()) == hashed(*words)


def test_uniform_numbers_are_uniform_and_uncorrelated() -> None:
    drawn = torch.stack([Draws(1).begin(step, 64).uniform("a", 4096) for step in range(8)]).double()
    assert drawn.min() >= 0 and drawn.max() < 1
    counts = torch.histc(drawn.float(), bins=256, min=0, max=1).double()
    expected = drawn.numel() / 256
    assert abs(((counts - expected) ** 2 / expected).sum() - 255) < 4 * math.sqrt(2 * 255)
    centred = (drawn - 0.5) * math.sqrt(12)
    for axis in range(3):
        for lag in (1, 2, 3, 5, 7):
            ahead = centred.roll(lag, axis)
            assert abs((centred * ahead).mean()) < 4 / math.sqrt(drawn.numel()), (axis, lag)
    words = centred.view(8, 64, 4, 1024)  # the four words of a hash
    for one in range(4):
        for other in range(one):
            product = (words[:, :, one] * words[:, :, other]).mean()
            assert abs(product) < 4 / math.sqrt(words[:, :, one].numel())


def test_each_bit_is_set_half_of_the_time_and_follows_no_bit_of_the_input() -> None:
    """Flipping a bit of the place, the sample, the step or the key flips each bit of the result half of the time."""
    number = 2048

    def words(place: int = 0, sample: int = 0, step: int = 0, key: int = 0) -> Tensor:
        two = (spread(torch.tensor([[word]], dtype=torch.int32)) for word in (3 ^ sample, 9 ^ step))
        return pcg4d(2 * number, *two, 5 ^ key)[:, :, torch.arange(number) ^ place]

    base = words()
    for bit in range(0, 21, 4):
        flip = 1 << bit
        changed = [words(sample=flip), words(step=flip), words(key=flip), *([words(flip)] if flip < number else [])]
        for other in changed:
            for of in range(8, 32):  # the bits that numbers and masks are made of
                share = (((base ^ other) >> of) & 1).double().mean(dim=(0, 2))
                assert (share - 0.5).abs().max() < 5 * 0.5 / math.sqrt(number), (bit, of)


def test_normal_numbers_are_normal() -> None:
    drawn = Draws(2).begin(0, 256).normal("noise", 4096).double()
    n = drawn.numel()
    assert abs(drawn.mean()) < 4 / math.sqrt(n)
    assert abs(drawn.square().mean() - 1) < 4 * math.sqrt(2 / n)
    assert abs((drawn**3).mean()) < 4 * math.sqrt(15 / n)
    assert abs((drawn**4).mean() - 3) < 4 * math.sqrt(96 / n)
    places = torch.linspace(-3, 3, 13, dtype=torch.float64)
    below = (drawn.flatten()[:, None] < places).double().mean(0)
    assert (below - torch.special.ndtr(places)).abs().max() < 4 * 0.5 / math.sqrt(n)
    assert drawn.isfinite().all()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_a_share_of_the_values_is_chosen(share: float) -> None:
    chosen = Draws(3).begin(0, 100).chosen("mask", share, 4, 10, 10).double()
    assert abs(chosen.mean() - share) <= 4 * math.sqrt(share * (1 - share) / chosen.numel())


def test_seed_purpose_stream_step_and_sample_each_give_other_numbers() -> None:
    drawn = [
        Draws(seed, *purpose).begin(step, 2, first).uniform(stream, 8)
        for seed, purpose, step, first, stream in (
            (0, (), 0, 0, "a"),
            (1, (), 0, 0, "a"),
            (0, ("validation",), 0, 0, "a"),
            (0, (), 1, 0, "a"),
            (0, (), 0, 2, "a"),
            (0, (), 0, 0, "b"),
        )
    ]
    assert len({tuple(row.tolist()) for numbers in drawn for row in numbers}) == 2 * len(drawn)


@pytest.mark.parametrize("sizes", [(5,), (2, 3), (0, 1, 4), (1, 1, 1, 1, 1)], ids=str)
@pytest.mark.parametrize(
    "numbers",
    [
        lambda draws: draws.uniform("a", 7),
        lambda draws: draws.uniform("a", 1),
        lambda draws: draws.normal("a", 3, 5, 4),
        lambda draws: draws.normal("a", 3, 5, 4, dtype=torch.float64),
        lambda draws: draws.chosen("a", 0.3, 3, 5),
        lambda draws: draws.chosen("a", 0.3, 6, 1, 1),
    ],
    ids=["uniform", "one", "normal", "double", "mask", "channels"],
)
def test_parts_of_a_batch_get_the_numbers_of_the_batch(
    numbers: Callable[[Draws], Tensor], sizes: tuple[int, ...]
) -> None:
    draws = Draws(4)
    whole = numbers(draws.begin(3, 5))
    parts, first = [], 0
    for size in sizes:
        parts.append(numbers(draws.begin(torch.tensor(3), size, first)))
        first += size
    assert len(whole) == 5
    torch.testing.assert_close(torch.cat(parts), whole, rtol=1e-6, atol=1e-6)


RANDOM = [
    (nn.Dropout(0.4), (6, 5, 4)),
    (nn.Dropout(0.4), (12,)),
    (nn.Dropout1d(0.4), (6, 5)),
    (nn.Dropout2d(0.4), (6, 5, 4)),
    (nn.Dropout3d(0.4), (6, 5, 4, 2)),
    (GaussianNoise(0.2), (6, 5, 4)),
    (Gaussian(), (6, 5, 4)),
    (Gaussian(), (10,)),
]


@pytest.mark.parametrize(("layer", "shape"), RANDOM, ids=[f"{type(part).__name__}-{len(s)}" for part, s in RANDOM])
def test_layers_give_parts_what_they_give_the_batch(layer: nn.Module, shape: tuple[int, ...]) -> None:
    model, draws, x = nn.Sequential(nn.Identity(), layer).train(), Draws(5), 1 + torch.rand(9, *shape)
    state = torch.get_rng_state()
    connect(model, draws)
    draws.begin(1, 9)
    whole, again = model(x), model(x)
    assert torch.equal(whole, again)
    if x.dim() == 4:
        assert torch.equal(model(x.contiguous(memory_format=torch.channels_last)), whole)
    halves = []
    for first, last in ((0, 4), (4, 4), (4, 9)):
        draws.begin(1, last - first, first)
        halves.append(model(x[first:last]))
    torch.testing.assert_close(torch.cat(halves), whole)
    draws.begin(2, 9)
    assert not torch.equal(model(x), whole)
    assert torch.equal(model.eval()(x), x[:, : whole.shape[1]])
    assert torch.equal(torch.get_rng_state(), state)
    model.train()
    draws.end()
    assert not torch.equal(model(x), model(x)), "outside a step PyTorch's generator is used"
    disconnect(model)
    assert not {"forward", "draw_normal"} & set(vars(layer))


@pytest.mark.parametrize("rate", [0.25, 1.0])
def test_dropout_keeps_the_mean(rate: float) -> None:
    layer, draws = nn.Dropout(rate).train(), Draws(6)
    connect(layer, draws)
    draws.begin(0, 200)
    y = layer(torch.ones(200, 10, 10))
    assert y.unique().tolist() == ([0.0] if rate == 1 else [0.0, pytest.approx(1 / (1 - rate))])
    assert rate == 1 or y.mean() == pytest.approx(1, abs=0.02)


def test_a_codebook_starts_from_random_rows_of_the_whole_batch() -> None:
    layer, draws, h = Quantizer(8, 3).train(), Draws(7), torch.rand(6, 3, 4, 4)
    connect(layer, draws)
    for first in (0, 3):  # another process has other samples, and gathers the whole batch
        draws.begin(0, 3, first)
        layer.taken.zero_()
        layer.restart(h)
        rows = layer.codebook.clone()
        layer.taken.zero_()
        draws.begin(0, 3, 3 - first)
        layer.restart(h)
        assert torch.equal(layer.codebook, rows)
    inputs = layer.flat(h)
    assert all((inputs == row).all(1).any() for row in rows)
    assert len(rows.unique(dim=0)) > 1


def test_layers_in_a_compiled_network_draw_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiler sees each draw as a part of its one graph, also from step to step."""
    model, draws = nn.Sequential(nn.Dropout(0.3), GaussianNoise(0.1), nn.Dropout2d(0.5)).train(), Draws(8)
    connect(model, draws)
    compiled = torch.compile(model, backend="aot_eager", fullgraph=True, dynamic=False)
    x = torch.rand(4, 3, 5, 5)
    for step in range(3):
        draws.begin(torch.tensor(step), 4)
        torch.testing.assert_close(compiled(x), model(x))
