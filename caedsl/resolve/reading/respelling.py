"""Words of Keras and PyTorch in the spelling of the language, with the author's values."""

from collections.abc import Mapping

from caedsl.diagnostics import foreign_words
from caedsl.diagnostics.finding import Applicability, Edit, Fix
from caedsl.diagnostics.outside import outside
from caedsl.resolve.reading.quantities import Misread
from caedsl.resolve.reading.values import read
from caedsl.resolve.scope import Scope
from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.vocabulary.activations import FUNCTIONS
from caedsl.vocabulary.option import REQUIRED, Option, Type, Written
from caedsl.vocabulary.spelling import value_text

EXAMPLES: Mapping[str, str] = {
    "kernel": "2",
    "factor": "2",
    "scale": "2",
    "times": "2",
    "shape": "32x7x7",
    "codebook": "512x64",
    "path": '"photos/"',
    "at": "50",
    "ema": "0.999",
    "clip": "1.0",
    "pad": "1",
    "seed": "0",
    "epochs": "20",
    "batch": "128",
    "validation": "10%",
    "name": "NAME",
    "shift": "2",
    "cap": "3",
    "lr": "1e-3",
    "l1": "1e-4",
    "l2": "1e-4",
    "weight_decay": "0.01",
    "min_lr": "1e-6",
    "beta": "1",
    "std": "0.02",
    "range": "0..1",
}
"""Show these values for options that a line lacks."""

_EXAMPLES_BY_TYPE = {
    Type.SHARE: "10%",
    Type.COUNT: "32",
    Type.SHAPE: "32x7x7",
    Type.SIZE: "14x14",
    Type.PER_AXIS: "2",
    Type.RANGE: "0..1",
    Type.ENDS: "0..1",
    Type.SIDES: "1",
    Type.ACTIVATION: "relu",
    Type.DURATION: "30min",
    Type.PATH: '"photos/"',
    Type.TEXT: '"a,b"',
    Type.NAME: "NAME",
    Type.FIELD: "NAME",
    Type.LABEL: "0",
    Type.DIVISOR: "/2",
    Type.PADDING: "1",
    Type.SWITCH: "off",
    Type.FLAG: "on",
}


SWITCHED = ("on", "off")
"""The words of a switch."""

ARGUMENT = "an argument of a block"
"""Describe the parameters of blocks."""


def activation_named(word: str) -> str:
    """Return the activation that ``word`` means here or in another library, or an empty text."""
    plain = word.lower()
    if plain in FUNCTIONS:
        return plain
    meant = foreign_words.WORDS.get(plain, plain)
    return next((name for name in FUNCTIONS if name in (meant, plain) or name.replace("_", "") == plain), "")


def example_of(option: Option, owner: str = "") -> str:
    """Return the option with an example value, as a line of ``owner`` writes it."""
    if option.choices:
        return spelled(option, next((word for word in option.choices if word not in ("none", "off")), ""))
    return spelled(option, value_of_example(option, owner))


def value_of_example(option: Option, owner: str) -> str:
    """Return the value of that example, such as 10% for a share."""
    if owner in ("input", "target"):
        return "1x28x28"
    if option.about == ARGUMENT:
        return "32"
    if option.type is Type.PATH and owner.startswith("data ") and owner != "data folder":
        return f'"images.{owner.removeprefix("data ")}"'
    example = EXAMPLES.get(option.name) or _EXAMPLES_BY_TYPE.get(option.type, "0.1")
    fits = option.type is not Type.NUMBER or option.domain.holds(float(example))
    return example if fits else "0.1"


def spelled(option: Option, value: str) -> str:
    """Return the option with the text of a value, as a spec writes it."""
    match option.written:
        case Written.NAMED:
            return f"{option.name}={value}"
        case Written.WORDED:
            return f"{option.name} {value}"
        case Written.SHORT:
            return (
                f"{option.short}{value}"
                if value[:1].isdigit() and value.replace("x", "").isdigit()
                else f"{option.short}={value}"
            )
        case Written.BARE if option.type is Type.FLAG:
            return option.name if value == "on" else ""
        case _:
            return value


def respelled(option: Option, node: tree.Value, scope: Scope) -> str | None:
    """Return the option with the author's value ``node``, as a spec writes it, or None if the value is invalid."""
    node = node.value if isinstance(node, tree.Parenthesised) else node
    text = node.text if isinstance(node, tree.Number) else scope.source.slice(node.span)
    if option.written is Written.BARE and option.type is Type.FLAG and text.lower() in foreign_words.POSITIVE:
        return option.name
    for value in (node, *([tree.WrittenWord(meant, node.span)] if (meant := meant_value(option, text)) else [])):
        found = read(option, value, scope)
        if not isinstance(found, Misread) and found is not REQUIRED:
            words = value.text if isinstance(value, tree.WrittenWord) else text
            size = value_text(option, found) if isinstance(value, tree.Size) else words
            return spelled(option, size)
    return None


def meant_value(option: Option, text: str) -> str | None:
    """Return the word of ``option`` that ``text`` stands for in another library, or in quotes."""
    words = {Type.SWITCH: SWITCHED, Type.FLAG: SWITCHED, Type.ACTIVATION: tuple(FUNCTIONS)}
    choices = words.get(option.type, option.choices)
    plain = text.strip("\"'").lower().rstrip("_")
    meant = (plain, *foreign_words.VALUES.get(plain, ()))
    return next((word for word in meant if word in choices and word != text), None)


def replacing(span: Span, text: str) -> Fix:
    """Return the fix that writes ``text`` at ``span``."""
    return Fix(f"write `{text}`", (Edit(span, text),), Applicability.SAFE)


def spelling_of(option: Option) -> str:
    """Return how a line writes the option, without a value: ``norm=``, ``kN``."""
    match option.written:
        case Written.NAMED:
            return f"{option.name}="
        case Written.SHORT:
            return f"{option.short}N"
        case Written.BARE if option.type is Type.FLAG:
            return option.name
        case Written.BARE:
            return f"an {option.name}" if option.name[0] in "aeiou" else f"a {option.name}"
        case _:
            return option.name


def report_outside(word: tree.WrittenWord, name: str, scope: Scope) -> bool:
    """Report, as a finding called ``name``, a word for something outside the language; return whether it is one."""
    sort = outside(word.text)
    if sort is not None:
        message = f"`{word.text}` asks for {sort.what}, which this language does not have"
        scope.report(name, word.span, message, help=sort.help)
    return sort is not None
