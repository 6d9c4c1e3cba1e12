"""Reading of the values of one line, each for the option that it belongs to."""

import re
from typing import cast

from caedsl.diagnostics import foreign_words
from caedsl.resolve.reading.current_line import CurrentLine
from caedsl.resolve.reading.misreads import called, path_pattern
from caedsl.resolve.reading.quantities import Misread, is_no_constant, report_misread, report_space
from caedsl.resolve.reading.respelling import EXAMPLES, example_of, meant_value, replacing, spelled, value_of_example
from caedsl.resolve.reading.values import read
from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.vocabulary.activations import ACTIVATION, FUNCTIONS, LINEAR, Activation, bare
from caedsl.vocabulary.option import REQUIRED, Option, Type, Written
from caedsl.vocabulary.sources import SOURCES

_COPIES = re.compile(r"x(\d+)")
"""Match ``x3`` in place of a number."""


def read_into(line: CurrentLine, option: Option, node: tree.Item, span: Span) -> None:
    """Read the value of an option; if it cannot be read, report it and read what it most likely means."""
    assert not isinstance(node, tree.WrittenOption | tree.ComparisonSign)
    value = read(option, node, line.scope)
    if isinstance(value, Misread):
        meant = _explain_misread(line, value, option, node)
        if meant is not None:
            is_number = meant[:1].isdigit() or meant.startswith(".")
            again = tree.Number(meant, node.span) if is_number else tree.WrittenWord(meant, node.span)
            value = read(option, again, line.scope)
    if isinstance(value, Misread):
        line.bound.failed.add(option.name)
        line.bound.spans.setdefault(option.name, span)
    else:
        report_space(node, line.scope)
        line.assign(option, value, span)


def reread(line: CurrentLine, option: Option, item: tree.WrittenOption) -> None:
    """Read the value of an option under another name, if possible."""
    text = line.scope.source.slice(item.value.span)
    meant = meant_value(option, text)
    node = item.value if meant is None else tree.WrittenWord(meant, item.value.span)
    bare = option.type is Type.ACTIVATION and option.written is Written.BARE  # other options keep its name
    if bare and (meant or text) not in FUNCTIONS:
        line.bound.failed.add(option.name)
        return
    value = Activation(meant or text) if bare else read(option, node, line.scope)
    if not isinstance(value, Misread) and option.name not in line.bound.spans:
        line.assign(option, value, item.span)


def set_bare(line: CurrentLine, option: Option, word: tree.WrittenWord) -> None:
    """Set an option that a word without a value sets, such as ``relu`` or ``ceil``."""
    if option.type is Type.FLAG:
        line.assign(option, True, word.span)
    elif option.type is Type.ACTIVATION and word.text not in bare():
        line.assign(option, LINEAR, word.span)
        needed = cast(Option, FUNCTIONS[word.text].option)
        example = spelled(needed._replace(name=word.text), EXAMPLES[needed.name])
        message = f"`{word.text}` needs a value: the {needed.about}"
        line.scope.report("missing-value", word.span, message, help=f"write `{example}`")
    elif option.type is Type.ACTIVATION:
        line.assign(option, Activation(word.text), word.span)
    else:
        line.assign(option, word.text, word.span)


def set_activation(line: CurrentLine, item: tree.WrittenOption) -> None:
    """Set an activation with its number, such as ``leaky_relu=0.1``."""
    name = item.name.text
    option = FUNCTIONS[name].option
    if option is None:
        clip = f"clip={line.scope.source.slice(item.value.span)}"
        help_line = f"write `{clip}`" if isinstance(item.value, tree.Range) else f"write `{name}` alone"
        line.fault("unknown-option", item.span, f"`{name}` takes no number", help=help_line)
        line.assign(line.by_name[ACTIVATION.name], Activation(item.name.text), item.span)
        return
    value = read(option._replace(name=name), item.value, line.scope)
    if isinstance(value, Misread):
        line.bound.faults.append(value.name)
        report_misread(value, line.scope)
        value = None
    known = value is not None or option.default is not REQUIRED
    line.assign(line.by_name[ACTIVATION.name], Activation(name, value) if known else LINEAR, item.span)


def add_to_rest(line: CurrentLine, rest: Option, item: tree.Value) -> None:
    """Read one more of the values without a name; each must be greater than the one before."""
    value = read(rest, item, line.scope)
    values = line.bound.values.get(rest.name, ())
    if isinstance(value, Misread):
        _explain_misread(line, value, rest, item)
        line.bound.failed.add(rest.name)
    elif values and value <= values[-1]:
        text = line.scope.source.slice(item.span)
        message = f"`{text}` must be greater than `{values[-1]}` before it"
        line.fault("out-of-domain", item.span, message, help=f"write the {rest.name} in ascending order")
    else:
        line.bound.values[rest.name] = (*values, value)
        line.bound.spans[rest.name] = line.bound.spans.get(rest.name, item.span).to(item.span)


