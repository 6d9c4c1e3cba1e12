"""Explanation of layers and settings that are written as calls or as mappings: ``Conv2D(64, 3, activation='relu')``."""

import re

from caedsl.diagnostics import foreign_layers, foreign_words
from caedsl.diagnostics.finding import Finding
from caedsl.source import Span
from caedsl.syntax.errors.call_lines import WITHOUT_VALUE, arguments, inside, line_for
from caedsl.syntax.errors.wording import as_spec, error, quoted
from caedsl.syntax.heads import Fault
from caedsl.syntax.tokens import span_of

_KEY = re.compile(r"(\w+)\s*:\s*")
"""Match a key of a mapping with its colon."""

_SIMPLE = re.compile(r"[\w.+-]+%?$")
_SETTING = re.compile(r"(loss|optimizer|schedule|corrupt|augment)\s*[=:]?\s*([\w.]+)\(")
_ONE_VALUE = ("corrupt", "augment")
"""Settings whose words are options with one value each."""

_TRAINING = {"epochs": "epochs", "batch_size": "batch", "validation_split": "validation"}
"""Arguments of ``fit``, and the settings that they are in a spec."""


def call(fault: Fault) -> Finding | None:
    """Explain ``conv(64, 3)``."""
    word, *others = fault.tokens
    if fault.found is None or not others or others[0] != "(" or span_of(others[0]).start != span_of(word).end:
        return None
    start = span_of(others[0]).start
    within = inside(fault.text, start, fault.span.end)
    end = start + len(within) + 2 if within is not None else span_of(others[0]).end
    if within is not None and span_of(fault.found).start >= end:
        return None
    return error(
        f"{quoted(fault.text[span_of(word).start : end])} is written as a call: values follow the word after a space",
        Span(span_of(word).start, end),
        help=_help(word, within or ""),
    )


def _help(word: str, within: str) -> str:
    """Return what to write for a call."""
    package, _, method = word.rpartition(".")
    if package and method in ("fit", "compile"):
        return f"write {as_spec(_training(method, within))}, which `caedsl train` runs"
    if (package or method == "print") and method in foreign_words.CALL_NOTES:
        return foreign_words.CALL_NOTES[method]
    layer = re.fullmatch(r"\s*([\w.]+)\((.*)\)\s*", within, re.DOTALL)
    if package and method == "add" and layer is not None:
        return _help(layer[1], layer[2])
    plain = foreign_layers.plain_layer(word)
    note = "" if plain == "activation" and within else foreign_layers.LAYER_NOTES.get(plain, "")
    if note:
        return note
    line, differs = line_for(word, within)
    known = " " in line or foreign_layers.LAYERS.get(plain) is None or foreign_layers.LAYERS[plain] in WITHOUT_VALUE
    return f"write {as_spec(line)}{differs}" if known else "write values without parentheses: `conv 64 k3 relu`"


def _training(method: str, within: str) -> str:
    """Return the `train` block with the settings of ``model.fit`` or ``model.compile``."""
    if method == "fit":
        settings = [
            f"{_TRAINING[name]} {value}" for name, value in arguments(within) if name in _TRAINING and value.isdigit()
        ] or ["epochs 20"]
    else:
        given = dict(zip(("optimizer", "loss"), (value for name, value in arguments(within) if not name), strict=False))
        given |= {name: value for name, value in arguments(within) if name in ("optimizer", "loss")}
        settings = [_setting(name, *_called(value)) for name, value in given.items()] or ["optimizer adam"]
    return f"train {{ {'; '.join(settings)} }}"


def _called(value: str) -> tuple[str, str]:
    """Return the word of ``Adam(1e-3)`` and what is inside its parentheses."""
    match = re.match(r"([\w.]+)\(", value)
    return (match[1], inside(value, match.end() - 1, len(value)) or "") if match else (value, "")


def setting_call(fault: Fault) -> Finding | None:
    """Explain ``optimizer AdamW(lr=1e-3, weight_decay=0.01)``."""
    text = fault.text[fault.span.start : fault.span.end]
    match = _SETTING.match(text)
    within = inside(fault.text, fault.span.start + match.end() - 1, fault.span.end) if match else None
    if match is None or within is None:
        return None
    return error(
        f"{quoted(match[0] + within + ')')} is written as a call: options follow the word after a space",
        Span(fault.span.start + match.end() - 1, fault.span.start + match.end() + len(within) + 1),
        help=f"write `{_setting(match[1], match[2], within)}`",
    )


def _setting(setting: str, word: str, within: str) -> str:
    """Return the line of a setting, such as an optimizer with its options."""
    plain = foreign_words.plain_loss(word)
    name = word.rpartition(".")[2].lower()
    if setting == "loss":
        name = foreign_words.LOSSES.get(plain, plain)
    elif setting == "schedule":
        name = foreign_words.VALUES.get(name, (name,))[0]
    parts = [setting, name]
    if name == "milestones":
        parts += _milestones(within)
    for written, value in arguments(within):
        option = written if written == "weight_decay" else foreign_words.OPTIONS.get(written, written)
        betas = value.split("x") if written == "betas" else ()
        parts += [f"beta{place}={beta}" for place, beta in enumerate(betas, 1)]
        is_lost = written in foreign_words.OPTION_NOTES and written != "lr"
        if betas or is_lost or not _SIMPLE.match(value) or re.search(r"param|optimizer", value):
            continue
        if setting in _ONE_VALUE:
            parts[1:] = [f"{name}={value}"]
        elif option or setting == "optimizer":
            parts.append(f"{option or 'lr'}={value}")
    return " ".join(parts)


def _milestones(within: str) -> list[str]:
    """Return the epochs of ``MultiStepLR(optimizer, [30, 80])``, or the first two of ``StepLR(optimizer, 30)``."""
    epochs = next((value for _, value in arguments(within, whole=True) if re.fullmatch(r"\d+(x\d+)*", value)), "30")
    return epochs.split("x") if "x" in epochs else [epochs, str(2 * int(epochs))]


def bottleneck_call(fault: Fault) -> Finding | None:
    """Explain ``bottleneck nn.Linear(64, 8)``."""
    text = fault.text[fault.span.start : fault.span.end]
    match = re.match(r"bottleneck\s*[=:]?\s*([\w.]+)\(", text)
    within = inside(fault.text, fault.span.start + match.end() - 1, fault.span.end) if match else None
    if match is None or within is None:
        return None
    return error(
        f"{quoted(match[1] + '(' + within + ')')} is written as a call: values follow the word after a space",
        Span(fault.span.start + match.start(1), fault.span.start + match.end() + len(within) + 1),
        help=f"write `bottleneck {line_for(match[1], within).line}`",
    )


def mapping(word: str, within: str, span: Span) -> Finding | None:
    """Explain ``conv {filters: 64, kernel: 3}`` and ``{conv: 64, kernel: 3}``; None if ``word`` is not a layer.

    ``within`` is the text between the braces; the value of a key that is the word itself has no name in a spec.
    """
    if not foreign_layers.is_layer(word):
        return None
    line, differs = line_for(word, _KEY.sub(lambda key: "" if key[1] == word else f"{key[1]}=", within))
    return error(
        f"`{word}` is written with braces: values and options follow the word of a layer after a space",
        span,
        help=f"write {as_spec(line)}{differs}" if " " in line else "write values without braces: `conv 64 k3 relu`",
    )
