"""Words and options that a line does not have: what they most likely mean."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import cast

from caedsl.diagnostics import foreign_layers, foreign_words
from caedsl.diagnostics.edits import removal
from caedsl.diagnostics.finding import Applicability, Fix
from caedsl.resolve.reading.current_line import SHORT, CurrentLine
from caedsl.resolve.reading.glued import apart, apart_from_layer, words_apart
from caedsl.resolve.reading.line_values import read_into, reread, set_activation, set_bare
from caedsl.resolve.reading.quantities import Misread
from caedsl.resolve.reading.respelling import activation_named, example_of, replacing, respelled, spelled, spelling_of
from caedsl.resolve.reading.values import read, short_value
from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.vocabulary.activations import ACTIVATION, FUNCTIONS
from caedsl.vocabulary.joining import Join
from caedsl.vocabulary.layers import KINDS
from caedsl.vocabulary.option import REQUIRED, Option, Type, Written

Report = Callable[..., None]
"""Report the unknown word with a help, a fix or the word that is meant."""

Named = tree.WrittenOption | tree.WrittenWord
"""Item that starts with a name: an option, or a word alone."""


def read_unknown(line: CurrentLine, word: tree.WrittenWord, item: Named, what: str) -> None:
    """Report an unknown word of the line; read what it most likely means, unless a known word says otherwise."""
    written = set(line.bound.spans)
    _report_unknown(line, word, item, what)
    line.guessed |= line.bound.spans.keys() - written


def _report_unknown(line: CurrentLine, word: tree.WrittenWord, item: Named, what: str) -> None:
    message = f'unknown {what} "{word.text}" on {line.owner}'
    report = partial(line.fault, "unknown-option", word.span, message)
    if _is_only_value(line, item, report) or _repeats_meaning(line, item, report) or _is_explained(line, word, report):
        return
    option, text = _meant(line, word.text, item)
    if isinstance(item, tree.WrittenWord) and (short := _meant_short(line, item)) is not None:
        report(help=f"write `{short[1]}`", fix=replacing(*short))
    elif option is not None and text:
        _read_under_own_name(line, option, text, item, report)
    elif not _is_misspelt(line, option, item, report):
        _report_lost(line, option, word, item, report)


def _is_only_value(line: CurrentLine, item: Named, report: Report) -> bool:
    """Read the only value of a setting that is written under some name, as in ``clip norm=1``."""
    first = line.first
    if not isinstance(item, tree.WrittenOption) or first is None or first.name != line.owner:
        return False
    if line.begun or item.name.text in line.by_name:
        return False
    text = respelled(first, item.value, line.scope)
    if text is None:
        return False
    report(help=f"write `{line.owner} {text}`", fix=replacing(item.span, text))
    read_into(line, first, item.value, item.span)
    return True


def _repeats_meaning(line: CurrentLine, item: Named, report: Report) -> bool:
    """Report ``filters`` in ``conv 8 filters``: a word that only says what the number before it counts."""
    before = line.before(item)
    number = before.value if isinstance(before, tree.WrittenOption) else before
    if not isinstance(item, tree.WrittenWord) or item.text.lower() not in foreign_words.NOUNS:
        return False
    if not isinstance(number, tree.Number | tree.Size):
        return False
    failed = isinstance(before, tree.WrittenOption) and before.name.text in line.bound.failed
    if failed or line.bound.lost or "unexpected-value" in line.bound.faults:
        return True  # part of the same mistake
    fix = Fix(f"delete `{item.text}`", (removal(line.scope.source.text, item.span),), Applicability.SAFE)
    report(help=f"delete `{item.text}`: the number is enough", fix=fix)
    return True


def _is_explained(line: CurrentLine, word: tree.WrittenWord, report: Report) -> bool:
    """Report a word of another library for which the language has no single word, with what to write instead."""
    plain = word.text.lower()
    notes = foreign_words.OPTION_NOTES
    note = notes.get(f"{line.owner} {plain}") or notes.get(plain)
    if note is None:
        return False
    if not line.after_lost:
        report(help=note)
    line.bound.lost = line.lost = True
    return True


def _read_under_own_name(line: CurrentLine, option: Option, text: str, item: Named, report: Report) -> None:
    """Read an option that is misspelt or named as in another library, with the author's value."""
    shown = f"{line.owner} {text}" if option.written is Written.FIRST else text
    report(help=f"write `{shown}`", fix=replacing(item.span, text))
    if isinstance(item, tree.WrittenOption):
        reread(line, option, item)


def _is_misspelt(line: CurrentLine, option: Option | None, item: Named, report: Report) -> bool:
    """Read a misspelt word that needs no value, such as an activation, or a misspelt activation with a number."""
    if isinstance(item, tree.WrittenWord):
        near = line.near(item.text)
        if option is not None or near is None or near in line.by_name:
            return False
        report(meant=near)
        if near in line.words and line.words[near].name not in line.bound.spans:
            set_bare(line, line.words[near], tree.WrittenWord(near, item.span))
        return True
    near = line.near(item.name.text)
    if near is None or not line.takes_value(near):
        return False
    report(meant=near)
    set_activation(line, replace(item, name=tree.WrittenWord(near, item.name.span)))
    return True


def _report_lost(
    line: CurrentLine,
    option: Option | None,
    word: tree.WrittenWord,
    item: Named,
    report: Report,
) -> None:
    """Report a word that nothing could be read from, with the closest option, or with all."""
    near = line.near(word.text)
    option = option or line.by_name.get(word.text) or line.by_name.get(near or "")
    if not line.after_lost:
        help_line = _help_for(line, option, word.text)
        if option is None and isinstance(item, tree.WrittenOption) and (text := _as_missing_first(line, item)):
            help_line = f"write `{line.owner} {text}`"
        if option is None and near is None and (note := _note_on_layer(line, word.text)):
            help_line = note
        if near is None and _second_name(line, item):
            help_line = _help_with_second_name(line, word.text)
        report(help=help_line)
    line.bound.lost = line.lost = True


