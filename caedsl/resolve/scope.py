"""State while a spec is resolved: constants, defaults, and the findings so far."""

import re
from collections.abc import Callable, Container, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from typing import Any, NamedTuple

from caedsl.diagnostics.finding import Applicability, Datum, Edit, Finding, Fix, Label
from caedsl.source import Source, Span
from caedsl.syntax import tree
from caedsl.vocabulary.line import Line
from caedsl.vocabulary.option import Option
from caedsl.vocabulary.shape import Shape

_SHORT_OPTION = re.compile(r"[dgksx][0-9]+(x[0-9]+)*")
MOST_CANDIDATES = 500
"""Most words with which an unknown one is compared."""
_MOST_COMPARISONS = 20 * MOST_CANDIDATES
"""Limit the comparisons of words of one resolution; a text may have very many unknown words."""
MOST_FINDINGS = 10_000
"""Limit the findings of one resolution."""


_LEAVING_A_GAP = frozenset(
    (
        "unknown-option",
        "unknown-value",
        "unknown-name",
        "unknown-unit",
        "wrong-type",
        "out-of-domain",
        "unexpected-value",
        "target-rank",
    )
)
"""Findings about something that is then missing in the model, unless a fix states its meaning."""


_USES_OF_LAYERS = (
    "used",
    "used_blocks",
    "unused_parameters",
    "used_defaults",
    "idle_defaults",
    "output_names",
    "unread_outputs",
)
"""What is reported about the definitions of a spec after its layers have been read and placed."""


class Constant(NamedTuple):
    """Value of a ``let`` with its dimension, the place of its name and that of the line, and the constants it uses."""

    value: Fraction
    unit: str
    span: Span
    at: Span
    uses: frozenset[str] = frozenset()


class Defaults(NamedTuple):
    """Options of a ``defaults`` line for one kind, where each is written, and where the line is."""

    kind: str
    values: Mapping[str, Any]
    spans: Mapping[str, Span]
    at: Span


@dataclass(frozen=True)
class NamedBlock:
    """Defined block: its parameters, where each is written, and how many blocks precede it."""

    name: str
    parameters: tuple[Option, ...]
    written: Mapping[str, tree.WrittenWord | tree.WrittenOption]
    statement: tree.Statement
    order: int

    @property
    def at(self) -> Span:
        """Place of the block's word, its name and its parameters."""
        return self.statement.span

    @property
    def body(self) -> tuple[tree.Statement, ...]:
        """Statements of the block."""
        return self.statement.block or ()

    def place(self, parameter: str) -> Span:
        """Return the place of the name of a parameter."""
        item = self.written[parameter]
        return item.name.span if isinstance(item, tree.WrittenOption) else item.span


