"""Binding the items of a line to the options that its word declares: the one way every statement is read."""

import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from caedsl.diagnostics.finding import Label
from caedsl.model.data import InputRange
from caedsl.resolve.quantities import Misread, report_misread
from caedsl.resolve.scope import MOST_CANDIDATES, Scope
from caedsl.resolve.values import read
from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.vocabulary.activations import FUNCTIONS, LINEAR, Activation, bare
from caedsl.vocabulary.option import AUTO, REQUIRED, Option, Type, Written

_LONGEST_NUMBER = 40
_MOST_ITEMS = 200
_SHORT = re.compile(r"([a-z])(\d+(?:x\d+)*)$")

FOREIGN_WORDS = {
    "kernel": "k3",
    "kernel_size": "k3",
    "strides": "s2",
    "stride": "s2",
    "dilation": "d2",
    "dilation_rate": "d2",
    "groups": "g4",
    "repeat": "x3",
    "padding": "pad=same",
    "filters": "the channels as a number alone",
    "channels": "the channels as a number alone",
    "units": "the units as a number alone",
    "activation": "the activation's name alone",
    "use_bias": "bias=off",
    "batchnorm": "norm=batch",
    "bn": "norm=batch",
    "rate": "dropout=10%",
    "kernel_regularizer": "l2=1e-3",
    "negative_slope": "leaky_relu=0.1",
    "learning_rate": "lr",
    "decay": "weight_decay",
    "beta_1": "beta1",
    "beta_2": "beta2",
    "betas": "beta1=0.9 beta2=0.999",
    "epsilon": "eps",
    "batch_size": "batch",
    "scale_factor": "the factor as a number alone",
    "size": "to 14x14",
}
"""What Keras and PyTorch call things, and how a spec writes them."""


@dataclass
class Bound:
    """What a line says: ``values`` of the options that are written in it, and their ``spans``."""

    values: dict[str, Any] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    """Options that are written but could not be read; their defaults stand in."""


