"""Values without a name that a line does not take, and what they most likely belong to."""

from collections.abc import Sequence

from caedsl.resolve.reading.line_faults import SHORT
from caedsl.resolve.reading.misreads import called
from caedsl.resolve.reading.quantities import Misread
from caedsl.resolve.reading.respelling import replacing, respelled
from caedsl.resolve.reading.unknown_items import UnknownItems
from caedsl.resolve.reading.values import read
from caedsl.syntax import tree
from caedsl.vocabulary.activations import FUNCTIONS
from caedsl.vocabulary.option import REQUIRED, Option, Type, Written


class LeftoverValues(UnknownItems):
    """Values of one line, and those that none of its options takes."""

    def _leftover(self, item: tree.Item) -> None:
        """Report a value without a name that the line does not take, and the options that it may belong to."""
        if self.after_lost or self.bound.failed or any(name == "unexpected-value" for name in self.faults):
            return  # more values of the same kind, or the one that a mistake before it should have been
        text = self.scope.source.slice(item.span)
        if self.first is None or self.first.type is Type.CHOICE:
            message = f"`{self.owner}` takes no value without a name, but `{text}` is one"
            options: Sequence[Option] = self._named_for(item)
        else:
            value = "one value" if self.first.name == self.owner else f"one value without a name, {called(self.first)}"
            message = f"`{self.owner}` takes {value}; `{text}` is one too many"
            named = [option for option in self.options if option.name in ("kernel", "stride") and option.short]
            options = named or [each for each in self._named_for(item) if each.default is REQUIRED][:1]
        if isinstance(item, tree.Range):
            worded = [option for option in self.options if option.written is Written.WORDED]
            options = worded or [option for option in options if option.ranged]
        flag = self._flag_before(item)
        if flag is not None:
            message, help_line = f"`{flag}` takes no value: writing it turns it on", f"delete `{text}`"
            self._fault("unexpected-value", item.span, message, help=help_line)
            return
        if (joined := self._joined_thousands(item)) is not None:
            self._report_thousands(joined, message)
            return
        free = [option for option in options if option.name not in self.bound.spans]
        written = [(option, words) for option in free if (words := self._as_option(option, item))]
        examples = [
            f"`{words}` for the {option.name}" if option.written is Written.SHORT else f"`{words}`"
            for option, words in written
        ]
        fix = replacing(item.span, written[0][1]) if isinstance(item, tree.Size) and written else None
        if whole := self._with_value_before(item):
            examples = [f"`{whole}`", *examples]
        if isinstance(item, tree.Range) and self.owner in FUNCTIONS:
            help_line = f"write `clip {text}`"
        elif examples:
            help_line = f"write {' or '.join(examples)}"
        elif self.first is None or len(self.options) == 1:
            help_line = f"delete `{text}`"
        else:
            help_line = f"options of `{self.owner}` are {self._listed()}"
        self._fault("unexpected-value", item.span, message, help=help_line, fix=fix)

    def _with_value_before(self, item: tree.Item) -> str:
        """Return ``gaussian=0.1 0.5``, ``k3 5`` or ``hardtanh 0..2`` as the one option that it may be, or no text."""
        text = self.scope.source.slice(item.span)
        match self._before(item), item:
            case tree.WrittenOption(name, tree.Number() as low), tree.Number() if (
                option := self.by_name.get(name.text)
            ) is not None and option.ranged:
                return f"{name.text}={low.text}..{text}"
            case tree.WrittenWord(word), tree.Number() if (
                (match := SHORT.match(word)) and text.isdigit() and self._is_per_axis(match[1])
            ):
                return f"{word}x{text}"
            case tree.WrittenWord(word), tree.Range() if word in FUNCTIONS:
                return f"clip={text}"
            case _:
                return ""

    def _is_per_axis(self, short: str) -> bool:
        option = self.by_short.get(short)
        return option is not None and option.type is Type.PER_AXIS

    def _flag_before(self, item: tree.Item) -> str | None:
        """Return the word before ``item`` if it is one that takes no value."""
        before = self._before(item)
        option = self.by_name.get(before.text) if isinstance(before, tree.WrittenWord) else None
        return option.name if option is not None and option.type is Type.FLAG else None

    def _report_thousands(self, joined: tree.Number, message: str) -> None:
        """Report ``1 000`` with the number that is meant, and read that number."""
        help_line, fix = f"write `{self.owner} {joined.text}`", replacing(joined.span, joined.text)
        self._fault("unexpected-value", joined.span, message, help=help_line, fix=fix)
        if self.first is not None and not isinstance(value := read(self.first, joined, self.scope), Misread):
            self.bound.values[self.first.name] = value

    def _as_option(self, option: Option, item: tree.Item) -> str | None:
        """Return the option with ``item`` as its value, as a line writes it, or None if it has no such value."""
        return (
            None if isinstance(item, tree.WrittenOption | tree.ComparisonSign) else respelled(option, item, self.scope)
        )

    def _named_for(self, item: tree.Item) -> list[Option]:
        """Return the named option that a value without a name belongs to: one of its kind, a required one first."""
        share = self.scope.source.slice(item.span).endswith("%")
        fitting = [
            option for option in self.options if option.written is Written.NAMED and self._as_option(option, item)
        ]
        required = [option for option in fitting if option.default is REQUIRED]
        if isinstance(item, tree.Number) and item.text.isdigit() and int(item.text) > 1:  # a count
            fitting = [option for option in fitting if option.type is Type.COUNT]
        return required or sorted(fitting, key=lambda option: (option.type is Type.SHARE) != share)[:1]

    def _joined_thousands(self, item: tree.Item) -> tree.Number | None:
        """Return ``1 000`` as the one number that it is elsewhere."""
        before = self._before(item)
        if not isinstance(item, tree.Number) or not isinstance(before, tree.Number) or len(item.text) != 3:
            return None
        if not before.text.isdigit() or not item.text.isdigit():
            return None
        return tree.Number(before.text + item.text, before.span.to(item.span))
