"""Words and options that a line does not have: what they most likely mean."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from caedsl.diagnostics import foreign_layers, foreign_words
from caedsl.diagnostics.edits import removal
from caedsl.diagnostics.finding import Applicability, Fix
from caedsl.resolve.reading.line_values import LineValues
from caedsl.resolve.reading.respelling import replacing, respelled
from caedsl.syntax import tree
from caedsl.vocabulary.layers import KINDS
from caedsl.vocabulary.option import REQUIRED, Option, Type, Written

Report = Callable[..., None]
"""Report the unknown word with a help, a fix or the word that is meant."""


class UnknownItems(LineValues):
    """Values of one line, and of the items that name none of its options."""

    def _unknown(self, word: tree.WrittenWord, item: tree.WrittenOption | tree.WrittenWord, what: str) -> None:
        """Report an unknown word of the line; read what it most likely means, unless a known word says otherwise."""
        written = set(self.bound.spans)
        self._report_unknown(word, item, what)
        self.guessed |= self.bound.spans.keys() - written

    def _report_unknown(self, word: tree.WrittenWord, item: tree.WrittenOption | tree.WrittenWord, what: str) -> None:
        message = f'unknown {what} "{word.text}" on {self.owner}'
        report = partial(self._fault, "unknown-option", word.span, message)
        if self._is_only_value(item, report) or self._repeats_meaning(item, report) or self._is_explained(word, report):
            return
        option, text = self._meant(word.text, item)
        if isinstance(item, tree.WrittenWord) and (short := self._meant_short(item)) is not None:
            report(help=f"write `{short[1]}`", fix=replacing(*short))
        elif option is not None and text:
            self._read_under_own_name(option, text, item, report)
        elif not self._is_misspelt(option, item, report):
            self._report_lost(option, word, item, report)

    def _is_only_value(self, item: tree.WrittenOption | tree.WrittenWord, report: Report) -> bool:
        """Read the only value of a setting that is written under some name, as in ``clip norm=1``."""
        first = self.first
        if not isinstance(item, tree.WrittenOption) or first is None or first.name != self.owner:
            return False
        if self.begun or item.name.text in self.by_name:
            return False
        text = respelled(first, item.value, self.scope)
        if text is None:
            return False
        report(help=f"write `{self.owner} {text}`", fix=replacing(item.span, text))
        self._read(first, item.value, item.span)
        return True

    def _repeats_meaning(self, item: tree.WrittenOption | tree.WrittenWord, report: Report) -> bool:
        """Report ``filters`` in ``conv 8 filters``: a word that only says what the number before it counts."""
        before = self._before(item)
        number = before.value if isinstance(before, tree.WrittenOption) else before
        if not isinstance(item, tree.WrittenWord) or item.text.lower() not in foreign_words.NOUNS:
            return False
        if not isinstance(number, tree.Number | tree.Size):
            return False
        fix = Fix(f"delete `{item.text}`", (removal(self.scope.source.text, item.span),), Applicability.SAFE)
        report(help=f"delete `{item.text}`: the number is enough", fix=fix)
        return True

    def _is_explained(self, word: tree.WrittenWord, report: Report) -> bool:
        """Report a word of another library for which the language has no single word, with what to write instead."""
        plain = word.text.lower()
        notes = foreign_words.OPTION_NOTES
        note = notes.get(f"{self.owner} {plain}") or notes.get(plain)
        if note is None:
            return False
        report(help=note)
        self.bound.lost = self.lost = True
        return True

    def _read_under_own_name(
        self, option: Option, text: str, item: tree.WrittenOption | tree.WrittenWord, report: Report
    ) -> None:
        """Read an option that is misspelt or named as in another library, with the author's value."""
        shown = f"{self.owner} {text}" if option.written is Written.FIRST else text
        report(help=f"write `{shown}`", fix=replacing(item.span, text))
        if isinstance(item, tree.WrittenOption):
            self._reread(option, item)

    def _is_misspelt(self, option: Option | None, item: tree.WrittenOption | tree.WrittenWord, report: Report) -> bool:
        """Read a misspelt word that needs no value, such as an activation, or a misspelt activation with a number."""
        if isinstance(item, tree.WrittenWord):
            near = self._near(item.text)
            if option is not None or near is None or near in self.by_name:
                return False
            report(meant=near)
            if near in self.words and self.words[near].name not in self.bound.spans:
                self._bare(self.words[near], tree.WrittenWord(near, item.span))
            return True
        near = self._near(item.name.text)
        if near is None or not self._takes_value(near):
            return False
        report(meant=near)
        self._activation_with_parameter(replace(item, name=tree.WrittenWord(near, item.name.span)))
        return True

    def _report_lost(
        self,
        option: Option | None,
        word: tree.WrittenWord,
        item: tree.WrittenOption | tree.WrittenWord,
        report: Report,
    ) -> None:
        """Report a word that nothing could be read from, with the closest option, or with all."""
        near = self._near(word.text)
        option = option or self.by_name.get(word.text) or self.by_name.get(near or "")
        if not self.after_lost:
            help_line = self._help_for(option, word.text)
            if option is None and isinstance(item, tree.WrittenOption) and (text := self._as_missing_first(item)):
                help_line = f"write `{self.owner} {text}`"
            if option is None and near is None and (note := self._note_on_layer(word.text)):
                help_line = note
            if near is None and self._second_name(item):
                line = foreign_words.SECOND_NAMES.get(self.owner, self.owner)
                help_line = f"`{self.owner}` reads one output: write `{line} {word.text}` as a line of its own"
            report(help=help_line)
        self.bound.lost = self.lost = True

    def _note_on_layer(self, word: str) -> str:
        """Return what to write for ``flatten`` in ``conv 8 flatten``: a layer, on the line of another one."""
        plain = foreign_layers.plain_layer(word)
        note = foreign_layers.LAYER_NOTES.get(plain, "") if self.owner in KINDS else ""
        return note.replace("remove this line", f"remove `{word}`")

    def _as_missing_first(self, item: tree.WrittenOption) -> str | None:
        """Return the value of ``item`` if the line starts with it, and lacks the value that it must start with."""
        if self.first is None or self.begun or self.first.default is not REQUIRED:
            return None
        return respelled(self.first, item.value, self.scope)

    def _second_name(self, item: tree.Item) -> bool:
        """Return whether ``item`` follows the name with which this kind of line starts, as in ``concat one two``."""
        return (
            self.begun
            and self.first is not None
            and self.first.type is Type.NAME
            and isinstance(item, tree.WrittenWord)
        )
