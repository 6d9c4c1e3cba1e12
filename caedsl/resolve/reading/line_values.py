"""Reading of the values of one line, each for the option that it belongs to."""

import re
from typing import cast

from caedsl.resolve.reading.line_faults import LineFaults
from caedsl.resolve.reading.quantities import Misread, is_no_constant, report_misread, report_space
from caedsl.resolve.reading.respelling import EXAMPLES, example_of, meant_value, spelled
from caedsl.resolve.reading.values import read
from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.vocabulary.activations import ACTIVATION, FUNCTIONS, LINEAR, Activation, bare
from caedsl.vocabulary.option import REQUIRED, Option, Type, Written

_COPIES = re.compile(r"x(\d+)")
"""Match ``x3`` in place of a number."""


class LineValues(LineFaults):
    """Values of one line; one that cannot be read is reported, and what it most likely means is read instead."""

    def _read(self, option: Option, node: tree.Item, span: Span) -> None:
        assert not isinstance(node, tree.WrittenOption | tree.ComparisonSign)
        value = read(option, node, self.scope)
        if isinstance(value, Misread):
            meant = self._misread(value, option, node)
            if meant is not None:
                is_number = meant.isdigit()
                again = tree.Number(meant, node.span) if is_number else tree.WrittenWord(meant, node.span)
                value = read(option, again, self.scope)
        if isinstance(value, Misread):
            self.bound.failed.add(option.name)
            self.bound.spans.setdefault(option.name, span)
        else:
            report_space(node, self.scope)
            self._set(option, value, span)

    def _misread(self, misread: Misread, option: Option, node: tree.Value) -> str | None:
        """Report why a value cannot be read; return the word that was probably meant, if there is one."""
        self.faults.append(misread.name)
        meant = meant_value(option, self.scope.source.slice(node.span))
        if meant is not None:
            misread = misread._replace(meant=meant)
        elif isinstance(node, tree.Size):
            if option.type is Type.COUNT and option.written is Written.FIRST:
                misread = misread._replace(help=self._help_to_split(*node.dims))
        elif option.type is Type.COUNT and (number := _COPIES.fullmatch(misread.word)):
            misread = misread._replace(meant=number[1])
        elif misread.name == "unknown-name" and option.written is Written.FIRST:
            if is_no_constant(misread.word, self.scope):
                misread = misread._replace(help=self._help_without(option, misread.word))
            elif self.owner == option.name and misread.word and not misread.meant:
                example = example_of(option, self.owner)
                help_line = f"write `{self.owner} {example}`, or define `{misread.word}` above it by `let`"
                misread = misread._replace(help=help_line)
        report_misread(misread, self.scope)
        return misread.meant

    def _help_to_split(self, first: int, second: int, *others: int) -> str:
        """Return how to write a size such as the one of ``conv 8x3`` as two numbers, or nothing."""
        if others:
            return f"write `{self.owner} {first}`: the other sizes follow from its input"
        meanings = {"x": f"for {second} copies of the line", "k": f"for a kernel of {second}"}
        shorts = [option.short for option in self.options if option.short in meanings]
        ways = [f"`{self.owner} {first} {short}{second}` {meanings[short]}" for short in shorts]
        return f"write {' or '.join(ways)}" if ways else ""

    def _reread(self, option: Option, item: tree.WrittenOption) -> None:
        """Read the value of an option under another name, if possible."""
        text = self.scope.source.slice(item.value.span)
        meant = meant_value(option, text)
        node = item.value if meant is None else tree.WrittenWord(meant, item.value.span)
        bare = option.type is Type.ACTIVATION and option.written is Written.BARE  # other options keep its name
        if bare and (meant or text) not in FUNCTIONS:
            self.bound.failed.add(option.name)
            return
        value = Activation(meant or text) if bare else read(option, node, self.scope)
        if not isinstance(value, Misread) and option.name not in self.bound.spans:
            self._set(option, value, item.span)

    def _bare(self, option: Option, word: tree.WrittenWord) -> None:
        if option.type is Type.FLAG:
            self._set(option, True, word.span)
        elif option.type is Type.ACTIVATION and word.text not in bare():
            self._set(option, LINEAR, word.span)
            needed = cast(Option, FUNCTIONS[word.text].option)
            example = spelled(needed._replace(name=word.text), EXAMPLES[needed.name])
            message = f"`{word.text}` needs a value: the {needed.about}"
            self.scope.report("missing-value", word.span, message, help=f"write `{example}`")
        elif option.type is Type.ACTIVATION:
            self._set(option, Activation(word.text), word.span)
        else:
            self._set(option, word.text, word.span)

    def _takes_value(self, name: str | None) -> bool:
        """Return whether ``name`` is an activation with a value, on a line that may have one."""
        function = FUNCTIONS.get(name or "")
        return function is not None and function.option is not None and ACTIVATION.name in self.by_name

    def _activation_with_parameter(self, item: tree.WrittenOption) -> None:
        name = item.name.text
        option = FUNCTIONS[name].option
        if option is None:
            clip = f"clip={self.scope.source.slice(item.value.span)}"
            help_line = f"write `{clip}`" if isinstance(item.value, tree.Range) else f"write `{name}` alone"
            self._fault("unknown-option", item.span, f"`{name}` takes no number", help=help_line)
            self._set(self.by_name[ACTIVATION.name], Activation(item.name.text), item.span)
            return
        value = read(option._replace(name=name), item.value, self.scope)
        if isinstance(value, Misread):
            self.faults.append(value.name)
            report_misread(value, self.scope)
            value = None
        known = value is not None or option.default is not REQUIRED
        self._set(self.by_name[ACTIVATION.name], Activation(name, value) if known else LINEAR, item.span)

    def _add(self, rest: Option, item: tree.Value) -> None:
        """Read one more of the values without a name; each must be greater than the one before."""
        value = read(rest, item, self.scope)
        values = self.bound.values.get(rest.name, ())
        if isinstance(value, Misread):
            self._misread(value, rest, item)
            self.bound.failed.add(rest.name)
        elif values and value <= values[-1]:
            text = self.scope.source.slice(item.span)
            message = f"`{text}` must be greater than `{values[-1]}` before it"
            self._fault("out-of-domain", item.span, message, help=f"write the {rest.name} in ascending order")
        else:
            self.bound.values[rest.name] = (*values, value)
            self.bound.spans[rest.name] = self.bound.spans.get(rest.name, item.span).to(item.span)
