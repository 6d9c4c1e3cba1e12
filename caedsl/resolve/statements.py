"""Statements of a spec: which words may occur where, once or several times, with or without a block.

``let``, ``defaults`` and ``allow`` may occur several times and are read here, in the order of the text, because the
rest depends on them.
"""

from collections.abc import Callable
from dataclasses import replace

from caedsl.diagnostics.finding import Label
from caedsl.model.autoencoder import Allowance
from caedsl.resolve.constants import name_or, read_let
from caedsl.resolve.missing_braces import with_braces
from caedsl.resolve.named_blocks import define_block
from caedsl.resolve.outputs import AS
from caedsl.resolve.reading.binding import bind
from caedsl.resolve.reading.glued import statement_apart
from caedsl.resolve.reading.joined_lines import apart, continued
from caedsl.resolve.reading.layer_names import find_kind
from caedsl.resolve.reading.lines import TIMES, options_of
from caedsl.resolve.reading.respelling import replacing
from caedsl.resolve.reading.values import short_value
from caedsl.resolve.require import with_unit_at_both_ends
from caedsl.resolve.scope import Defaults, Scope
from caedsl.resolve.statement_words import MANY, REQUIRED_STATEMENTS, StatementsByWord
from caedsl.resolve.unknown_statements import statement_word
from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.syntax.keywords import BLOCKS, STATEMENTS


def find(spec: tree.Spec, scope: Scope) -> StatementsByWord:
    """Return the statements of ``spec``; report unknown, misplaced and repeated ones."""
    found = StatementsByWord()
    single = tuple(apart(spec.statements, STATEMENTS, _starts_statement, scope))
    single = tuple(continued(single, STATEMENTS, ("autoencoder", "data", "block", "allow"), scope))
    single = tuple(_with_space(statement, scope) for statement in single)
    written = {statement.head.text for statement in single}
    for position, statement in enumerate(with_braces(single, STATEMENTS, tuple(BLOCKS), scope)):
        word = statement_word(statement, written, found, scope)
        if word is None:
            continue
        if word != statement.head.text:
            statement = replace(statement, broken=True)  # what it lacks is most likely part of the same mistake
        if word == "autoencoder" and found.single.keys() >= REQUIRED_STATEMENTS.keys():
            message = "a second model starts here, but a spec describes one"
            scope.report("duplicate-statement", statement.span, message, help="move it to a file of its own")
            break
        _check_block(word, statement, scope)
        if statement.block is not None and BLOCKS.get(word, False) is False:
            statement = replace(statement, broken=True)
        if word == "autoencoder" and position and word not in found.single and not scope.findings and spec.complete:
            scope.report(
                "misplaced-statement",
                statement.head.span,
                "`autoencoder` must be the first statement of a spec",
                help="move it to the top",
            )
        if word in MANY:
            _read_many(word, statement, found, scope)
        elif word in found.single:
            scope.report(
                "duplicate-statement",
                statement.span,
                f"`{word}` occurs twice in the spec",
                related=(Label(found.single[word].span, "first here"),),
                help="keep one of them; a spec describes one model",
            )
        else:
            found.single[word] = statement
            found.places[word] = statement.span
            found.defaults[word] = len(scope.defaults)
    return found


def _with_space(statement: tree.Statement, scope: Scope) -> tree.Statement:
    """Return ``blockhalf width { … }`` as the block `half`, after a finding; others as they are."""
    head = statement.head
    words = None if head.text in STATEMENTS else statement_apart(head.text)
    if words is None:
        return statement
    written = " ".join(words)
    message = f'unknown statement "{head.text}"'
    scope.report("unknown-statement", head.span, message, help=f"write `{written}`", fix=replacing(head.span, written))
    value = short_value(words[1], head.span) if words[1][0].isdigit() else tree.WrittenWord(words[1], head.span)
    return replace(statement, head=tree.WrittenWord(words[0], head.span), items=(value, *statement.items), broken=True)


def _starts_statement(word: str, statement: tree.Statement, followed: bool) -> bool:
    if statement.head.text == "allow":  # its reason may lack its quotation marks
        return False
    return word in STATEMENTS and followed and (word != statement.head.text or word in MANY)


def _check_block(word: str, statement: tree.Statement, scope: Scope) -> None:
    wanted = BLOCKS.get(word, False)
    if statement.block is not None and wanted is False:
        help_line = "write `let` before each constant, without braces" if word == "let" else "remove the braces"
        scope.report("unexpected-block", statement.span, f"`{word}` takes no block", help=help_line)
    if wanted and statement.block is None and not statement.broken:
        help_line = f"write `{_with_block(statement, scope)}`"
        scope.report("missing-block", statement.span, f"`{word}` needs a block", help=help_line)
    if wanted and statement.items and statement.block is not None and word != "block":
        item = statement.items[0]
        text_ = scope.source.slice(item.span)
        scope.report(
            "unexpected-value",
            item.span,
            f"`{text_}` cannot be written between `{word}` and its block",
            help=f"delete `{text_}`",
        )


