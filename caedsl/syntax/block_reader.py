"""Reading of a text that cannot be parsed: its statements one by one, each in the block that is open around it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from lark import Token

from caedsl.diagnostics.finding import Finding, Label
from caedsl.source import Source, Span
from caedsl.syntax import indentation
from caedsl.syntax.block_words import has_no_block, opening_words, opens_block
from caedsl.syntax.errors import blocks as block_messages
from caedsl.syntax.errors import messages
from caedsl.syntax.errors.wording import error
from caedsl.syntax.heads import Fault, cured, is_beyond_limits, read_head, statement_end
from caedsl.syntax.keywords import AS, STATEMENTS
from caedsl.syntax.lalr import Automaton
from caedsl.syntax.limits import MAX_DEPTH, MAX_FINDINGS
from caedsl.syntax.mappings import read_mapping
from caedsl.syntax.tokens import CLOSE, END, OPEN, span_of
from caedsl.syntax.tree import Statement, WrittenWord


@dataclass
class _Block:
    """Block being read: its brace and its statement, both None for the spec itself."""

    brace: Token | None = None
    owner: Statement | None = None
    statements: list[Statement] = field(default_factory=list)

    @property
    def is_nameless(self) -> bool:
        """Whether no statement precedes the brace, which has a finding."""
        return self.brace is not None and self.owner is None


@dataclass
class _Heading:
    """The statement just read, whose block may follow, or None if nothing of it could be kept."""

    statement: Statement | None
    line_ended: bool = False


class BlockReader:
    """Traversal of the tokens that keeps track of the open blocks.

    ``by_indent`` also closes a block at a line that is indented no deeper than the line that opened it, if the lines
    before were: this finds the forgotten brace, where braces alone only show that one is missing. ``by_word`` opens a
    block after a line that can only begin one, such as ``encoder``, which explains a ``}`` that would close nothing.
    """

    def __init__(
        self, text: str, tokens: Sequence[Token], automaton: Automaton, by_indent: bool = False, by_word: bool = False
    ) -> None:
        self.source = Source(text)
        self.tokens = tokens
        self.automaton = automaton
        self.by_indent = by_indent
        self.by_word = by_word
        self.findings: list[Finding] = []
        self.blocks = [_Block()]
        self.heading: _Heading | None = None
        self.closed: Token | None = None  # the brace that closed a block, while nothing follows it
        self.unclosed = False
        self.strays = False

    def read(self) -> None:
        """Read all tokens into `blocks` and `findings`; say whether blocks stay open (`unclosed`, `strays`)."""
        place = 0
        while place < len(self.tokens):
            token = self.tokens[place]
            if token.type == END:
                self.closed = None
                if "\n" not in token and "\r" not in token:
                    self.heading = None
                elif self.heading:
                    self.heading.line_ended = True
                    self._open_by_word(self.tokens[place + 1 : place + 2])
            elif token.type == OPEN and len(self.blocks) > MAX_DEPTH:
                place = self._skip_block(place)
                continue
            elif token.type == OPEN and (end := self._mapping_end(place)):
                place = end
                continue
            elif token.type == OPEN:
                self._open(token)
            elif token.type == CLOSE:
                self._close_by_indent(token, line_closes=True)
                self._close(token)
            else:
                end = statement_end(self.tokens, place)
                self._close_by_indent(token, line_closes=False)
                if self.by_word and (opened := self._opened_on_line(place, end)):
                    place += opened
                    continue
                self._statement(self.tokens[place:end])
                place = end
                continue
            place += 1
        self._end()

    def _statement(self, tokens: Sequence[Token]) -> None:
        if (finding := self._after_block(tokens)) is not None:
            self.findings.append(finding)
            self.heading = _Heading(None)
            return
        statement, fault = read_head(self.source.text, tokens, self.automaton)
        is_removed = False
        if fault is not None:
            statement, finding = self._explained(fault, statement)
            if not (self.blocks[-1].is_nameless and fault.found == ":"):  # `{conv: 8}` is one mistake
                self.findings.append(finding)
            is_removed = statement is None and finding.fix is not None
        if statement is not None:
            if self.closed is not None and tokens[0] != ",":  # a comma there already has a finding
                self.findings.append(block_messages.glued(self.closed, statement.head))
            self.blocks[-1].statements.append(statement)
        if not is_removed:
            self.closed = None
            self.heading = _Heading(statement)

    def _after_block(self, tokens: Sequence[Token]) -> Finding | None:
        """Report an option or a value that follows a block on its line, and read the block without it."""
        around = self.blocks[-1].statements
        if self.closed is None or not around or around[-1].block is None:
            return None
        finding = block_messages.after_block(self.closed, around[-1], tokens, self.source.text)
        if finding is not None:
            named, fault = read_head(self.source.text, tokens, self.automaton)
            is_name = fault is None and named is not None and (tokens[0] == AS or not named.items)
            items = (named.head, *named.items) if is_name and named is not None else ()
            around[-1] = replace(around[-1], items=(*around[-1].items, *items), broken=True)
        return finding

    def _explained(self, fault: Fault, kept: Statement | None) -> tuple[Statement | None, Finding]:
        """Return the finding for ``fault``, and the intended statement, or the part that can be parsed."""
        if is_beyond_limits(fault):
            return kept, block_messages.long_expression(fault)
        if len(self.findings) > MAX_FINDINGS:  # counted but not shown
            return kept, error("", fault.span)
        finding = messages.explain(fault)
        cure = cured(fault, finding.fix.edits, self.automaton) if finding.fix else None
        if cure is None:
            return kept, replace(finding, fix=None)
        text, statement = cure
        if fault.opens_block:
            text += " {"
        return statement, replace(finding, help=messages.help_with(text) or finding.help)

    def _open(self, brace: Token) -> None:
        block = self.blocks[-1]
        owner = self.heading.statement if self.heading else None
        if self.heading is None and not block.is_nameless:
            self.findings.append(block_messages.nameless(brace))
        elif owner is not None and self.heading and self.heading.line_ended and has_no_block(owner):
            self.findings.append(block_messages.nameless(brace))
            owner = None
        elif self.heading and self.heading.line_ended and owner and not owner.broken:
            self.findings.append(block_messages.on_its_own_line(brace, owner, self.source.text))
        if owner is not None:
            block.statements.pop()
        self.blocks.append(_Block(brace, owner))
        self.heading = self.closed = None

    def _open_by_word(self, following: Sequence[Token]) -> None:
        """Open the block of the line before without its ``{``, when reading by words."""
        owner = self.heading.statement if self.heading and self.by_word else None
        if owner is None or any(token.type == OPEN for token in following):
            return
        if opens_block(owner):
            self.blocks[-1].statements.pop()
            self._push(owner, is_reported=owner.broken)

    def _push(self, owner: Statement, is_reported: bool = False) -> None:
        """Open a block without its ``{``, with a finding unless its line already has one."""
        if not is_reported:
            self.findings.append(block_messages.unopened(owner, self.source.slice(owner.span)))
        self.blocks.append(_Block(Token(OPEN, "{", start_pos=owner.span.end, end_pos=owner.span.end), owner))
        self.heading = self.closed = None

    def _opened_on_line(self, place: int, end: int) -> int:
        """Open the block of `encoder conv 16 relu` when reading by words; return how many tokens precede its lines."""
        count = opening_words(self.tokens[place:end], self.tokens[end : end + 1])
        if count:
            words = span_of(self.tokens[place]).to(span_of(self.tokens[place + count - 1]))
            head = WrittenWord(str(self.tokens[place]), span_of(self.tokens[place]))
            self._push(Statement(head, (), None, words, broken=True))
        return count

    def _mapping_end(self, place: int) -> int:
        """Report `conv {filters: 8}` or `{conv: 8}` on one line; return the index after it, or 0 for another block."""
        owner = self.heading.statement if self.heading and not self.heading.line_ended else None
        found = read_mapping(self.source, self.tokens, place, owner)
        if found is None:
            return 0
        if owner is not None:
            self.blocks[-1].statements.pop()
        start = found.statement.span.start
        self.findings = [other for other in self.findings if other.primary.span.start < start]
        self.findings.append(found.finding)
        self.blocks[-1].statements.append(found.statement)
        self.heading = self.closed = None
        return found.end

    def _close(self, brace: Token) -> None:
        if len(self.blocks) == 1:
            self.strays = True
            self.findings.append(block_messages.stray(brace))
        else:
            self._fold()
        self.heading = None
        self.closed = brace

    def _fold(self) -> None:
        """Give the innermost block to its statement; without one, merge it into the surrounding block.

        The lines of a block without a word are left out of the spec itself, where they would not be understood.
        """
        block = self.blocks.pop()
        around = self.blocks[-1].statements
        if block.owner is None:
            is_spec = len(self.blocks) == 1 and not any(one.head.text in STATEMENTS for one in block.statements)
            around += () if is_spec else block.statements
        else:
            around.append(replace(block.owner, block=tuple(block.statements)))

    def _skip_block(self, place: int) -> int:
        """Return the index after a block that is nested too deeply."""
        around = {span_of(block.brace) for block in self.blocks if block.brace}
        self.findings = [finding for finding in self.findings if finding.primary.span not in around]
        self.findings.append(block_messages.deep_block(self.tokens[place]))
        depth = 0
        for index in range(place, len(self.tokens)):
            depth += (self.tokens[index].type == OPEN) - (self.tokens[index].type == CLOSE)
            if depth == 0:
                self.heading = None
                return index + 1
        while len(self.blocks) > 1:
            self._fold()
        return len(self.tokens)

    def _end(self) -> None:
        """Close the blocks that are open at the end of the text, with one finding for the outermost brace."""
        if len(self.blocks) > 1:
            self.unclosed = True
            brace = self.blocks[1].brace
            assert brace is not None
            end = len(self.source.text.rstrip())
            self.findings.append(block_messages.unclosed(brace, Label(Span(end, end), "the text ends here")))
        while len(self.blocks) > 1:
            self._fold()

    def _close_by_indent(self, token: Token, line_closes: bool) -> None:
        """Close the blocks that the line of ``token`` has left, when reading by indentation."""
        if not self.by_indent or (column := indentation.of(self.source, span_of(token).start)) is None:
            return
        while (brace := self.blocks[-1].brace) and self.blocks[-1].statements:
            first = self.blocks[-1].statements[0]
            if not indentation.has_left(self.source, brace, first, column, line_closes):
                return
            self._fold()
            place = Label(span_of(token), "a `}` is missing before this line")
            self.findings.append(block_messages.unclosed(brace, place))
            self.heading = None
