"""Reading of the ``data`` line."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from caedsl.diagnostics.finding import Applicability, Edit, Fix
from caedsl.model.data import DataSource
from caedsl.resolve.reading.binding import bind
from caedsl.resolve.reading.joined_lines import without_doubled_head
from caedsl.resolve.reading.line_options import filled
from caedsl.resolve.scope import Scope
from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.vocabulary.sources import RESIZE, SOURCES

_OTHER_SETS = ("emnist", "qmnist", "usps", "svhn", "stl10", "cifar100", "celeba", "imagenet", "omniglot", "coco")
_OTHER_SET = 'caedsl does not have this set: save its images in a folder, and write `data folder "photos/"`'


def read_data(statement: tree.Statement, scope: Scope) -> tuple[DataSource, ...]:
    """Return the sources of a ``data`` line, in the order in which they are tried."""
    statement = replace(statement, items=tuple(without_doubled_head("data", statement.items, scope)))
    sources = [_read_source(words, statement, scope) for words in _alternatives(statement, scope)]
    return tuple(source for source in sources if source is not None)


def _alternatives(statement: tree.Statement, scope: Scope) -> list[list[tree.Item]]:
    """Return the words of each source that the line names."""
    sources: list[list[tree.Item]] = [[]]
    for item in chain.from_iterable(_before_else(item, statement, scope) for item in statement.items):
        if isinstance(item, tree.WrittenWord) and _separates_sources(item, scope):
            sources.append([])
        elif sources[-1] and isinstance(item, tree.WrittenWord) and item.text in SOURCES:
            _report_missing_else(sources[-1], item, scope)
            sources.append([item])
        else:
            sources[-1].append(item)
    if all(sources) or statement.broken:
        return [source for source in sources if source]
    scope.report(
        "missing-value",
        statement.span,
        "`data` needs a source" if len(sources) == 1 else "`else` needs a source on both sides",
        help="write `data mnist`, or `data mnist else digits`",
    )
    return [source for source in sources if source]


def _before_else(item: tree.Item, statement: tree.Statement, scope: Scope) -> Sequence[tree.Item]:
    """Return ``mnist = else`` as the source and its ``else``, after a finding."""
    match item:
        case tree.WrittenOption(tree.WrittenWord(text=name) as source, tree.WrittenWord("else") as other) if (
            name in SOURCES
        ):
            message = f"`{scope.source.slice(item.span)}`: a source and `else` are written without a sign between them"
            fix = Fix(f"write `{name} else`", (Edit(item.span, f"{name} else"),), Applicability.SAFE)
            scope.report("unknown-option", item.span, message, help=f"write `{name} else`", fix=fix)
            return source, other
        case tree.WrittenOption(tree.WrittenWord("else") as other, value):
            text = f"else {scope.source.slice(value.span)}"
            fix = Fix(f"write `{text}`", (Edit(item.span, text),), Applicability.SAFE)
            message = "`else` separates two sources without a sign"
            scope.report("unknown-option", item.span, message, help=f"write `{text}`", fix=fix)
            return other, value
        case tree.QuotedText("else"):
            fix = Fix("write `else`", (Edit(item.span, "else"),), Applicability.SAFE)
            message = "`else` separates two sources without quotation marks"
            scope.report("unknown-option", item.span, message, help="write `else`", fix=fix)
            return (tree.WrittenWord("else", item.span),)
        case tree.WrittenWord(text) if words := _glued(text):
            written = " ".join(words)
            line = scope.source.slice(statement.span).replace(text, written, 1)
            fix = Fix(f"write `{written}`", (Edit(item.span, written),), Applicability.SAFE)
            message = f"`{text}` lacks the spaces around `else`"
            scope.report("unknown-value", item.span, message, help=f"write `{line}`", fix=fix)
            return [tree.WrittenWord(word, item.span) for word in words]
    return (item,)


def _glued(text: str) -> list[str]:
    """Return the words of ``mnistelse``, ``elsedigits`` and ``mnistelsedigits``; none for another word."""
    before, other, after = text.partition("else")
    words = [word for word in (before, other, after) if word]
    return words if other and len(words) > 1 and all(word in ("else", *SOURCES) for word in words) else []


def _report_missing_else(before: Sequence[tree.Item], word: tree.WrittenWord, scope: Scope) -> None:
    first = scope.source.slice(before[0].span.to(before[-1].span))
    scope.report(
        "unexpected-value",
        word.span,
        f"`{word.text}` is a second source: `else` separates sources",
        help=f"write `data {first} else {word.text}`",
        fix=Fix("write `else`", (Edit(Span(word.span.start, word.span.start), "else "),), Applicability.SAFE),
    )


def _separates_sources(word: tree.WrittenWord, scope: Scope) -> bool:
    """Return whether the word is ``else``; a misspelt one is reported, but still separates the sources."""
    if word.text == "else":
        return True
    if word.text in SOURCES or any(option.name == word.text for kind in SOURCES.values() for option in kind.options):
        return False
    near = scope.nearest(word.text, ("else", *SOURCES), {"or": "else", "otherwise": "else", "then": "else"})
    if near == "else":
        scope.report("unknown-option", word.span, f'unknown word "{word.text}" between two sources', meant=near)
    return near == "else"


def _read_source(items: Sequence[tree.Item], statement: tree.Statement, scope: Scope) -> DataSource | None:
    name, *rest = items
    span = Span(items[0].span.start, items[-1].span.end)
    if not isinstance(name, tree.WrittenWord) or name.text not in SOURCES:
        near = _report_unknown(name, scope)
        if near is None:
            return None
        rest = [name.value, *rest] if isinstance(name, tree.WrittenOption) else rest
        name = tree.WrittenWord(near, name.span)
    options = SOURCES[name.text].options
    bound = bind(f"data {name.text}", rest, options, scope)
    head = tree.WrittenWord(f"data {name.text}", name.span)
    values = filled(bound, options, tree.Statement(head, (), None, span, statement.broken), scope)
    if values is None:
        return None
    source = DataSource(name.text, span=span, **values)
    if source.patches is not None and RESIZE.name in bound.values:
        scope.report(
            "contradicting-options",
            span,
            "`patches=` cuts parts of an image at its own scale, but `resize=` scales the whole image",
            help="keep one of them",
        )
    return source


def _report_unknown(item: tree.Item, scope: Scope) -> str | None:
    """Report a name that is not a source; return the one that was probably meant."""
    text = scope.source.slice(item.span)
    if isinstance(item, tree.WrittenOption) and item.name.text in SOURCES:
        written = f"{item.name.text} {scope.source.slice(item.value.span)}"
        scope.report(
            "unknown-option",
            item.span,
            f"`{text}`: a source and its path are written without `=`",
            help=f"write `data {written}`",
            fix=Fix(f"write `{written}`", (Edit(item.span, written),), Applicability.SAFE),
        )
        return item.name.text
    near = None
    if isinstance(item, tree.QuotedText) and item.value in SOURCES:
        near, help_line = item.value, ""
    elif isinstance(item, tree.QuotedText):
        kinds = [name for name, kind in SOURCES.items() if item.value.lower().endswith(kind.endings or "\0")]
        listed = ", ".join(f"`{kind} {text}`" for kind in kinds or ("folder", "npy", "npz", "idx"))
        help_line = f"name its kind: {listed}"
    elif text.lower().replace("-", "").replace("_", "") in _OTHER_SETS:
        help_line = _OTHER_SET
    else:
        near = scope.nearest(text, tuple(SOURCES), {"images": "folder", "dir": "folder", "cifar": "cifar10"})
        help_line = f"sources are {', '.join(SOURCES)}"
    message = f'unknown data source "{text.strip(chr(34))}"'
    scope.report("unknown-value", item.span, message, help=help_line, meant=near)
    return near
