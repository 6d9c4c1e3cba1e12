"""Random numbers that follow from a seed, a stream, a step, a sample and a place alone.

They are counter-based (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): a hash of four numbers, of
which one stands for the seed and the stream, gives the same bits in any order, on any device and in any process, so
each process computes only those of its own samples, and there is no state to save. The hash is `pcg4d` of Jarzynski and
Olano 2020, "Hash functions for GPU rendering", Journal of Computer Graphics Techniques 9 (3), the paper's choice for
four words. Emitted training loops carry this source.
"""

import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from caedsl.backends.torch.seeds import derived_seed

MULTIPLIER, INCREMENT = 1664525, 1013904223
DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)


def signed(word: int) -> int:
    """Return the low 32 bits of ``word`` as a signed number, which overflows as tensors do."""
    return (word + 2**31) % 2**32 - 2**31


def spread(words: Tensor) -> Tensor:
    """Return the first step of the hash, which transforms each word separately."""
    return words.mul(MULTIPLIER).add_(INCREMENT)


def pcg4d(places: int, sample: Tensor, step: Tensor, key: int) -> Tensor:
    """Hash the places counted from 0, a column of samples, a step and a key, 32 bits each, to samples x 4 x places.

    ``sample`` and ``step`` are spread already.
    """
    x = torch.arange(INCREMENT, INCREMENT + places * MULTIPLIER, MULTIPLIER, device=sample.device).to(torch.int32)
    w = signed(key * MULTIPLIER + INCREMENT)
    x = torch.add(x, sample, alpha=w)
    y = torch.addcmul(sample, step, x)
    z = torch.addcmul(step, x, y)
    words = torch.stack((x, y, z, (y * z).add_(w)), dim=1)
    words ^= (words >> 16).bitwise_and_(0xFFFF)
    x, y, z, last = words.unbind(1)
    x.addcmul_(y, last)
    y.addcmul_(z, x)
    z.addcmul_(x, y)
    last.addcmul_(y, z)
    return words


