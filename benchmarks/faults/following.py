"""Read the advice of rules and monitors, and follow it: the spec that each alternative of a sentence asks for."""

import re
from collections.abc import Callable, Sequence

from benchmarks.faults.random_search import hidden_layers, on_every
from caedsl.diagnostics.edits import apply_edits
from caedsl.diagnostics.finding import Edit
from caedsl.facts.outputs import output_layer
from caedsl.model.autoencoder import Autoencoder
from caedsl.resolve.merging.overrides import OverrideError, override
from caedsl.rules.edits.output import activation_edit
from caedsl.vocabulary.activations import ACTIVATION
from caedsl.vocabulary.kernel_options import INIT, L2
from caedsl.vocabulary.norms import NORM
from caedsl.vocabulary.option import Option

Follow = Callable[[Autoencoder, re.Match[str]], str | None]
Chosen = Callable[[Autoencoder, re.Match[str]], str]

_OF_RULES, _OF_MONITORS = re.compile(r", or |; "), re.compile(r", | or |: the loss still falls$")
_OF_CHECK = re.compile(r"^(?:use|try) (.*?) \(`[\w-]+` of `caedsl check`: .*\)$", re.DOTALL)
"""Remedy of a rule that a monitor repeats, with its evidence in parentheses."""
_COMMENT = re.compile(r"may stay as it is|may keep|often works|without ")
"""What follows a semicolon and proposes nothing."""
_BY_HAND = re.compile(
    r"what `caedsl doctor|more (image|signal|volume|sample)s$|fewer layers|inputs and targets are paired|images themselves as targets|`residual` around|without NaN and infinity"
)
"""What a person must do: there is no one change of the spec for it."""


def of_rule(sentence: str) -> list[str]:
    """Return the alternatives of a rule's sentence after "use" or "try", without what proposes nothing."""
    return [part for part in _OF_RULES.split(sentence) if not _COMMENT.search(part)]


def of_monitor(sentence: str) -> list[str]:
    """Return the alternatives of a monitor's sentence that a change of the spec can follow."""
    if checked := _OF_CHECK.match(sentence):
        return of_rule(checked[1])
    return [part for part in _OF_MONITORS.split(sentence) if part and not _BY_HAND.search(part)]


def followed(model: Autoencoder, alternative: str) -> str | None:
    """Return the spec that follows an alternative, or None if it cannot be read."""
    for pattern, follow in _READERS:
        if found := re.search(pattern, alternative):
            return follow(model, found)
    return None


def _set(name: str, value: Chosen) -> Follow:
    def follow(model: Autoencoder, found: re.Match[str]) -> str | None:
        try:
            return override(model.source, {name: value(model, found)}).text
        except OverrideError:
            return None

    return follow


def _hidden(option: Option) -> Follow:
    def follow(model: Autoencoder, found: re.Match[str]) -> str | None:
        edits: Sequence[Edit] = on_every(hidden_layers(model), option, found[1])
        return apply_edits(model.source.text, edits) if edits else None

    return follow


def _output(model: Autoencoder, found: re.Match[str]) -> str | None:
    layer = output_layer(model)
    edit = activation_edit(model, layer, found[1]) if layer is not None else None
    return apply_edits(model.source.text, [edit]) if edit is not None else None


def _written(pattern: str, by: Callable[[re.Match[str]], str]) -> Follow:
    """Return what replaces a pattern in the text of the spec."""

    def follow(model: Autoencoder, found: re.Match[str]) -> str | None:
        text, count = re.subn(pattern, by, model.source.text)
        return text if count else None

    return follow


def _tenth(names: str) -> Follow:
    return _written(rf"\b({names})=([\d.e-]+)", lambda written: f"{written[1]}={float(written[2]) / 10:g}")


def _smaller(pattern: str, times: int) -> Follow:
    return _written(pattern, lambda written: f"{written[1]}{max(1, int(written[2]) // times)}")


def _more(times: int) -> Chosen:
    def value(model: Autoencoder, found: re.Match[str]) -> str:
        assert model.train is not None
        return str(int(model.train.epochs) * times)

    return value


def _larger(model: Autoencoder, found: re.Match[str]) -> str:
    assert model.train is not None
    return str(max(32, 8 * int(model.train.batch)))


def _next_seed(model: Autoencoder, found: re.Match[str]) -> str:
    assert model.train is not None
    return str(model.train.seed + 1)


def _first(model: Autoencoder, found: re.Match[str]) -> str:
    return found[1]


def _group(model: Autoencoder, found: re.Match[str]) -> str:
    return re.sub(r"norm=batch(?: momentum=[\d.e-]+)?", found[1], model.source.text)


_READERS: Sequence[tuple[str, Follow]] = (
    (r"`optimizer ([^`]+)`", _set("train.optimizer", _first)),
    (
        r"SGD with momentum=([\d.]+) and lr=(\S+)",
        _set("train.optimizer", lambda model, m: f"sgd lr={m[2]} momentum={m[1]}"),
    ),
    (r"(?:^|such as )`?lr=([^`\s]+)`?$", _set("train.optimizer.lr", _first)),
    (r"`weight_decay=([^`]+)`", _set("train.optimizer.weight_decay", _first)),
    (r"`batch (\d+)`", _set("train.batch", _first)),
    (r"larger batch", _set("train.batch", _larger)),
    (r"`epochs (\d+)`", _set("train.epochs", _first)),
    (r"more epochs", _set("train.epochs", _more(4))),
    (r"another `seed`", _set("train.seed", _next_seed)),
    (r"`loss ([^`]+)`", _set("train.loss", _first)),
    (r"`schedule ([^`]+)`", _set("train.schedule", _first)),
    (r"`clip ([^`]+)`", _set("train.clip", _first)),
    (r"`stop ([^`]+)`", _set("train.stop", _first)),
    (r"`augment ([^`]+)`", _set("train.augment", _first)),
    (r"`precision ([^`]+)`", _set("train.precision", _first)),
    (r"`momentum=([^`]+)`", _written(r"(norm=\w+) momentum=[\d.e-]+", lambda written: written[1])),
    (r"`warmup=([^`]+)`", _set("bottleneck.warmup", _first)),
    (r"`update=([^`]+)`", _set("bottleneck.update", _first)),
    (r"`topk=([^`]+)`", _set("bottleneck.topk", _first)),
    (r"`free_bits=([^`]+)`", _set("bottleneck.free_bits", _first)),
    (r"a tenth of `(beta)`", _tenth("beta")),
    (r"a tenth of the weight penalties", _tenth("l1|l2|weight_decay")),
    (r"a smaller `(l1)` on the bottleneck", _tenth("l1")),
    (r"a smaller codebook", _smaller(r"(quantized )(\d+)", 4)),
    (r"a smaller code", _smaller(r"(bottleneck(?: (?:dense|conv|variational))? )(\d+)", 2)),
    (r"no `dropout`", _written(r" *dropout [\d.]+%?;?", lambda written: "")),
    (r"no `(\w+)` on the code", _written(r"(bottleneck[^\n]*?) (relu|relu6)\b", lambda written: written[1])),
    (r"`(\w+)` instead of `\w+` at the output", _output),
    (r"`(norm=group[^`]*)` instead", _group),
    (r"`(norm=\w+)`", _hidden(NORM)),
    (r"`(init=\w+)`", _hidden(INIT)),
    (r"`(l2=[^`]+)`", _hidden(L2)),
    (r"`(leaky_relu|relu)`", _hidden(ACTIVATION)),
)
"""How each form of an alternative is followed, the first that fits."""
