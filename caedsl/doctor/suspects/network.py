"""Suspicions about the network at initialisation: frozen weights, dead layers, a vanishing signal."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

from caedsl.doctor.certainty import CERTAIN, LIKELY, POSSIBLE, UNPROVEN
from caedsl.doctor.probes.start import INSENSITIVE, OTHER_SEEDS, ImportedStart, StartEvidence
from caedsl.doctor.suspicion import ProbesSoFar, ProposedChange, Suspicion
from caedsl.doctor.wording import percents, rounded
from caedsl.facts.steps import SMALL_UPDATE
from caedsl.rules.edits.settings import write_setting
from caedsl.rules.edits.trial import write
from caedsl.rules.engine.causes import KNOWN
from caedsl.vocabulary.activations import ACTIVATION, FUNCTIONS
from caedsl.vocabulary.kernel_options import INIT
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.option import Option

GROWN = 100.0
"""Suspicious ratio of a layer's output with an imported model's weights to its output with new random weights."""
CLIPPED = 0.01
"""Ratio of the clipping norm to the gradient norm at the start, below which clipping leaves almost nothing."""
LARGE = 10.0
"""Ratio of a layer's output at the start to the images, above which smaller initial weights are tried."""
PENALTY = 1.0
"""Ratio of the weight penalty to the loss of the mean image, above which training mainly shrinks the weights."""


