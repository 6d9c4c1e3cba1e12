"""Words that begin no statement: what they most likely mean."""

from collections.abc import Collection

from caedsl.diagnostics import foreign_words
from caedsl.resolve.reading.respelling import report_outside
from caedsl.resolve.scope import Scope
from caedsl.resolve.settings_table import SETTINGS
from caedsl.resolve.statement_words import MANY, REQUIRED_STATEMENTS, StatementsByWord
from caedsl.resolve.train_block import respelled_setting
from caedsl.syntax import tree
from caedsl.syntax.errors.wording import is_line_head, is_used
from caedsl.syntax.keywords import BLOCKS, STATEMENTS
from caedsl.vocabulary.activations import FUNCTIONS
from caedsl.vocabulary.bottlenecks import FIRST_WORDS
from caedsl.vocabulary.layers import KINDS


def statement_word(
    statement: tree.Statement, written: Collection[str], found: StatementsByWord, scope: Scope
) -> str | None:
    """Return the word of a statement; report an unknown one, and return what it means if ``written`` lacks that."""
    word = statement.head.text
    if word in STATEMENTS:
        return word
    if report_outside(statement.head, "unknown-statement", scope):
        return None
    asserted = word in foreign_words.STATEMENTS and isinstance(next(iter(statement.items), None), tree.Size)
    other = None if asserted else foreign_words.STATEMENT_LINES.get(word)
    candidates = STATEMENTS if statement.block is None else tuple(BLOCKS)
    near = None if other is not None else scope.nearest(word, candidates, foreign_words.STATEMENTS)
    if near in written and near not in MANY:
        near = scope.nearest(word, [other for other in REQUIRED_STATEMENTS if other not in written]) or near
    if (near in written or near in found.single) and near not in MANY:
        help_line, near = f"the spec has its `{near}` already: it describes one model", None
    elif other is not None:
        line = _code_line(other[0], statement, scope) or respelled_setting(*other, statement, scope)
        found.meant.add(line.partition(" ")[0])
        help_line = f"write `{line}`"
    elif near in (None, "let", "block") and (definition := _definition(statement, near, scope)):
        help_line, near = f"write `{definition}`", None
    elif near is None and (lacking := _lacking_word(statement, written, found)):
        found.meant.add(lacking)
        help_line = f"write `{lacking} {scope.source.slice(statement.span)}`"
    else:
        help_line = _help_for_unknown(statement, near, scope)
    if near is None and statement.broken:  # it may define a constant
        scope.unknown_constants.setdefault(word, None)
    scope.report("unknown-statement", statement.head.span, f'unknown statement "{word}"', help=help_line, meant=near)
    return near


def _code_line(line: str, statement: tree.Statement, scope: Scope) -> str:
    """Return ``latent dense 8`` as the line of the bottleneck that it means, or an empty text."""
    first = statement.items[0] if statement.items else None
    if not line.startswith("bottleneck") or not isinstance(first, tree.WrittenWord) or first.text not in FIRST_WORDS:
        return ""
    return f"bottleneck {scope.source.slice(first.span.to(statement.items[-1].span))}"


def _definition(statement: tree.Statement, near: str | None, scope: Scope) -> str:
    """Return the `let` or `block` that ``const width = 8``, ``width 8`` and ``half width { … }`` mean, or no text.

    The name that it defines is then known, so that no use of it is reported.
    """
    word, items, text = statement.head.text, statement.items, scope.source.text
    if statement.block is not None:
        return _definition_of_block(statement, near, scope)
    match items:
        case (tree.WrittenOption(name, tree.Number() as number),) if near is None and word not in SETTINGS:
            constant = name.text
        case (tree.Number() as number,) if near is None and is_used(word, text):
            constant = word
        case _:
            return ""
    scope.unknown_constants.setdefault(constant, None)
    return f"let {constant} = {scope.source.slice(number.span)}"


def _definition_of_block(statement: tree.Statement, near: str | None, scope: Scope) -> str:
    """Return the line of the named block that ``half width { … }`` or ``blocks { half width { … } }`` defines."""
    inner = statement.block[0] if statement.block and not statement.items else None
    if near == "block" and inner is not None and inner.block is not None:
        statement = inner
    elif near is not None:
        return ""
    name: tree.Item = statement.head
    parameters = statement.items
    if parameters and not is_line_head(statement.head.text, scope.source.text[statement.span.end :]):
        name, parameters = parameters[0], parameters[1:]
    if not isinstance(name, tree.WrittenWord) or not is_line_head(name.text, scope.source.text[name.span.end :]):
        return ""
    scope.unknown_blocks.add(name.text)
    written = " ".join(("block", name.text, *(scope.source.slice(item.span) for item in parameters)))
    return f"{written} {{ ... }}"


def _lacking_word(statement: tree.Statement, written: Collection[str], found: StatementsByWord) -> str:
    """Return the word that is missing before a statement: the first one before a name, that of a form of the code."""
    word = statement.head.text
    if "autoencoder" not in written and not found.places and not statement.items:
        return "autoencoder"
    return "bottleneck" if "bottleneck" not in written and word in FIRST_WORDS else ""


def _help_for_unknown(statement: tree.Statement, near: str | None, scope: Scope) -> str:
    """Return where an unknown statement belongs, or the list of all; ``near`` is the closest statement."""
    word = statement.head.text
    foreign = foreign_words.SETTINGS.get(foreign_words.plain_setting(word))
    if word in SETTINGS or foreign is not None:
        line = scope.source.slice(statement.span)
        if foreign is not None and word not in SETTINGS:
            line = respelled_setting(*foreign, statement, scope)
        return f"settings belong inside `train`: `train {{ {line} }}`"
    if near is None and (word in KINDS or word.lower() in FUNCTIONS):
        return "layers belong inside `encoder { ... }` or `decoder { ... }`"
    if word in foreign_words.STATEMENT_NOTES:
        return foreign_words.STATEMENT_NOTES[word]
    if "." in word:
        return f"dotted names belong in `sweep {{ {word} ... }}`; to set one value, use its own block"
    return f"statements are {', '.join(STATEMENTS)}"
