"""``caedsl check``: finds mistakes in specs before training."""

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from caedsl.cli.argument_parser import Parser, complain, new_parser, parse_arguments, terminal_width
from caedsl.cli.exit_codes import COULD_NOT_RUN, FINDINGS, FINE
from caedsl.cli.files import STANDARD_INPUT, WriteError, find_specs, read_spec, write_text
from caedsl.diagnostics import FORMATS, RenderSettings, Report, RuleText, Severity
from caedsl.diagnostics.colour import use_colour
from caedsl.diagnostics.diff import unified_diff
from caedsl.diagnostics.summary import summary
from caedsl.diagnostics.text import counted
from caedsl.rules.engine.checking import Checked, Selection, check_source
from caedsl.rules.engine.configuration import (
    Configuration,
    ConfigurationError,
    output_format,
    read_configuration,
    rule_names,
)
from caedsl.source import Source, Span
from caedsl.syntax.reading import SourceError

FORMAT_VARIABLE = "CAEDSL_OUTPUT_FORMAT"
_FULL = "full"
_REPORT = "this is a bug in caedsl: please report it with the spec"

_EXAMPLES = """\
  caedsl check specs/digits.cae
  caedsl check . --strict --output-format github
  caedsl check model.cae --fix --unsafe-fixes --diff"""


class _Settings(NamedTuple):
    """Settings from the command line, the environment and pyproject.toml, in this order of precedence."""

    paths: tuple[str, ...]
    configuration: Configuration
    selection: Selection
    format: str
    strict: bool
    fix: bool
    unsafe: bool
    diff: bool
    quiet: bool


