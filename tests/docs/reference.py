"""The tables of the language reference, written from the declarations that the compiler itself reads.

``python -m tests.docs.reference`` rewrites them and the picture of the README; a test fails if they are outdated.
"""

import inspect
import math
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from caedsl.api import load
from caedsl.facts.settings_text import setting_text
from caedsl.figures.graph import draw
from caedsl.model.settings import Train
from caedsl.resolve.mirroring.mirror import OPTIONS as MIRROR_OPTIONS
from caedsl.resolve.settings_table import SETTINGS, SettingVariant
from caedsl.vocabulary.activations import FUNCTIONS, Activation
from caedsl.vocabulary.bottlenecks import BY_NAME
from caedsl.vocabulary.form import CODE_OPTIONS
from caedsl.vocabulary.function import Function
from caedsl.vocabulary.kernel_options import WEIGHTS
from caedsl.vocabulary.kind import FINISH, Kind
from caedsl.vocabulary.layers import KINDS
from caedsl.vocabulary.layers.activation import ActivationLine
from caedsl.vocabulary.losses import LOSSES
from caedsl.vocabulary.optimizers import OPTIMIZERS
from caedsl.vocabulary.option import FROM_ONE, REQUIRED, Option, Type, Written
from caedsl.vocabulary.schedules import SCHEDULES
from caedsl.vocabulary.sources import SOURCES
from caedsl.vocabulary.sparse_codes import SPARSE_OPTIONS
from caedsl.vocabulary.spelling import value_text
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "language.md"
PICTURE = ROOT / "docs" / "images" / "mnist_mirror.svg"
PICTURED = ROOT / "specs" / "mnist_mirror.cae"

_ACTIVATION_LINES = """### Activations on lines of their own

Every [activation](#activations) except `linear` may be a line of its own, followed by its number: `relu`,
`leaky_relu 0.1`, `clip 0..1`. Together with [`norm`](#norm), this describes networks whose normalisation and activation
come before a convolution: `residual { norm group; silu; conv 32; norm group; silu; conv 32 }`. A layer before such a line
is initialised as if the activation were one of its options. A mirror keeps the order of these lines: those before a layer
are placed before its twin, those after a residual follow its twin, those after a layer without weights (a pool, dropout)
come where their map is restored, and those after another layer become options of a twin."""
_SHARED = {"finish": FINISH, "weights": WEIGHTS}
_DOMAINLESS = (Type.CHOICE, Type.SWITCH, Type.FLAG, Type.ACTIVATION)


def table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table."""
    headings = tuple(headings)
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def options_table(options: Iterable[Option]) -> str:
    """Return a table of each option's notation, effect, possible values and default."""
    rows = ((_spelling(option), option.about, _values(option), _default(option)) for option in options)
    return table(("written", "what it is", "values", "default"), rows)


def _spelling(option: Option) -> str:
    match option.written:
        case Written.FIRST:
            return f"`{option.name.upper()}`, first"
        case Written.REST:
            return "values alone"
        case Written.SHORT:
            return f"`{option.short}{2 if option.default is None else _default(option).strip('`')}`"
        case Written.BARE if option.type is Type.FLAG:
            return f"`{option.name}`"
        case Written.BARE:
            return "its word" if option.type is Type.ACTIVATION else " ".join(f"`{word}`" for word in option.choices)
        case Written.WORDED:
            return f"`{option.name} {'HxW' if option.type is Type.SIZE else '…'}`"
        case Written.NAMED:
            return f"`{option.name}=`"


def _values(option: Option) -> str:
    if option.type is Type.FLAG:
        return ""
    if option.type is Type.CHOICE:
        return " ".join(f"`{word}`" for word in option.choices)
    text = "an [activation](#activations)" if option.type is Type.ACTIVATION else option.type.value
    if option.type in (Type.PADDING, Type.SIDES) and option.choices:
        text = ", ".join(f"`{word}`" for word in option.choices) + (
            ", or the zeros on each side" + (", or `0..1`" if option.type is Type.SIDES else "")
        )
    if option.type in _DOMAINLESS:
        return text
    # The bound that keeps sizes within the limits of tensors is of no interest to readers.
    domain = option.domain._replace(high=None) if option.domain == FROM_ONE else option.domain
    text = f"{text}, or a range of these" if option.ranged else text
    return f"{text}; {domain}" if str(domain) else text


def _default(option: Option) -> str:
    if option.default is REQUIRED:
        return "required"
    if option.default is None or option.default is False:
        return ""
    return f"`{value_text(option, option.default)}`"


def kind_entry(kind: Kind) -> str:
    """Return the entry of a layer kind: docstring, example, its own options and the names of shared ones."""
    text = [f"### `{kind.name}`", inspect.getdoc(kind) or "", f"For example `{kind.example}`."]
    shared = {option for options in _SHARED.values() for option in options}
    own = [option for option in kind.options if option not in shared]
    if own:
        text.append(options_table(own))
    also = [f"[{name}](#{name})" for name, options in _SHARED.items() if set(options) <= set(kind.options)]
    single = [
        o.name for o in kind.options if o in shared and not any(set(s) <= set(kind.options) for s in _SHARED.values())
    ]
    also += [f"`{name}`" for name in single]
    if also:
        listed = f"{', '.join(also[:-1])} and {also[-1]}" if len(also) > 1 else also[0]
        text.append(f"{'Also' if own else 'Its options:'} {listed}.")
    return "\n\n".join(text)