def suspect(seen: ProbesSoFar) -> Iterator[Suspicion]:
    """Yield suspicions about the network before its first step."""
    start = seen.start
    if start is None:
        return
    yield from _frozen(seen, start)
    yield from _clipped(seen, start)
    alive = start.living_seeds
    # A fading signal is small with every seed, so an output that is 0 with some seeds only has another cause.
    if (start.dead and alive) or (start.insensitive and alive > OTHER_SEEDS // 2):
        dead = start.dead or _output(seen)
        yield Suspicion(
            "dead-start",
            CERTAIN if start.insensitive else LIKELY,
            f"with seed {seen.subject.settings.seed}, {_dead(start)}; with {alive} of {OTHER_SEEDS} other seeds "
            "the output depends on the image",
            seen.layer(dead[0]) if dead else seen.setting("train.seed"),
            KNOWN["dead-start"].remedy,
            (*leaky(seen, start.dead), *he_init(seen)),
        )
    elif start.insensitive and not start.untrained:
        yield Suspicion(
            "fading-signal",
            LIKELY,
            f"before training, the output varies only {rounded(start.sensitivity)} times as much as the images, and "
            f"no more than that with {OTHER_SEEDS - alive} of {OTHER_SEEDS} other seeds",
            seen.layer(_weakest(start)),
            KNOWN["fading-signal"].remedy,
            he_init(seen),
        )
    elif start.imported is not None:
        yield from _imported_weights(seen, start.imported)
    yield from _large(seen, start)
    if start.penalty > PENALTY:
        # Only possible: the rule `strong-l2` decides whether the penalty stops the network or only slows it.
        yield Suspicion(
            "strong-l2",
            POSSIBLE,
            f"at the start, the weight penalty is {start.penalty:.2g} times the loss of the mean image",
            seen.setting("train.loss"),
            KNOWN["strong-l2"].remedy,
        )


def _frozen(seen: ProbesSoFar, start: StartEvidence) -> Iterator[Suspicion]:
    if start.untrained:
        rest = len(start.untrained) - 4
        more = f" and {rest} more" if rest > 0 else ""
        yield Suspicion(
            "frozen-layer",
            CERTAIN,
            f"these weights are not trained: {', '.join(start.untrained[:4])}{more}",
            start.untrained[0],
            KNOWN["frozen-layer"].remedy,
        )


def _clipped(seen: ProbesSoFar, start: StartEvidence) -> Iterator[Suspicion]:
    """Yield the suspicion that clipping leaves almost nothing of the gradients, which makes the steps too small."""
    clip, memorise = seen.subject.settings.clip, seen.memorise
    norm = sum((layer.gradient or 0.0) ** 2 for layer in start.layers) ** 0.5
    if not clip or memorise is None or not memorise.updates or max(memorise.updates.values()) >= SMALL_UPDATE:
        return
    if norm * CLIPPED > clip:
        edits = write_setting(seen.subject.model, "clip", "clip", "1.0")
        yield Suspicion(
            "tight-clip",
            CERTAIN if seen.fails else POSSIBLE,
            f"at the start, the gradients have a norm of {rounded(norm)}, and are clipped to {rounded(clip)}; a step "
            f"changes the weights by {percents(memorise.updates.values())} of their size",
            seen.setting("train.clip"),
            KNOWN["tight-clip"].remedy,
            (ProposedChange("`clip 1.0`", edits),) if edits else (),
        )


def _large(seen: ProbesSoFar, start: StartEvidence) -> Iterator[Suspicion]:
    """Yield the suspicion that the signal grows through the layers, if the network fails; a trial decides."""
    images = (seen.data.mean**2 + seen.data.deviation**2) ** 0.5
    largest = max(range(len(start.layers)), key=lambda number: start.layers[number].size)
    growth = start.layers[largest].size / max(images, 1e-12)
    if seen.fails and growth > LARGE:
        yield Suspicion(
            "exploding-signal",
            UNPROVEN,
            f"before training, the output of this layer is {growth:,.0f} times as large as the images",
            seen.layer(largest),
            KNOWN["exploding-signal"].remedy,
            he_init(seen),
        )


def _imported_weights(seen: ProbesSoFar, imported: ImportedStart) -> Iterator[Suspicion]:
    """Yield the suspicion that an imported model's weights are a bad start, while newly drawn ones are not."""
    if imported.dead or imported.sensitivity < INSENSITIVE:
        cause, what = "dead-start", f"{_dead(imported)}, unlike with newly drawn ones"
    elif imported.growth > GROWN:
        cause, what = (
            "exploding-signal",
            f"its output is {imported.growth:,.0f} times as large as with newly drawn ones",
        )
    else:
        return
    yield Suspicion(
        cause,
        LIKELY,
        f"with the weights in the model, {what}",
        seen.layer(imported.dead[0] if imported.dead else imported.grown),
        "if training starts here, initialise the weights with `nn.init.kaiming_uniform_` (Keras: `he_uniform`)",
    )


def _output(seen: ProbesSoFar) -> tuple[int, ...]:
    return () if seen.subject.output is None else (seen.subject.output,)


def _dead(start: StartEvidence | ImportedStart) -> str:
    if start.dead:
        return "its output is 0 for every image"
    return f"the output varies only {rounded(start.sensitivity)} times as much as the images"


def _weakest(start: StartEvidence) -> int:
    """Return the number of the layer that reduces the differences between images the most."""
    shares = [layer.spread / layer.size if layer.size else 0.0 for layer in start.layers]
    passed = [after / before if before else 1.0 for before, after in pairwise([1.0, *shares])]
    return min(range(len(passed)), key=passed.__getitem__)


def leaky(seen: ProbesSoFar, numbers: Sequence[int]) -> tuple[ProposedChange, ...]:
    """Return the change that makes the ReLUs of these layers leaky; empty if none has a line of its own."""
    layers = (seen.subject.places.origins[number].layer for number in numbers)
    dying = (layer for layer in layers if ACTIVATION in layer.options and FUNCTIONS[layer.activation.name].dies)
    return on_lines("`leaky_relu` on the dead layer", dying, ACTIVATION, lambda _: "leaky_relu")


def he_init(seen: ProbesSoFar) -> tuple[ProposedChange, ...]:
    """Return the change that gives every written layer of the network He's initialisation."""
    layers = (origin.layer for origin in seen.subject.places.origins if INIT in origin.layer.options)
    return on_lines("`init=he` on every layer", layers, INIT, lambda _: "init=he")


def on_lines(
    title: str, layers: Iterable[Layer], option: Option, text: Callable[[Layer], str]
) -> tuple[ProposedChange, ...]:
    """Return the change that writes an option on the lines of these layers; empty if none has a line of its own."""
    edits = {layer.span: write(layer, option, text(layer)) for layer in layers if layer.mirrors is None}
    ordered = tuple(sorted(edits.values(), key=lambda edit: edit.span))
    return (ProposedChange(title, ordered),) if ordered else ()