def _meant(line: CurrentLine, word: str, item: Named) -> tuple[Option | None, str]:
    """Return the option that a misspelt or foreign word stands for, and its spelling in a spec."""
    plain = word.lower()
    if isinstance(item, tree.WrittenWord):
        text = foreign_words.WORDS.get(plain, "")
        named = next((option for option in line.options if option.type is Type.ACTIVATION), None)
        if named is not None and named.written is Written.NAMED and activation_named(word):
            return named, spelled(named, activation_named(word))
        name = text.partition("=")[0]
        option = line.by_name.get(name) or line.words.get(name)
        return option, text if option is not None else ""
    if (
        plain in foreign_words.WORDS or plain in FUNCTIONS or plain == "negative_slope"
    ) and ACTIVATION.name in line.by_name:
        return line.by_name[ACTIVATION.name], _activation_text(line, plain, item)
    if glued := _before_option(line, word):
        before, option = glued
        value = respelled(option, item.value, line.scope)
        return (option, f"{before} {value}") if value else (None, "")
    names = (word, foreign_words.OPTIONS.get(plain), line.near(word))
    option = next((line.by_name[name] for name in names if name in line.by_name), None)
    return option, (respelled(option, item.value, line.scope) or "") if option is not None else ""


def _before_option(line: CurrentLine, word: str) -> tuple[str, Option] | None:
    """Return the words in front of an option that no space separates from them, as in ``relunorm=batch``."""
    if word in line.by_name:
        return None
    for option in line.options:
        for name in (option.name, option.short):
            words = words_apart(word.removesuffix(name)) if name and word.endswith(name) and word != name else []
            if words:
                return " ".join(words), option
    return None


def _meant_short(line: CurrentLine, word: tree.WrittenWord) -> tuple[Span, str] | None:
    """Return ``K3``, ``p1`` and ``k3s2`` as the language writes them, with the place; take a single one's value."""
    if words := apart(word.text) or apart_from_layer(word.text, line.owner):
        line.bound.lost, line.ended = True, ";" in words
        return word.span, words
    match = SHORT.match(word.text.lower())
    if match is None:
        return None
    option = line.by_short.get(match[1]) or line.by_name.get(foreign_words.SHORT_OPTIONS.get(match[1], ""))
    value = short_value(match[2], word.span)
    if (
        option is None
        or option.name in line.bound.spans
        or isinstance(found := read(option, value, line.scope), Misread)
    ):
        return None
    line.bound.values[option.name], line.bound.spans[option.name] = found, word.span
    return word.span, spelled(option, match[2])


def _activation_text(line: CurrentLine, word: str, item: tree.WrittenOption) -> str:
    name = "leaky_relu" if word == "negative_slope" else foreign_words.WORDS.get(word, word)
    value = line.scope.source.slice(item.value.span)
    if name in FUNCTIONS and FUNCTIONS[name].option is None:
        return name if value == "1" else ""  # `swish=1` is `silu`
    return f"{name}={value}" if name in FUNCTIONS else ""


def _help_for(line: CurrentLine, option: Option | None, word: str = "") -> str:
    """Return the help for a word that is not an option: the closest option, or all of them."""
    if word.lower() in foreign_words.NEGATIVE and not line.begun and line.first is None:
        return "remove the line"
    if len(line.options) == 1 and line.options[0].written is Written.FIRST:
        if line.options[0].name in line.bound.spans:
            return f"delete `{word}`"
        return f"write `{line.owner} {example_of(line.options[0], line.owner)}`"
    if option is None or option.name in line.bound.spans:
        return f"options of `{line.owner}` are {line.listed()}"
    if option.type is Type.FLAG:
        return f"write `{option.name}` alone"
    if option.type is Type.ACTIVATION and option.written is Written.BARE:
        return "write the activation alone: `relu`, or `leaky_relu=0.1` for one with a number"
    return f"did you mean `{spelling_of(option)}`, such as `{example_of(option)}`?"


def _note_on_layer(line: CurrentLine, word: str) -> str:
    """Return what to write for ``flatten`` in ``conv 8 flatten``: a layer, on the line of another one."""
    plain = foreign_layers.plain_layer(word)
    note = foreign_layers.LAYER_NOTES.get(plain, "") if line.owner in KINDS else ""
    return note.replace("remove this line", f"remove `{word}`")


def _as_missing_first(line: CurrentLine, item: tree.WrittenOption) -> str | None:
    """Return the value of ``item`` if the line starts with it, and lacks the value that it must start with."""
    if line.first is None or line.begun or line.first.default is not REQUIRED:
        return None
    return respelled(line.first, item.value, line.scope)


def _help_with_second_name(line: CurrentLine, name: str) -> str:
    """Return what to write for ``concat one two``, and for the name of two words in ``stage down one {``."""
    if isinstance(KINDS.get(line.owner), Join):
        join = foreign_words.SECOND_NAMES.get(line.owner, line.owner)
        return f"`{line.owner}` reads one output: write `{join} {name}` as a line of its own"
    first = line.bound.values.get(cast(Option, line.first).name, "")
    return f"a name is one word: write `{line.owner} {first}_{name}{' { … }' if line.owner in KINDS else ''}`"


def _second_name(line: CurrentLine, item: tree.Item) -> bool:
    """Return whether ``item`` follows the name with which this kind of line starts, as in ``concat one two``."""
    return line.begun and line.first is not None and line.first.type is Type.NAME and isinstance(item, tree.WrittenWord)
