"""Arguments, exit codes and error messages of ``check`` and ``fmt``, without typer."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from caedsl.cli.exit_codes import COULD_NOT_RUN, FINDINGS, FINE, INTERRUPTED
from caedsl.diagnostics.messages import shown_lines


class _Layout(argparse.RawDescriptionHelpFormatter):
    """Layout of the help, which is that of the commands that typer runs."""

    def add_usage(self, usage: str | None, actions: Any, groups: Any, prefix: str | None = None) -> None:
        """Begin the first line with "Usage: "."""
        super().add_usage(usage, actions, groups, "Usage: " if prefix is None else prefix)

    def start_section(self, heading: str | None) -> None:
        """Name the two sections "Arguments" and "Options"."""
        super().start_section("Arguments" if heading == "positional arguments" else "Options")


class Parser(argparse.ArgumentParser):
    """Argument parser whose errors are a single line with the remedy."""

    def error(self, message: str) -> NoReturn:
        """Exit the program with code 2."""
        complain(f"{message}; see `{self.prog} --help`")
        self.exit(COULD_NOT_RUN)

    @property
    def options(self) -> list[str]:
        """Options of the parser, as they are written."""
        return [option for action in self._actions for option in action.option_strings]


def parse_arguments(parser: Parser, argv: Sequence[str]) -> argparse.Namespace | int:
    """Return the arguments, or the exit code if there is nothing left to do (``--help``, wrong usage)."""
    try:
        arguments, rest = parser.parse_known_intermixed_args(argv)
        if rest:
            parser.error(unknown("option", rest[0], parser.options))
        return arguments
    except SystemExit as end:
        return int(end.code or FINE)


def unknown(noun: str, word: str, words: Sequence[str]) -> str:
    """Return the error for an unknown command or option, with the one that the user may have meant."""
    from caedsl.diagnostics.suggest import did_you_mean

    meant = did_you_mean(word, words)
    return f"unknown {noun} {word}" + (f": did you mean {meant}?" if meant else "")


def exit_codes(findings: str) -> str:
    """Return the line about exit codes in a command's help; ``findings`` is the meaning of code 1, if it has one."""
    of_findings = f"{FINDINGS} {findings}; " if findings else ""
    return f"Exit codes: {FINE} fine; {of_findings}{COULD_NOT_RUN} could not run; {INTERRUPTED} interrupted."


def new_parser(command: str, description: str, examples: str, findings: str) -> Parser:
    """Return a parser whose help ends with examples and the exit codes; ``findings`` describes code 1."""
    parser = Parser(
        prog=f"caedsl {command}",
        usage=f"caedsl {command} [OPTIONS] PATH...",
        description=description,
        epilog=f"Examples:\n{examples}\n\n{exit_codes(findings)}",
        formatter_class=_Layout,
        allow_abbrev=False,
        add_help=False,
    )
    parser.add_argument("-h", "--help", action="help", help="Show this message and exit.")
    return parser


def complain(*lines: object) -> None:
    """Print to standard error what could not be done; see ``shown_lines``."""
    print("caedsl: " + "\n".join(shown_lines(*lines)), file=sys.stderr)


def terminal_width() -> int:
    """Return the columns of the terminal or the value of ``COLUMNS``; 100 if there is neither."""
    from shutil import get_terminal_size

    return get_terminal_size((100, 24)).columns