class _Outcome:
    """Result of a run; ``failed`` means that something could not be read or written."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.diffs: list[str] = []
        self.seen: set[tuple[str, str, Span, str]] = set()
        self.fixed = 0
        self.failed = False

    def add(self, reports: Iterable[Report]) -> None:
        """Add the findings of a spec; add those of a base only once if several specs extend it."""
        for source, findings in reports:
            new = tuple(f for f in findings if (source.path, f.name, f.primary.span, f.message) not in self.seen)
            self.seen.update((source.path, f.name, f.primary.span, f.message) for f in findings)
            if new or not any(report.source.path == source.path for report in self.reports):
                self.reports.append(Report(source, new))

    def fail(self, problem: object) -> None:
        complain(problem)
        self.failed = True


def run(argv: Sequence[str]) -> int:
    """Check specs and return the exit code."""
    arguments = parse_arguments(new_check_parser(), argv)
    if isinstance(arguments, int):
        return arguments
    try:
        settings = _read_settings(arguments)
    except ConfigurationError as error:
        complain(error)
        return COULD_NOT_RUN
    outcome = _check(settings)
    sys.stdout.write(_rendered(settings, outcome))
    return _exit_code(settings, outcome)


def new_check_parser() -> Parser:
    """Return the parser of ``caedsl check``."""
    parser = new_parser(
        "check",
        "Find mistakes in specs before training.",
        _EXAMPLES,
        "errors (with --strict, also warnings), or, with --diff, changes",
    )
    add = parser.add_argument
    add("paths", nargs="+", metavar="PATH", help="A spec, a folder of specs, or - for standard input.")
    add(
        "--output-format",
        metavar="FORMAT",
        help=f"The output format: {', '.join(FORMATS)}; default: full, or the value of {FORMAT_VARIABLE}.",
    )
    add("--strict", action="store_true", help="Treat warnings as errors.")
    rules = "names, codes, prefixes of codes (CAE4) or families (shapes), separated by commas."
    add("--select", action="append", metavar="RULES", help=f"Report only these rules, and errors: {rules}")
    add("--ignore", action="append", metavar="RULES", help="Do not report these rules; errors are always reported.")
    add("--fix", action="store_true", help="Apply the safe fixes.")
    add("--unsafe-fixes", action="store_true", help="With --fix or --diff, also apply fixes that change the model.")
    add("--diff", action="store_true", help="Show the changes that the fixes would make, without writing them.")
    add("--quiet", action="store_true", help="Print only findings, no summary.")
    return parser


def _read_settings(arguments: argparse.Namespace) -> _Settings:
    """Return the settings; raise ``ConfigurationError`` if they cannot be combined."""
    paths = tuple(arguments.paths)
    if arguments.unsafe_fixes and not (arguments.fix or arguments.diff):
        raise ConfigurationError("--unsafe-fixes has no effect alone; add --fix to apply fixes, or --diff to show them")
    if arguments.fix and not arguments.diff and STANDARD_INPUT in paths:
        raise ConfigurationError("--fix cannot change standard input; add --diff to show the fixes, or name a file")
    configuration = read_configuration("." if paths[0] == STANDARD_INPUT else paths[0])
    select = _rules(arguments.select, "--select", configuration.select)
    ignore = _rules(arguments.ignore, "--ignore", configuration.ignore)
    return _Settings(
        paths=paths,
        configuration=configuration,
        selection=Selection(select, ignore or frozenset()),
        format=_format(arguments.output_format, configuration),
        strict=arguments.strict or bool(configuration.strict),
        fix=arguments.fix,
        unsafe=arguments.unsafe_fixes,
        diff=arguments.diff,
        quiet=arguments.quiet,
    )


def _rules(lists: list[str] | None, option: str, configured: frozenset[str] | None) -> frozenset[str] | None:
    if lists is None:
        return configured
    return rule_names((word for words in lists for word in words.split(",") if word.strip()), option)


def _format(wanted: str | None, configuration: Configuration) -> str:
    if wanted is not None:
        return output_format(wanted, "--output-format")
    if in_environment := os.environ.get(FORMAT_VARIABLE):
        return output_format(in_environment, f"the environment variable {FORMAT_VARIABLE}")
    return configuration.output_format or _FULL


def _check(settings: _Settings) -> _Outcome:
    outcome = _Outcome()
    found = find_specs(settings.paths, settings.configuration.excludes)
    for problem in found.problems:
        outcome.fail(problem)
    for path in found.paths:
        try:
            source = read_spec(path)
        except SourceError as error:
            outcome.fail(error)
            continue
        try:
            _check_spec(path, source, settings, outcome)
        except Exception as error:
            if os.environ.get("CAEDSL_DEBUG"):
                raise
            outcome.fail(f"{path}: checking this spec failed ({type(error).__name__}: {error}); {_REPORT}")
    return outcome


def _check_spec(path: str, source: Source, settings: _Settings, outcome: _Outcome) -> None:
    """Check one spec, and apply its fixes if asked to."""
    if settings.fix or settings.diff:
        checked = _fix(path, source, settings, outcome)
    else:
        checked = check_source(source, settings.selection)
    outcome.add(checked.reports)
    for failure in checked.failures:
        outcome.fail(f"{path}: {failure}, and its findings are missing; {_REPORT}")


def _fix(path: str, source: Source, settings: _Settings, outcome: _Outcome) -> Checked:
    """Apply the fixes of one spec, or show them; return the findings of the text that the file then has."""
    from caedsl.rules.engine.fixing import fix_source

    fixed = fix_source(source, settings.selection, settings.unsafe)
    text = fixed.source.text
    if not settings.diff and text != source.text:
        try:
            write_text(path, text)
        except WriteError as error:
            outcome.fail(error)
            return check_source(source, settings.selection)
    elif settings.diff:
        outcome.diffs.append(unified_diff(source.text, text, source.path, use_colour(sys.stdout)))
    outcome.fixed += fixed.made
    return fixed.checked


def _rendered(settings: _Settings, outcome: _Outcome) -> str:
    """Return the standard output; the summary goes to standard error if the output is for other programs."""
    closing = "" if settings.quiet else _closing(settings, outcome)
    if settings.diff or settings.format != _FULL:
        if outcome.fixed or settings.diff:
            sys.stderr.write(closing)
        if settings.diff:
            return "".join(outcome.diffs)
        closing = ""
    setting = RenderSettings(
        colour=use_colour(sys.stdout),
        width=terminal_width(),
        rules=_rule_texts(outcome.reports) if settings.format == "sarif" else {},
        version=_version() if settings.format == "sarif" else "",
    )
    body = FORMATS[settings.format](outcome.reports, setting)
    return f"{body}\n{closing}" if body and closing else body + closing


def _closing(settings: _Settings, outcome: _Outcome) -> str:
    """Return the last line: the number of fixes and of remaining findings."""
    if not outcome.reports and outcome.failed:
        return ""
    left = summary(outcome.reports, len(outcome.reports))
    if not outcome.fixed:
        return f"{left}\n"
    done = "Would fix" if settings.diff else "Fixed"
    return f"{done} {counted(outcome.fixed, 'finding')}. {left}\n"


def _rule_texts(reports: Iterable[Report]) -> dict[str, RuleText]:
    from caedsl.rules.engine.catalogue import every
    from caedsl.rules.engine.documentation import rule_text

    names = {finding.name for report in reports for finding in report.findings}
    return {known.rule.name: rule_text(known) for known in every() if known.rule.name in names}


def _version() -> str:
    from caedsl.version import __version__

    return __version__


def _exit_code(settings: _Settings, outcome: _Outcome) -> int:
    if outcome.failed:
        return COULD_NOT_RUN
    failing = {Severity.ERROR, Severity.WARNING} if settings.strict else {Severity.ERROR}
    found = any(finding.severity in failing for report in outcome.reports for finding in report.findings)
    return FINDINGS if found or (settings.diff and outcome.fixed) else FINE