def report_flag_with_value(line: CurrentLine, option: Option, item: tree.WrittenOption) -> None:
    """Report ``ceil=on``, where a line writes ``ceil`` or nothing; read what it means."""
    text = line.scope.source.slice(item.span)
    value = line.scope.source.slice(item.value.span).lower()
    message = f"`{option.name}` takes no value: writing it turns it on"
    if value in foreign_words.NEGATIVE or value == "0":
        help_line, fix = f"remove `{text}`", None
    else:
        help_line = f"write `{option.name}` alone"
        fix = replacing(item.span, option.name) if value in foreign_words.POSITIVE else None
        line.bound.values[option.name], line.bound.spans[option.name] = True, item.span
    line.fault("unknown-option", item.span, message, help=help_line, fix=fix)


def _explain_misread(line: CurrentLine, misread: Misread, option: Option, node: tree.Value) -> str | None:
    """Report why a value cannot be read; return the word that was probably meant, if there is one."""
    line.bound.faults.append(misread.name)
    meant = meant_value(option, line.scope.source.slice(node.span))
    if meant is not None:
        misread = misread._replace(meant=meant)
    elif isinstance(node, tree.Size):
        if option.type is Type.COUNT and option.written is Written.FIRST:
            misread = misread._replace(help=_help_to_split(line, *node.dims))
    elif isinstance(node, tree.QuotedText) and option.type is Type.PATH and "*" in node.value:
        kind = SOURCES.get(line.owner.removeprefix("data "))
        endings = () if kind is None or kind.folders else kind.endings
        misread = path_pattern(node, (".csv",) if kind is not None and kind.lists_files else endings)
    elif option.type is Type.COUNT and (duration := _as_duration(line, node)):
        misread = misread._replace(help=f"write `{duration}`")
    elif option.type is Type.COUNT and (number := _COPIES.fullmatch(misread.word)):
        misread = misread._replace(meant=number[1])
    elif misread.name == "unknown-name" and misread.word:
        misread = _unknown_word(line, misread, option, node)
    report_misread(misread, line.scope)
    return misread.meant


def _unknown_word(line: CurrentLine, misread: Misread, option: Option, node: tree.Value) -> Misread:
    """Return the remedy for a word in place of a number: a value of the option, or a constant that is defined above."""
    word, example = misread.word, example_of(option, line.owner)
    if is_no_constant(word, line.scope):
        if option.written is Written.FIRST:
            return misread._replace(help=_help_without(line, option, word))
        text = line.scope.source.slice(node.span)
        message = f"{called(option)} must be {option.type.value}, not `{text}`"
        is_off = word.lower() in foreign_words.NEGATIVE and option.default is not REQUIRED
        help_line = f"remove `{spelled(option, text)}`" if is_off else f"write `{example}`"
        return misread._replace(name="wrong-type", message=message, help=help_line)
    if misread.meant or (option.written is Written.FIRST and line.owner != option.name):
        return misread
    if option.written is Written.FIRST:
        return misread._replace(help=f"write `{line.owner} {example}`, or define `{word}` above it by `let`")
    return misread._replace(help=f"define it above: `let {word} = {value_of_example(option, line.owner)}`")


def _as_duration(line: CurrentLine, node: tree.Value) -> str:
    """Return a duration as the option of the line that takes one, as `after=5min` for ``patience=5 minutes``."""
    option = next((each for each in line.options if each.type is Type.DURATION), None)
    if option is None or option.name in line.bound.spans or not isinstance(node, tree.Number):
        return ""
    return "" if isinstance(read(option, node, line.scope), Misread) else spelled(option, node.text)


def _help_to_split(line: CurrentLine, first: int, second: int, *others: int) -> str:
    """Return how to write a size such as the one of ``conv 8x3`` as two numbers, or nothing."""
    if others:
        return f"write `{line.owner} {first}`: the other sizes follow from its input"
    meanings = {"x": f"for {second} copies of the line", "k": f"for a kernel of {second}"}
    shorts = [option.short for option in line.options if option.short in meanings]
    ways = [f"`{line.owner} {first} {short}{second}` {meanings[short]}" for short in shorts]
    return f"write {' or '.join(ways)}" if ways else ""


def _help_without(line: CurrentLine, option: Option, word: str) -> str:
    """Return the help for a word of the language, or a yes or no, instead of a number."""
    example = f"write `{line.owner} {example_of(option, line.owner)}`"
    if line.owner == option.name and word.lower() in foreign_words.NEGATIVE:
        return f"{example}, or remove the line"
    return example
