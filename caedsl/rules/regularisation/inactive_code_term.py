"""A term of the code has no weight, never leaves its free range, or asks for more than the code can use.

## What it does
Looks for codes whose own term of the loss is switched off: `variational` with `beta=0`, `quantized` with `commit=0`,
`sparsity=` with `sparsity_weight=0`; and for `free_bits=`, or `free_nats=` divided by the size of the code, of 10 nats
or more for each number of the code. It also looks for a `capacity=` of 10 nats or more for each number.

## Why is this bad?
The code then lacks the property that its name promises. Without the divergence, the means of a variational code spread
without bound and its noise disappears: samples from the normal distribution do not resemble any code that was trained.
Without the commitment, nothing keeps the encoder's outputs near the vectors that replace them: on digits, 30 epochs
with `commit=0` left a squared error of 0.050 instead of 0.0067, with either `update=`.

`free_bits` is the divergence that costs nothing, for each number of the code. A number that distinguishes twenty
thousand values needs 10 nats. On digits, a code of four numbers used 1.9 nats each with `free_bits=2`. With 4, 8 and 16
it used 3.3, 6.4 and 6.8, less than the free amount, so the term was constant; with 64 the run equalled one with
`beta=0`.

`capacity` is the divergence that the code should have. Beyond what the data have to tell, a code reaches it by moving
its means away from 0 and its variances away from 1: m nats of it take a mean of √(2m), or a variance of about
e^(-2m - 1). The divergence then no longer limits the code, and reaching it harms the reconstruction. On digits, 30
epochs of a code of four numbers (one seed) ended at a squared error of 0.037 with `capacity=8`, 0.042 with 20, 0.053
with 40, and 0.109 with 10,000.

## Example
```cae
data mnist
encoder { conv 16 k4 s2 relu; conv 32 k4 s2 relu }
bottleneck variational 8 free_bits=50
train { loss bce }
```

## Instead
```cae
data mnist
encoder { conv 16 k4 s2 relu; conv 32 k4 s2 relu }
bottleneck variational 8 free_bits=0.5
train { loss bce }
```

## How sure
Certain for weights of 0. The limit of 10 nats is a heuristic; published values of `free_bits` are 8 or less, for larger
groups of numbers, and the published `capacity` of 25 nats is for a code of 10.

## References
- Burgess et al. 2018, "Understanding disentangling in β-VAE", arXiv 1804.03599: the capacity.
- Kingma et al. 2016, "Improving variational inference with inverse autoregressive flow", arXiv 1606.04934: free bits.
- van den Oord et al. 2017, "Neural discrete representation learning", arXiv 1711.00937: the commitment.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Severity
from caedsl.facts.divergence import free_for_each
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule
from caedsl.rules.engine.wording import plain
from caedsl.source import Span
from caedsl.vocabulary.bottlenecks.quantized import COMMIT, COMMITMENT
from caedsl.vocabulary.bottlenecks.variational import BETA, KL
from caedsl.vocabulary.code_kinds import CAPACITY, FREE
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.option import Option
from caedsl.vocabulary.shape import elements
from caedsl.vocabulary.sparse_codes import SPARSITY_TERM, SPARSITY_WEIGHT

RULE = Rule("CAE709", "inactive-code-term", Severity.WARNING)

MOST_NATS = 10
"""Limit of the free or wanted divergence of one number of the code, in nats (heuristic)."""
REASONABLE = 0.5
"""Divergence of one number that the remedy suggests, in nats: that of World Models (Ha and Schmidhuber 2018)."""

_TERMS: dict[str, tuple[Option, str, str]] = {
    KL: (BETA, "the divergence", "use a weight above 0, such as 0.1, or `bottleneck dense` for a code without noise"),
    COMMITMENT: (COMMIT, "the commitment", "use a weight above 0: 0.25 is common"),
    SPARSITY_TERM: (SPARSITY_WEIGHT, "the sparsity", "use a weight above 0, or remove `sparsity=`"),
}
"""Terms of a code: the option with the weight, what it weighs, and the remedy for a weight of 0."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield a finding for every term of the code without a weight, and for a divergence that limits nothing."""
    code = model.bottleneck
    spans = code.layers[-1].spans if code.layers else {}
    for term, (option, name, remedy) in _TERMS.items():
        if code.weights.get(term) == 0:
            place = spans.get(option.name, code.span)
            yield RULE.found(place, f"`{option.name}=0` switches off {name} of the code", help=remedy)
    if code.layers and code.weights.get(KL):
        yield from _check_divergence(code.layers[-1], code.span)


def _check_divergence(code: Layer, place: Span) -> Iterator[Finding]:
    """Yield a finding for an amount of free or wanted divergence that a code cannot use."""
    effects = dict.fromkeys(FREE, "leaves so much of each number free that the divergence has no effect") | {
        CAPACITY: "is a larger divergence than this code can use"
    }
    written = next((option for option in effects if code.options.get(option, 0.0)), None)
    if written is None:
        return
    amount = code.options[written]
    each = free_for_each(code) or amount / elements(code.out_shape)
    if each >= MOST_NATS:
        yield RULE.found(
            code.spans.get(written.name, place),
            f"`{written.name}={plain(amount)}` {effects[written]}",
            help=f"use a smaller number, such as {plain(REASONABLE * amount / each)}",
            data={"nats": each},
        )
