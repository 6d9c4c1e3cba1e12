"""Reading of the ``train`` block: each of its lines by the table of settings."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from caedsl.diagnostics import foreign_words
from caedsl.diagnostics.finding import Label
from caedsl.model import settings
from caedsl.resolve.losses import read_loss
from caedsl.resolve.reading.binding import bind
from caedsl.resolve.reading.joined_lines import apart, continued, without_doubled_head
from caedsl.resolve.reading.line_options import LineOptions, filled
from caedsl.resolve.reading.respelling import example_of, report_outside
from caedsl.resolve.reading.values import is_whole
from caedsl.resolve.scope import Scope
from caedsl.resolve.settings_table import NAMED, SETTINGS, Setting, SettingVariant
from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.vocabulary.losses import LOSSES
from caedsl.vocabulary.optimizers import OptimizerKind
from caedsl.vocabulary.option import REQUIRED, Option, Type, Written


def read_train(statements: Sequence[tree.Statement], places: dict[str, Span], scope: Scope) -> settings.Train:
    """Return the settings of a ``train`` block; add where each is written to ``places``."""
    values: dict[str, Any] = {}
    seen: dict[str, Span] = {}
    lines = tuple(apart(map(_in_one_word, statements), SETTINGS, _starts_setting, scope))
    statements = tuple(continued(lines, tuple(SETTINGS), NAMED, scope))
    written = {statement.head.text for statement in statements}
    scope.epochs = next(map(_epochs, (each for each in statements if each.head.text == "epochs")), 0)
    for statement in statements:
        name = statement.head.text
        if name not in SETTINGS:
            near = _report_unknown(statement, scope)
            if near is None or near in seen or near in written:
                continue
            # What the line lacks is most likely part of the same mistake.
            name, statement = near, replace(statement, head=tree.WrittenWord(near, statement.head.span), broken=True)
        if name in seen:
            scope.report(
                "duplicate-statement",
                statement.span,
                f"`{name}` is set twice",
                related=(Label(seen[name], "first set here"),),
                help="keep one of them",
            )
            continue
        seen[name] = statement.span
        if statement.block is not None:
            scope.report("unexpected-block", statement.head.span, f"`{name}` takes no block", help="remove the braces")
            statement = replace(statement, broken=True)
        value = _read_setting(name, statement, places, scope)
        if value is not None:
            values |= value if SETTINGS[name].fields else {name: value}
    return settings.Train(**values)


def _epochs(statement: tree.Statement) -> int:
    """Return the number of epochs, or 0 if the line states another value."""
    match statement.items:
        case (tree.Number(text=number), *_) if is_whole(statement.items[0]):
            return int(number)
        case _:
            return 0


def _starts_setting(word: str, statement: tree.Statement, followed: bool) -> bool:
    """Return whether ``word`` is another setting than that of the line, which has options of its own."""
    setting = SETTINGS.get(statement.head.text)
    if (
        word not in SETTINGS
        or not followed
        or word == statement.head.text
        or setting is None
        or setting.build is settings.On
    ):
        return False
    kinds = (setting.variants or {}).values()
    return all(option.name != word for kind in (setting, *kinds) for option in kind.options)


def _in_one_word(statement: tree.Statement) -> tree.Statement:
    """Return ``batch size 32`` with the name ``batch_size``, which is then reported."""
    match statement.items:
        case (tree.WrittenWord() as second, *rest) if (
            foreign_words.plain_setting(name := f"{statement.head.text}_{second.text}") in foreign_words.SETTINGS
        ):
            head = tree.WrittenWord(name, statement.head.span.to(second.span))
            return replace(statement, head=head, items=tuple(rest))
    return statement


def _read_setting(name: str, statement: tree.Statement, places: dict[str, Span], scope: Scope) -> Any:
    place = f"train.{name}"
    places[place] = statement.span
    if name == "loss":
        return read_loss(statement, places, scope)
    setting = SETTINGS[name]
    if setting.variants is not None:
        statement = replace(statement, items=tuple(without_doubled_head(name, statement.items, scope)))
        return _read_variant(name, setting, statement, places, scope)
    bound = bind(name, statement.items, setting.options, scope)
    _keep_places(place, bound, places)
    values = filled(bound, setting.options, statement, scope)
    if values is None:
        return None
    if setting.build is None:
        return values if setting.fields else values[name]
    if setting.some and not bound.spans and not bound.faults and not statement.broken:
        listed = ", ".join(f"`{option.name}`" for option in setting.options)
        example = f"write `{name} {example_of(setting.options[0])}`"
        scope.report("missing-value", statement.span, f"`{name}` needs at least one of {listed}", help=example)
        return None
    return setting.build(**values)


def _read_variant(name: str, setting: Setting, statement: tree.Statement, places: dict[str, Span], scope: Scope) -> Any:
    assert setting.variants is not None and setting.build is not None
    chosen = Option(name, Type.CHOICE, REQUIRED, setting.about, Written.FIRST, choices=tuple(setting.variants))
    given = next((item.text for item in statement.items if isinstance(item, tree.WrittenWord)), "")
    if given and given not in setting.variants:
        statement = replace(statement, broken=True)  # what it lacks is not a second mistake
        given = scope.nearest(given, chosen.choices) or given  # reported below, and read as the intended word
    known = setting.variants.get(given)
    options = (chosen, *(_any_options(setting.variants) if known is None else known.options))
    bound = bind(f"{name} {given}" if given in setting.variants else name, statement.items, options, scope)
    _keep_places(f"train.{name}", bound, places)
    values = filled(bound, options, statement, scope)
    if values is None or name in bound.failed or values[name] != given:
        return None
    if isinstance(kind := setting.variants[values[name]], OptimizerKind):
        _report_conflicts(kind, bound, scope)
    return setting.build(name=values.pop(name), **values)


def _report_conflicts(kind: OptimizerKind, bound: LineOptions, scope: Scope) -> None:
    for first, second in kind.exclusive:
        if first in bound.spans and second in bound.spans:
            scope.report(
                "contradicting-options",
                bound.spans[second],
                f"`{first}` and `{second}` set the same number",
                related=(Label(bound.spans[first], "also set here"),),
                help=f"keep one of them: {_about(kind, first)} or {_about(kind, second)}",
            )
    for first, second in kind.needed:
        if bound.values.get(first) and not bound.values.get(second):
            scope.report(
                "contradicting-options",
                bound.spans[first],
                f"`{first}` changes the {second}, but this optimizer has none",
                help=f"add `{second}=0.9`, or remove `{first}`",
            )


def _about(kind: OptimizerKind, name: str) -> str:
    return next(f"`{name}` ({option.about})" for option in kind.options if option.name == name)


def _any_options(variants: Mapping[str, SettingVariant]) -> tuple[Option, ...]:
    """Return every option of any variant, none required, for a line with an unknown name."""
    merged = {option.name: option._replace(default=None) for kind in variants.values() for option in kind.options}
    return tuple(merged.values())


def _keep_places(place: str, bound: LineOptions, places: dict[str, Span]) -> None:
    for option, span in bound.spans.items():
        places[f"{place}.{option}"] = span


def _report_unknown(statement: tree.Statement, scope: Scope) -> str | None:
    """Report a word that is not a setting; return the one that was probably meant."""
    word = statement.head.text
    if report_outside(statement.head, "unknown-setting", scope):
        return None
    plain = foreign_words.plain_setting(word)
    foreign = foreign_words.SETTINGS.get(plain)
    note = foreign_words.SETTING_NOTES.get(plain)
    near = None if foreign or note else scope.nearest(word, tuple(SETTINGS))
    if glued := _with_space(word):
        near = None
        help_line = f"write `{glued}`"
    elif foreign is not None:
        help_line = f"write `{respelled_setting(*foreign, statement, scope)}`"
    else:
        help_line = note or f"settings are {', '.join(SETTINGS)}"
    span = statement.head.span
    scope.report("unknown-setting", span, f'unknown setting "{word}" in train', help=help_line, meant=near)
    return near


def _with_space(word: str) -> str:
    """Return ``epochs20`` and ``lossmse`` with the space after their setting, or an empty text for another word."""
    for name, setting in SETTINGS.items():
        rest = word.removeprefix(name)
        named = LOSSES if name == "loss" else setting.variants or ()
        if rest != word and (rest in named or (rest.isdecimal() and not named)):
            return f"{name} {rest}"
    return ""


def respelled_setting(line: str, example: str, statement: tree.Statement, scope: Scope) -> str:
    """Return a line with the value that the author wrote, if that is a word, a number or a size, or with an example."""
    for item in statement.items:
        if isinstance(item, tree.WrittenOption) and f"{item.name.text}={{}}" in line:
            return line.format(scope.source.slice(item.value.span))
    match statement.items:
        case (tree.WrittenWord() | tree.Number() | tree.Size() | tree.QuotedText() as value,):
            return line.format(scope.source.slice(value.span))
        case _:
            return line.format(example)