def kinds() -> str:
    """Return the entries of all layer kinds; the activations share one."""
    entries = [kind_entry(kind) for kind in KINDS.values() if not isinstance(kind, ActivationLine)]
    return "\n\n".join([_ACTIVATION_LINES, *entries])


def activations() -> str:
    """Return the table of activations: PyTorch class, range of values, parameter."""
    rows = (
        (
            f"`{name}`",
            " ".join(f"`{call.name}`" for call in function.torch(_example(function), 1)) or "nothing",
            _interval(function.low(_example(function)), function.high(_example(function))),
            _taken(function),
            "He" if function.rectifier else "Glorot",
        )
        for name, function in FUNCTIONS.items()
    )
    return table(("activation", "in PyTorch", "returns", "its number", "`init=auto` before it"), rows)


def _example(function: Function) -> object:
    """Return the default of the function's option, or an example value if it has none."""
    if function.option is None:
        return None
    if function.option.default is not REQUIRED:
        return function.option.default
    return (0.0, 1.0) if function.option.type is Type.ENDS else 3.0


def _taken(function: Function) -> str:
    option = function.option
    if option is None:
        return ""
    written = (
        f"`{Activation(function.name, _example(function))}`"
        if option.default is REQUIRED
        else f"`{function.name}={option.default:g}`"
    )
    return f"{written}: {option.about}"


def _interval(low: float, high: float) -> str:
    if math.isinf(low) and math.isinf(high):
        return "any number"
    return f"from {low:g}" if math.isinf(high) else f"{low:g} to {high:g}"


def sources() -> str:
    """Return the table of image sources and their options."""
    rows = (
        (f"`{name}`", " ".join(_source_option(option) for option in kind.options)) for name, kind in SOURCES.items()
    )
    return table(("source", "options"), rows)


def _source_option(option: Option) -> str:
    if option.written is Written.FIRST:
        return '`"PATH"`'
    return f"`{option.name}`" if option.written is Written.BARE else f"`{option.name}=`"


def settings() -> str:
    """Return the table of training settings with their descriptions and defaults."""
    rows = (
        (f"`{name}`", setting.about, f"`{setting_text(name, setting, Train())}`") for name, setting in SETTINGS.items()
    )
    return table(("setting", "what it is", "default"), rows)


def losses() -> str:
    """Return the table of losses."""
    return table(
        ("loss", "what it measures", "in", "its options"),
        (
            (f"`{name}`", kind.about, kind.unit, " ".join(_variant_option(option) for option in kind.own))
            for name, kind in LOSSES.items()
        ),
    )


def variants(kinds: Mapping[str, SettingVariant]) -> str:
    """Return the table of options of each optimiser or schedule, with defaults and descriptions."""
    options = {name: kind.options for name, kind in kinds.items()}
    by_name = ((f"`{name}`", " ".join(_variant_option(option) for option in given)) for name, given in options.items())
    meanings = {option.name: option.about for given in options.values() for option in reversed(given)}
    in_order = dict.fromkeys(option.name for given in options.values() for option in given)
    by_option = ((f"`{name}`", meanings[name]) for name in in_order)
    return f"{table(('name', 'options and their defaults'), by_name)}\n\n{table(('option', 'what it is'), by_option)}"


def _variant_option(option: Option) -> str:
    if option.written is Written.REST:
        return f"`{option.name.upper()} …`"
    value = "" if option.default in (REQUIRED, None) else value_text(option, option.default)
    return f"`{option.name}={value}`"


def setting_options() -> str:
    """Return the tables of options of the settings that have several."""
    rows = (
        (f"`{name}`", _spelling(option), option.about, _values(option), _default(option))
        for name, setting in SETTINGS.items()
        if setting.build is not None and setting.variants is None
        for option in setting.options
    )
    return table(("setting", "written", "what it is", "values", "default"), rows)


SECTIONS: dict[str, Callable[[], str]] = {
    "kinds": kinds,
    "finish": lambda: options_table(FINISH),
    "weights": lambda: options_table(WEIGHTS),
    "activations": activations,
    "code": lambda: options_table(CODE_OPTIONS),
    "sparse": lambda: options_table(SPARSE_OPTIONS),
    "code-terms": lambda: options_table(option for name in ("variational", "quantized") for option in own(name)),
    "mirror": lambda: options_table(option for option in MIRROR_OPTIONS if option.default is not REQUIRED),
    "sources": sources,
    "settings": settings,
    "losses": losses,
    "optimizers": lambda: variants(OPTIMIZERS),
    "schedules": lambda: variants(SCHEDULES),
    "setting-options": setting_options,
}
"""Match what is between ``<!-- generated: NAME -->`` and ``<!-- end -->``."""


def own(form: str) -> list[Option]:
    """Return the options of a bottleneck form, without its code size and its initialisation."""
    return [option for option in BY_NAME[form].options if option.written is Written.NAMED and option not in WEIGHTS]


_SECTION = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def regenerated(text: str) -> str:
    """Return the page with its generated parts regenerated."""
    return _SECTION.sub(lambda match: f"{match[1]}{SECTIONS[match[2]]()}\n{match[3]}", text)


def picture(path: Path) -> None:
    """Draw the picture of the README."""
    draw(load(PICTURED), path, "hourglass")


if __name__ == "__main__":
    PAGE.write_text(regenerated(PAGE.read_text("utf-8")), "utf-8")
    picture(PICTURE)