def _with_block(statement: tree.Statement, scope: Scope) -> str:
    """Return a statement that lacks its block with an example of one; a bound belongs in that of `require`."""
    written = scope.source.slice(statement.span)
    if statement.head.text == "require" and statement.items:
        name, *items = statement.items
        bound = with_unit_at_both_ends(scope.source.slice(name.span), items, scope)
        return f"require {{ {bound or written.removeprefix('require').strip()} }}"
    return "block NAME { ... }" if written == "block" else f"{statement.head.text} {{ ... }}"


def _read_many(word: str, statement: tree.Statement, found: StatementsByWord, scope: Scope) -> None:
    readers: dict[str, Callable[[tree.Statement, StatementsByWord, Scope], None]] = {
        "let": lambda statement, _, scope: read_let(statement, scope),
        "defaults": _read_defaults,
        "block": lambda statement, _, scope: define_block(statement, scope),
        "allow": _read_allow,
    }
    readers[word](statement, found, scope)


def _read_defaults(statement: tree.Statement, found: StatementsByWord, scope: Scope) -> None:
    if not statement.items or not isinstance(statement.items[0], tree.WrittenWord):
        if not statement.broken:
            scope.report(
                "missing-value", statement.span, "`defaults` needs a layer kind", help="write `defaults conv k3 relu`"
            )
        return
    kind = find_kind(statement.items[0], scope)
    if kind is None:
        return
    bound = bind(f"defaults {kind.name}", statement.items[1:], options_of(kind), scope)
    for option in (TIMES, AS):
        if option.name in bound.spans:
            text_ = scope.source.slice(bound.spans[option.name])
            message = f"`{text_}` cannot be a default: it belongs to a single line"
            help_line = f"write `{text_}` on the line of the layer"
            scope.report("unexpected-value", bound.spans[option.name], message, help=help_line)
            bound.values.pop(option.name, None)
    scope.defaults.append(Defaults(kind.name, bound.values, bound.spans, statement.span))


def _read_allow(statement: tree.Statement, found: StatementsByWord, scope: Scope) -> None:
    match statement.items:
        case (tree.WrittenWord() | tree.Operation() as name, tree.QuotedText() as reason) if reason.value.strip():
            found.allowances.append(Allowance(_named(name, scope), reason.value, statement.span))
        case items if not statement.broken:
            names = [each for each in items if isinstance(each, tree.WrittenWord | tree.Operation)]
            found.allowances.extend(Allowance(_named(each, scope), "", statement.span) for each in names[:1])
            scope.report(
                "allowance-without-reason",
                statement.span,
                "`allow` needs the name of a finding and a reason",
                help=f'write `allow {name_or(statement, scope, "overcomplete")} "{_reason(statement, scope)}"`',
            )
        case _:
            pass


def _reason(statement: tree.Statement, scope: Scope) -> str:
    """Return the reason in quotation marks, or the words after the name of a finding, or an example."""
    quoted = next((item.value for item in statement.items if isinstance(item, tree.QuotedText)), "").strip()
    words = statement.items[1:]
    return quoted or (scope.source.slice(words[0].span.to(words[-1].span)) if words else "the reason")


def _named(name: tree.WrittenWord | tree.Operation, scope: Scope) -> str:
    """Return a name with hyphens, which is read as a difference of words, in which spaces have no meaning."""
    return "".join(scope.source.slice(name.span).split())


def report_missing(spec: tree.Spec, found: StatementsByWord, scope: Scope) -> None:
    """Report the required statements that the spec lacks, unless a syntax error may be the reason."""
    if not spec.complete:
        return
    missing = [word for word in REQUIRED_STATEMENTS if word not in found.single and word not in found.meant]
    if not missing:
        return
    end = Span(len(scope.source.text), len(scope.source.text))
    listed = ", ".join(f"`{word}`" for word in missing)
    if not spec.statements:
        message = "the spec is empty"
        help_line = (
            "start with `caedsl new NAME`, or write `autoencoder NAME`, `input`, `encoder`, `bottleneck`, `decoder`"
        )
    else:
        message = f"the spec lacks {listed}"
        help_line = "; ".join(f"add `{REQUIRED_STATEMENTS[word]}`" for word in missing)
    scope.report("missing-statement", end, message, help=help_line)
