"""``caedsl fmt``: formats specs in canonical layout."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from caedsl.cli.argument_parser import Parser, complain, new_parser, parse_arguments, terminal_width
from caedsl.cli.exit_codes import COULD_NOT_RUN, FINDINGS, FINE
from caedsl.cli.files import STANDARD_INPUT, WriteError, find_specs, read_spec, write_text
from caedsl.diagnostics import Finding, Report
from caedsl.diagnostics.colour import use_colour
from caedsl.diagnostics.diff import unified_diff
from caedsl.diagnostics.full import render_full
from caedsl.diagnostics.text import counted, printable
from caedsl.rules.engine.configuration import ConfigurationError, read_configuration
from caedsl.source import Source
from caedsl.syntax.formatter import FormatterBug, format_source
from caedsl.syntax.reading import SourceError

_EXAMPLES = """\
  caedsl fmt specs
  caedsl fmt --check .
  caedsl fmt - < model.cae"""


@dataclass
class _Outcome:
    """Result of a run; ``failed`` means that something could not be read, formatted or written."""

    changed: list[str] = field(default_factory=list)
    unchanged: int = 0
    refused: int = 0
    failed: bool = False

    def fail(self, problem: object) -> None:
        complain(problem)
        self.failed = True


def run(argv: Sequence[str]) -> int:
    """Format specs and return the exit code."""
    arguments = parse_arguments(new_fmt_parser(), argv)
    if isinstance(arguments, int):
        return arguments
    outcome = _Outcome()
    for path in _paths(arguments, outcome):
        try:
            _format(path, read_spec(path), arguments, outcome)
        except (SourceError, WriteError) as error:
            outcome.fail(error)
        except FormatterBug as bug:
            outcome.fail(f"{path}: not changed: {bug}. This is a bug in caedsl; please report it with the spec")
    _say(arguments, outcome)
    if outcome.failed:
        return COULD_NOT_RUN
    only_shown = arguments.check or arguments.diff
    return FINDINGS if outcome.refused or (only_shown and outcome.changed) else FINE


def new_fmt_parser() -> Parser:
    """Return the parser of ``caedsl fmt``."""
    parser = new_parser(
        "fmt",
        "Format specs: white space and spelling; meaning, order and comments do not change.",
        _EXAMPLES,
        "syntax errors, or, with --check or --diff, specs that would change",
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="A spec, a folder of specs, or - for standard input.")
    parser.add_argument("--check", action="store_true", help="Only list the specs that would change.")
    parser.add_argument("--diff", action="store_true", help="Show the changes without writing them.")
    return parser


def _paths(arguments: argparse.Namespace, outcome: _Outcome) -> list[str]:
    first = arguments.paths[0]
    try:
        configuration = read_configuration("." if first == STANDARD_INPUT else first)
    except ConfigurationError as error:
        outcome.fail(error)
        return []
    found = find_specs(arguments.paths, configuration.excludes)
    for problem in found.problems:
        outcome.fail(problem)
    return found.paths


def _format(path: str, source: Source, arguments: argparse.Namespace, outcome: _Outcome) -> None:
    text, findings = format_source(source)
    if text is None:
        outcome.refused += 1
        _show(source, findings)
        return
    if text == source.text:
        outcome.unchanged += 1
    else:
        if arguments.diff:
            sys.stdout.write(unified_diff(source.text, text, source.path, use_colour(sys.stdout)))
        elif not arguments.check and path != STANDARD_INPUT:
            write_text(path, text)
        outcome.changed.append(source.path)
    if path == STANDARD_INPUT and not (arguments.check or arguments.diff):
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8"))
        sys.stdout.buffer.flush()


def _show(source: Source, findings: Sequence[Finding]) -> None:
    """Show syntax errors on standard error, because standard output is for formatted text and diffs."""
    from caedsl.rules.engine.checking import identified

    report = Report(source, tuple(identified(finding) for finding in findings))
    width = terminal_width()
    sys.stderr.write(render_full([report], use_colour(sys.stderr), width) + "\n")


def _say(arguments: argparse.Namespace, outcome: _Outcome) -> None:
    """Report which specs changed and how many did not, on standard error if standard output is for something else."""
    stream = sys.stderr if arguments.diff or STANDARD_INPUT in arguments.paths else sys.stdout
    only_shown = arguments.check or arguments.diff
    if only_shown or STANDARD_INPUT not in arguments.paths:
        for path in outcome.changed:
            print(f"{'Would format' if only_shown else 'Formatted'} {printable(path)}", file=stream)
    counts = (
        (len(outcome.changed), "would change" if only_shown else "formatted"),
        (outcome.unchanged, "already formatted"),
        (outcome.refused, "not changed because of syntax errors"),
    )
    parts = [f"{counted(count, 'spec')} {what}" for count, what in counts if count]
    if parts:
        print(f"{', '.join(parts)}.", file=stream)
