"""Recovery from syntax errors: a text is read statement by statement, so that an error affects only its own.

Braces that do not match are explained by what else shows where blocks begin and end: first the indentation, which
finds a forgotten ``}``, then the words that open blocks, which find a forgotten ``{``.
"""

from caedsl.diagnostics.finding import Finding
from caedsl.syntax.block_reader import BlockReader
from caedsl.syntax.errors import blocks as block_messages
from caedsl.syntax.errors.formats import other_format
from caedsl.syntax.lalr import Automaton
from caedsl.syntax.limits import MAX_FINDINGS, is_text
from caedsl.syntax.tokens import lex_broken
from caedsl.syntax.tree import Spec


def recover(text: str, automaton: Automaton) -> tuple[Spec, tuple[Finding, ...]]:
    """Return the tree of what can be read of ``text``, and its errors.

    A text without errors loses nothing.
    """
    if not is_text(text):
        return Spec((), complete=False), (block_messages.not_text(text),)
    if (foreign := other_format(text)) is not None:
        return Spec((), complete=False), (foreign,)
    tokens = lex_broken(text, automaton)
    reader = BlockReader(text, tokens, automaton)
    reader.read()
    if reader.unclosed:
        by_indent = BlockReader(text, tokens, automaton, by_indent=True)
        by_indent.read()
        if not by_indent.unclosed and not by_indent.strays:
            reader = by_indent
    if reader.strays:
        by_word = BlockReader(text, tokens, automaton, by_word=True)
        by_word.read()
        if not by_word.unclosed and not by_word.strays:
            reader = by_word
    findings = sorted(reader.findings, key=lambda finding: finding.primary.span)
    return Spec(tuple(reader.blocks[0].statements), complete=not findings), _shown(findings)


def _shown(findings: list[Finding]) -> tuple[Finding, ...]:
    if len(findings) <= MAX_FINDINGS:
        return tuple(findings)
    rest = len(findings) - MAX_FINDINGS
    return (*findings[:MAX_FINDINGS], block_messages.more(rest, findings[MAX_FINDINGS].primary.span))