class Scope:
    """State of one resolution; findings are collected here, so that every step continues with its best result."""

    def __init__(self, source: Source, language_words: Callable[[], frozenset[str]]) -> None:
        self.source = source
        self._language_words = language_words
        self.input_shape: Shape | None = None
        """Shape of the input, once it has been read."""
        self.epochs = 0
        """Number of epochs that the training states, once its lines are known; 0 without one."""
        self.constants: dict[str, Constant] = {}
        self.unknown_constants: dict[str, str | None] = {}
        """Constants with an unknown value, after a finding, and the constant that each probably means."""
        self.unknown_uses: dict[str, list[Span]] = {}
        """Every use of a name that no constant has."""
        self.constant_faults: set[str] = set()
        """Messages about constants with values outside a domain."""
        self.used: set[str] = set()
        """Constants that some line uses, other than a ``let``."""
        self.defaults: list[Defaults] = []
        self._in_force: dict[str, dict[str, tuple[Any, Span]]] = {}
        self.blocks: dict[str, NamedBlock] = {}
        self.used_blocks: set[str] = set()
        self.unknown_blocks: set[str] = set()
        """Words that are reported as unknown and look like the name of a block, which itself may be misspelt."""
        self.unused_parameters: set[tuple[str, str]] = set()
        """Name of each block with a parameter that none of its lines reads, and of the parameter."""
        self.knows_blocks = True
        """Whether every block could be read; after a syntax error, one may be missing."""
        self.visible_blocks: int | None = None
        """Number of blocks that can be used, from the first one: inside a block, those above it; None for all."""
        self.block_lines: dict[tuple[str, tuple[tuple[str, float], ...]], tuple[Line, ...]] = {}
        self.depth = 0
        """Number of blocks that are open around the lines being read."""
        self.uses: list[Span] = []
        """Lines that use the blocks being read or placed, the outermost first."""
        self.used_defaults: set[tuple[Span, str]] = set()
        """Place of each ``defaults`` line with an option that some line takes, and the option's name."""
        self.idle_defaults: dict[tuple[Span, str], str] = {}
        """What to do about each option of ``defaults`` that has no effect on a line that takes it."""
        self.findings: list[Finding] = []
        self.understood = True
        """Whether every word has a meaning, at least a probable one; otherwise the model may lack something."""
        self.layers_placed = 0
        self.output_names: set[str] = set()
        """Every name that a line gives its output."""
        self.unread_outputs: dict[str, Span] = {}
        self._meant: dict[tuple[str, tuple[str, ...]], str | None] = {}
        self._comparisons = 0
        self._reported: set[tuple[str, Span, str]] = set()

    def uses_of_layers(self) -> Mapping[str, Any]:
        """Return what the layers use and name, for ``resume``."""
        return {name: copy(getattr(self, name)) for name in _USES_OF_LAYERS}

    def resume(self, uses: Mapping[str, Any]) -> None:
        """Continue as if the layers with these ``uses_of_layers`` had been read and placed."""
        used = self.used
        for name, value in uses.items():
            setattr(self, name, copy(value))
        self.used |= used

    def is_constant(self, word: str) -> bool:
        """Return whether the author means a constant by ``word``, whatever its value."""
        return word in self.constants or word in self.unknown_constants

    def is_reserved(self, word: str) -> bool:
        """Return whether ``word`` belongs to the language and cannot name a constant."""
        return _SHORT_OPTION.fullmatch(word) is not None or word in self._language_words()

    def apply_defaults(self, count: int) -> None:
        """Apply the first ``count`` lines of ``defaults``: those above the statement that is read next."""
        self._in_force = {}
        self.block_lines = {}
        for line in self.defaults[:count]:
            options = self._in_force.setdefault(line.kind, {})
            options.update({name: (value, line.at) for name, value in line.values.items()})

    def inherited(self, kind: str, given: Container[str]) -> dict[str, Any]:
        """Return the options that the current ``defaults`` set on a line of ``kind``, without those ``given`` on it."""
        return {name: value for name, (value, _) in self._in_force.get(kind, {}).items() if name not in given}

    def take_defaults(self, kind: str, names: Iterable[str], idle: Mapping[str, str]) -> None:
        """Record that a line of ``kind`` takes these options; those ``idle``, with a help, have no effect on it."""
        for name in names:
            key = self._in_force[kind][name][1], name
            if name in idle:
                self.idle_defaults[key] = idle[name]
            else:
                self.used_defaults.add(key)

    def nearest(self, word: str, candidates: Iterable[str], aliases: Mapping[str, str] = {}) -> str | None:
        """Return what ``did_you_mean`` returns; of very many words or candidates, only the first are compared."""
        key = word, tuple(islice(candidates, MOST_CANDIDATES))
        if key not in self._meant and self._comparisons < _MOST_COMPARISONS:
            # Imported only for an error, so that specs without errors are checked faster.
            from caedsl.diagnostics.suggest import did_you_mean

            self._comparisons += len(key[1])
            self._meant[key] = did_you_mean(word, key[1], aliases)
        return self._meant.get(key)

    def report(
        self,
        name: str,
        span: Span,
        message: str,
        *,
        label: str = "",
        related: tuple[Label, ...] = (),
        notes: tuple[str, ...] = (),
        help: str = "",
        meant: str | None = None,
        fix: Fix | None = None,
        data: Mapping[str, Datum] | None = None,
    ) -> None:
        """Add a finding of the rule ``name`` at ``span``; ``meant`` is the word that was probably meant there.

        The same words at the same place, as on a repeated line, are added only once.
        """
        key = name, span, message
        if key in self._reported or len(self._reported) >= MOST_FINDINGS:
            return
        self._reported.add(key)
        if meant is not None:
            help = f"did you mean `{meant}`?"
            # An author's names are often similar, so a close one may still be different.
            applicability = Applicability.UNSAFE if meant in self.constants else Applicability.SAFE
            fix = Fix(f"write `{meant}`", (Edit(span, meant),), applicability)
        related = (*related, *(Label(use, "used here") for use in self.uses[:1]))
        self.understood &= fix is not None or name not in _LEAVING_A_GAP
        self.findings.append(Finding(name, message, Label(span, label), related, notes, help, fix, data=data or {}))

    def fix_every_use(self) -> None:
        """Let the fix of a name that no constant has change every use of it, since only the first one is reported."""
        uses = {spans[0]: sorted(set(spans)) for spans in self.unknown_uses.values()}
        for number, finding in enumerate(self.findings):
            fix = finding.fix
            if fix is not None and finding.name == "unknown-name" and finding.primary.span in uses:
                edits = tuple(Edit(span, edit.text) for edit in fix.edits for span in uses[finding.primary.span])
                self.findings[number] = replace(finding, fix=fix._replace(edits=edits))
