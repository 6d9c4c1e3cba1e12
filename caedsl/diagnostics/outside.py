"""Losses and layers that a spec cannot express."""

import re
from functools import lru_cache
from typing import NamedTuple

from caedsl.diagnostics.foreign_layers import plain_layer
from caedsl.diagnostics.foreign_words import plain_loss

_BY_HAND = "write the rest as a spec, and extend the code of `caedsl emit --training` by hand"


class Outside(NamedTuple):
    """Feature that the language does not have: its name, the words for it, and the closest alternative."""

    what: str
    words: str
    nearest: str = "remove it"

    @property
    def help(self) -> str:
        """What the author can do instead."""
        return f"{self.nearest}; {_BY_HAND}"


_SORTS = (
    Outside("an adversarial loss", r"adversarial|(w|ls|patch|hinge)?gan|wgangp|hinge|discriminator|critic|generator"),
    Outside(
        "a perceptual loss",
        r"perceptual|lpips|dists|vgg(16|19)?|style|content|featurematching",
        "write `loss mse + 0.2 ssim` for a loss of structure",
    ),
    Outside("a second network", r"teacher|student|momentumencoder"),
    Outside(
        "shared weights", r"tied?|(weight)?(tied|tying|shar(e|ed|ing))(weights?)?", "give each layer its own weights"
    ),
    Outside(
        "a recurrent layer",
        r"(bi|conv)?(lstm|gru)(cell)?|(simple)?rnn(cell)?|recurrent|bidirectional",
        "write `conv 32 d2`, whose dilation covers long signals",
    ),
    Outside(
        "patch tokens",
        r"patch(es|ify|embed|embedding)?|tokens?|tokenizer|transformer(encoder|decoder|block)?|vit|swin|clstoken|"
        r"pos(itional)?(embed|embedding|encoding)|mlpmixer",
        "write `conv 64 k4 s4` and `residual { norm layer; attention heads=4 }`",
    ),
    Outside(
        "a learned entropy model",
        r"entropy(bottleneck|model)?|((mean)?scale)?hyperprior|factorized(prior)?|gaussianconditional|autoregressive|"
        r"pixelcnn|bpp",
        "write `bottleneck quantized 512x64` for a code with a known number of bits",
    ),
)


@lru_cache(maxsize=1000)
def outside(word: str) -> Outside | None:
    """Return the feature that ``word`` refers to, if the language does not have it."""
    names = plain_layer(word), plain_loss(word)
    return next((sort for sort in _SORTS if any(re.fullmatch(sort.words, name) for name in names)), None)