class _Binder:
    def __init__(self, owner: str, options: Sequence[Option], scope: Scope) -> None:
        self.owner = owner
        self.options = options
        self.scope = scope
        self.bound = Bound()
        self.by_name = {option.name: option for option in options}
        self.by_short = {option.short: option for option in options if option.short}
        self.first = next((option for option in options if option.written is Written.FIRST), None)
        self.words = {word: option for option in options for word in bare_words(option)}

    def bind(self, items: Sequence[tree.Item]) -> Bound:
        queue = deque(items[:_MOST_ITEMS])
        if len(items) > _MOST_ITEMS:
            self.scope.report(
                "unexpected-value",
                items[_MOST_ITEMS].span,
                f"`{self.owner}` has more than {_MOST_ITEMS} values and options on one line",
                help="delete what follows, or start a new line",
            )
        while queue:
            item = queue.popleft()
            match item:
                case tree.Option():
                    self._named(item)
                case tree.Word() if self._worded(item):
                    self._take(self.by_name[item.text], item, queue)
                case tree.Word():
                    self._word(item)
                case tree.Sign():
                    self._leftover(item)
                case _:
                    self._positional(item)
        return self.bound

    def _worded(self, word: tree.Word) -> bool:
        option = self.by_name.get(word.text)
        return option is not None and option.written is Written.WORDED

    def _take(self, option: Option, word: tree.Word, queue: deque[tree.Item]) -> None:
        if queue and not isinstance(queue[0], tree.Option | tree.Sign):
            value = queue.popleft()
            self._read(option, value, word.span.to(value.span))
        else:
            self.bound.failed.add(option.name)
            self.scope.report(
                "missing-value", word.span, f"`{word.text}` is not followed by {option.type.value}", help=_hint(option)
            )

    def _named(self, item: tree.Option) -> None:
        name = item.name.text
        if name in FUNCTIONS and "activation" in self.by_name:
            self._activation_with_parameter(item)
            return
        option = self.by_name.get(name)
        if option is not None and option.written is Written.NAMED:
            self._read(option, item.value, item.span)
        elif name in self.by_short:
            self._read(self.by_short[name], item.value, item.span)
        else:
            self._unknown(item.name, "option")

    def _activation_with_parameter(self, item: tree.Option) -> None:
        name = item.name.text
        option = FUNCTIONS[name].option
        if option is None:
            self.scope.report(
                "unknown-option",
                item.span,
                f"`{item.name.text}` takes no number",
                help=f"write `{item.name.text}` alone",
            )
            self._set(self.by_name["activation"], Activation(item.name.text), item.span)
            return
        value = read(option._replace(name=name), item.value, self.scope)
        if isinstance(value, InputRange):
            value = value.ends or Misread("wrong-type", item.value.span, f"`{name}` needs two numbers, such as `0..1`")
        if isinstance(value, Misread):
            report_misread(value, self.scope)
            value = None
        known = value is not None or option.default is not REQUIRED
        self._set(self.by_name["activation"], Activation(name, value) if known else LINEAR, item.span)

    def _word(self, word: tree.Word) -> None:
        short = _SHORT.match(word.text)
        if word.text in self.words:
            self._bare(self.words[word.text], word)
        elif short and short[1] in self.by_short:
            option = self.by_short[short[1]]
            value = _short_value(short[2], word.span)
            self._read(option, value, word.span)
        elif self.first is not None and (self._first_takes(self.first, word)):
            self._positional(word)
        else:
            self._unknown(word, "word")

    def _first_takes(self, first: Option, word: tree.Word) -> bool:
        if first.type in (Type.NAME, Type.CHOICE):
            return first.name not in self.bound.spans
        numeric = first.type in (Type.COUNT, Type.NUMBER, Type.SHARE, Type.PER_AXIS, Type.SHAPE)
        meant = word.text == AUTO or (first.auto and self.scope.nearest(word.text, (AUTO,)) is not None)
        return numeric and (self.scope.is_constant(word.text) or meant)

    def _bare(self, option: Option, word: tree.Word) -> None:
        if option.type is Type.FLAG:
            self._set(option, True, word.span)
        elif option.type is Type.ACTIVATION and word.text not in bare():
            self._set(option, LINEAR, word.span)
            message = f"`{word.text}` needs its lowest and highest output"
            self.scope.report("missing-value", word.span, message, help=f"write `{word.text}=0..1`")
        elif option.type is Type.ACTIVATION:
            self._set(option, Activation(word.text), word.span)
        else:
            self._set(option, word.text, word.span)

    def _positional(self, item: tree.Value) -> None:
        if self.first is None or self.first.name in self.bound.spans:
            self._leftover(item)
        else:
            self._read(self.first, item, item.span)

    def _leftover(self, item: tree.Item) -> None:
        text = self.scope.source.slice(item.span)
        if self.first is None:
            message = f"`{self.owner}` takes no value alone, and `{text}` is one"
        else:
            message = f"`{self.owner}` takes one value alone, its {self.first.name}; `{text}` is left over"
        windows = [option for option in self.options if option.name in ("kernel", "stride") and option.short]
        examples = " or ".join(f"`{option.short}{text}` for the {option.name}" for option in windows if text.isdigit())
        help_line = f"write {examples}" if examples else f"options of `{self.owner}` are {self._listed()}"
        self.scope.report("unexpected-value", item.span, message, help=help_line)

    def _listed(self) -> str:
        return ", ".join(_spelling(option) for option in self.options)

    def _unknown(self, word: tree.Word, what: str) -> None:
        candidates = {option.name: _spelling(option) for option in self.options if option.written is Written.NAMED}
        candidates |= {word: word for word in self.words}
        candidates |= {name: name for name in islice(self.scope.constants, MOST_CANDIDATES)}
        candidates |= {option.name: _spelling(option) for option in self.options if option.written is Written.SHORT}
        foreign = FOREIGN_WORDS.get(word.text)
        near = self.scope.nearest(word.text, candidates)
        if foreign is not None and self._speaks(foreign):
            help_line = f"write `{foreign}`" if " " not in foreign or "=" in foreign else f"write {foreign}"
        elif near is not None:
            help_line = f"did you mean `{candidates[near]}`?"
        else:
            help_line = f"options of `{self.owner}` are {self._listed()}"
        named = near is not None and candidates[near] == (f"{near}=" if what == "option" else near)
        self.scope.report(
            "unknown-option",
            word.span,
            f'unknown {what} "{word.text}" on {self.owner}',
            help=help_line,
            meant=near if named and foreign is None else None,
        )

    def _speaks(self, foreign: str) -> bool:
        word = foreign.partition("=")[0]
        known_short = foreign[0] in self.by_short and foreign[1:].isdigit()
        described = foreign.startswith("the ") and (self.first is not None or "activation" in self.by_name)
        return word in self.by_name or known_short or described or word.split()[0] in self.by_name

    def _read(self, option: Option, node: tree.Item, span: Span) -> None:
        assert not isinstance(node, tree.Option | tree.Sign)
        value = read(option, node, self.scope)
        if isinstance(value, Misread):
            report_misread(value, self.scope)
            self.bound.failed.add(option.name)
            self.bound.spans.setdefault(option.name, span)
        else:
            self._set(option, value, span)

    def _set(self, option: Option, value: Any, span: Span) -> None:
        earlier = self.bound.spans.get(option.name)
        if earlier is not None:
            self.scope.report(
                "duplicate-option",
                span,
                f"`{option.name}` is given twice on this line",
                related=(Label(earlier, "first given here"),),
                help="keep one of them",
            )
            return
        self.bound.values[option.name] = value
        self.bound.spans[option.name] = span


