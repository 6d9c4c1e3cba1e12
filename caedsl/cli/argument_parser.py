"""Arguments, exit codes and error messages of ``check`` and ``fmt``, without typer."""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from caedsl.cli.exit_codes import COULD_NOT_RUN, FINDINGS, FINE
from caedsl.diagnostics.text import printable


class Parser(argparse.ArgumentParser):
    """Argument parser whose errors are a single line with the remedy."""

    def error(self, message: str) -> NoReturn:
        """Exit the program with code 2."""
        complain(f"{message}; see `{self.prog} --help`")
        self.exit(COULD_NOT_RUN)

    @property
    def options(self) -> list[str]:
        """Return the options of the parser, as they are written."""
        return [option for action in self._actions for option in action.option_strings]


def parse_arguments(parser: Parser, argv: Sequence[str]) -> argparse.Namespace | int:
    """Return the arguments, or the exit code if there is nothing left to do (``--help``, wrong usage)."""
    try:
        return parser.parse_args(argv)
    except SystemExit as end:
        return int(end.code or FINE)


def new_parser(command: str, description: str, examples: str, findings: str) -> Parser:
    """Return a parser whose help ends with examples and the exit codes; ``findings`` describes code 1."""
    codes = f"""\
exit codes:
  {FINE}  fine
  {FINDINGS}  {findings}
  {COULD_NOT_RUN}  could not run: wrong usage, or a file that cannot be read or written"""
    return Parser(
        prog=f"caedsl {command}",
        description=description,
        epilog=f"examples:\n{examples}\n\n{codes}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def complain(message: object) -> None:
    """Print to standard error what could not be done.

    Characters of a name that would control the terminal are replaced.
    """
    lines = map(printable, str(message).split("\n"))
    print("caedsl: " + "\n".join(lines), file=sys.stderr)


def terminal_width() -> int:
    """Return the columns of the terminal or the value of ``COLUMNS``; 100 if there is neither."""
    from shutil import get_terminal_size

    return get_terminal_size((100, 24)).columns