class Draws:
    """Random numbers of the samples of a step. Each use of them is a stream with a name.

    Values of a sample are numbered channels last, whatever their memory format.
    """

    def __init__(self, seed: int, *purpose: str | int) -> None:
        """Derive the numbers from ``seed`` and ``purpose``."""
        self._seed, self._purpose = seed, purpose
        self._keys: dict[str, int] = {}
        self._samples: Tensor | None = None
        self._step = torch.zeros(())

    @property
    def active(self) -> bool:
        """Whether a step is in progress."""
        return self._samples is not None

    def begin(self, step: int | Tensor, count: int, first: int = 0, device: torch.device | str = "cpu") -> "Draws":
        """Draw for samples ``first`` to ``first + count`` of the batch of ``step`` from now on."""
        self._samples = spread(torch.arange(first, first + count, dtype=torch.int32, device=device)).view(-1, 1)
        word = step if isinstance(step, Tensor) else torch.tensor(step, device=device)
        self._step = spread(word.to(torch.int32)).view(1, 1)
        return self

    def end(self) -> None:
        """End the step: layers draw from PyTorch's own generator again."""
        self._samples = None

    def key(self, stream: str) -> int:
        """Return the word of a stream, which follows from the seed and the purpose."""
        if stream not in self._keys:
            self._keys[stream] = signed(derived_seed(self._seed, *self._purpose, stream))
        return self._keys[stream]

    def words(self, stream: str, count: int) -> Tensor:
        """Return samples x 4 x places random words of 32 bits, ``count`` or a few more of each sample."""
        assert self._samples is not None, "no step is under way"
        return self._hashed(stream, count, self._samples)

    def _hashed(self, stream: str, count: int, samples: Tensor) -> Tensor:
        return pcg4d(-(-count // 4), samples, self._step, self.key(stream))

    def uniform(self, stream: str, *shape: int) -> Tensor:
        """Draw numbers in [0, 1), ``shape`` of them for each sample, in 32 bits."""
        return laid_out(fractions(self.words(stream, math.prod(shape))), shape)

    def normal(self, stream: str, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Draw standard normal numbers, ``shape`` of them for each sample (Box and Muller 1958)."""
        words = self.words(stream, math.prod(shape))
        radius = (words[:, :2] >> 8).to(dtype).mul_(-(2.0**-24)).add_(0.5).log_().mul_(-2).sqrt_()  # of (0, 1]
        angle = words[:, 2:].to(dtype).mul_(math.pi * 2**-31)
        return laid_out(torch.cat((radius * angle.cos(), radius * angle.sin()), dim=1), shape)

    def chosen(self, stream: str, share: float, *shape: int) -> Tensor:
        """Draw whether each of ``shape`` values of each sample belongs to a random ``share`` of them."""
        bound = min(round(share * 2**32), 2**32 - 1) - 2**31
        return laid_out(self.words(stream, math.prod(shape)) < bound, shape)

    def of_batch(self, stream: str, count: int) -> Tensor:
        """Draw ``count`` numbers in [0, 1) that belong to the batch, not to one of its samples."""
        batch = torch.full((1, 1), -1, dtype=torch.int32, device=self._step.device)
        return fractions(self._hashed(stream, count, batch)).view(-1)[:count]


def fractions(words: Tensor) -> Tensor:
    """Return the high 24 bits of each word as a number in [0, 1)."""
    return (words >> 8).mul(2.0**-24).add_(0.5)


def laid_out(drawn: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return the draws of each sample in ``shape``, channels first, with the memory format channels last."""
    values = drawn.flatten(1)[:, : math.prod(shape)]
    return values.reshape(len(values), *shape[1:], shape[0]).movedim(-1, 1)


def dropped(layer: Any, plain: Callable[[Tensor], Tensor], draws: Draws, stream: str, x: Tensor) -> Tensor:
    """Apply a dropout layer."""
    if not (draws.active and layer.training):
        return plain(x)
    shape = x.shape[1:] if isinstance(layer, nn.Dropout) else (x.shape[1], *[1] * (x.dim() - 2))
    kept = draws.chosen(stream, 1 - layer.p, *shape)
    return x * kept.to(x.dtype).div_(1 - layer.p) if layer.p < 1 else x * 0


def drawn_normal(layer: nn.Module, plain: Callable[[Tensor], Tensor], draws: Draws, stream: str, x: Tensor) -> Tensor:
    """Draw a standard normal number for each value of ``x``."""
    return draws.normal(stream, *x.shape[1:]).to(x.dtype) if draws.active else plain(x)


def drawn_rows(
    layer: nn.Module, plain: Callable[[Tensor, int], Tensor], draws: Draws, stream: str, rows: Tensor, count: int
) -> Tensor:
    """Draw the indices of ``count`` of the ``rows``, which come from all samples of the batch."""
    if not draws.active:
        return plain(rows, count)
    return (draws.of_batch(stream, count).double() * len(rows)).long()


def connect(model: nn.Module, draws: Draws) -> None:
    """Make the random layers of ``model`` draw from ``draws`` in a step; elsewhere they use PyTorch's generator."""
    for number, (layer, name, form) in enumerate(random_layers(model)):
        stream = f"layer {number}"
        draws.key(stream)  # a compiled network cannot derive it
        vars(layer)[name] = partial(form, layer, getattr(layer, name), draws, stream)


def disconnect(model: nn.Module) -> None:
    """Make the random layers of ``model`` use PyTorch's generator again."""
    for layer, name, _ in random_layers(model):
        vars(layer).pop(name, None)


def random_layers(model: nn.Module) -> Iterable[tuple[nn.Module, str, Callable[..., Tensor]]]:
    """Yield each random layer with the name of its method that draws, and the function that replaces this method."""
    for layer in model.modules():
        if isinstance(layer, DROPOUTS):
            yield layer, "forward", dropped
        elif hasattr(layer, "draw_normal"):
            yield layer, "draw_normal", drawn_normal
        elif hasattr(layer, "draw_rows"):
            yield layer, "draw_rows", drawn_rows