def _short_value(written: str, span: Span) -> tree.Value:
    """Return the value of ``k3`` or ``k3x5``; a number that is too long to be read stays a text for the reader to refuse."""
    numbers = written.split("x")
    longest = max(numbers, key=len)
    if len(numbers) == 1 or len(longest) > _LONGEST_NUMBER:
        return tree.Number(longest, span)
    return tree.Size(tuple(map(int, numbers)), span)


def bare_words(option: Option) -> Iterable[str]:
    """Return the words that give the option by standing alone."""
    if option.written is not Written.BARE:
        return ()
    if option.type is Type.ACTIVATION:
        return FUNCTIONS
    return (option.name,) if option.type is Type.FLAG else option.choices


def _spelling(option: Option) -> str:
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


def _hint(option: Option) -> str:
    return f"write {option.type.value} after it"


def bind(owner: str, items: Sequence[tree.Item], options: Sequence[Option], scope: Scope) -> Bound:
    """Reads ``items`` as ``options`` of the word ``owner``; what cannot be read is reported and left out."""
    return _Binder(owner, options, scope).bind(items)


def filled(bound: Bound, options: Sequence[Option], statement: tree.Statement, scope: Scope) -> dict[str, Any] | None:
    """All options with defaults filled in; None, and a finding, where a required one is missing."""
    values = {option.name: bound.values.get(option.name, option.default) for option in options}
    missing = [option for option in options if values[option.name] is REQUIRED]
    if not missing:
        return values
    for option in missing:
        if option.name not in bound.failed and not statement.broken:
            _report_missing(option, statement, scope)
    return None


def _report_missing(option: Option, statement: tree.Statement, scope: Scope) -> None:
    word = statement.head.text
    example = {Type.COUNT: "32", Type.SHAPE: "32x7x7", Type.SHARE: "10%", Type.NAME: "NAME"}.get(option.type, "2")
    scope.report(
        "missing-value",
        statement.span,
        f"`{word}` needs its {option.name}: {option.type.value}",
        help=f"write `{word} {example}`" if not option.choices else f"choose one of {', '.join(option.choices)}",
    )
