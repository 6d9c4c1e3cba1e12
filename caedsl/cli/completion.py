"""Shell completion of spec files, rule names, and the options of ``check`` and ``fmt``."""

import os
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from caedsl.cli.files import ENDING


def complete_specs(incomplete: str) -> list[str]:
    """Return the folders and specs whose path begins with ``incomplete``."""
    return sorted(_paths(incomplete))


def _paths(incomplete: str) -> Iterator[str]:
    folder, name = os.path.split(incomplete)
    try:
        entries = list(os.scandir(folder or "."))
    except OSError:
        return
    for entry in entries:
        if not entry.name.startswith(name) or (entry.name.startswith(".") and not name):
            continue
        path = os.path.join(folder, entry.name)
        if entry.is_dir():
            yield path + os.sep
        elif entry.name.endswith(ENDING):
            yield path


def complete_rules(incomplete: str) -> list[str]:
    """Return the names of rules and monitors that begin with ``incomplete``."""
    from caedsl.rules.engine.catalogue import all_names
    from caedsl.training.monitors.engine.catalogue import names

    return sorted(name for name in (*all_names(), *names()) if name.startswith(incomplete))


def complete_check(incomplete: str) -> list[str]:
    """Return the options of ``check``, or specs, that begin with ``incomplete``."""
    from caedsl.cli.check import new_check_parser

    return _options_or_specs(new_check_parser().options, incomplete)


def complete_fmt(incomplete: str) -> list[str]:
    """Return the options of ``fmt``, or specs, that begin with ``incomplete``."""
    from caedsl.cli.fmt import new_fmt_parser

    return _options_or_specs(new_fmt_parser().options, incomplete)


def _options_or_specs(options: Sequence[str], incomplete: str) -> list[str]:
    if not incomplete.startswith("-"):
        return complete_specs(incomplete)
    return sorted(option for option in options if option.startswith(incomplete))


class PassedOn(TyperCommand):
    """Command whose arguments another parser reads; its single argument also completes options."""

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Return the completions of the argument."""
        return list(self.params[0].shell_complete(ctx, incomplete))


SpecPath = Annotated[
    str,
    typer.Argument(metavar="SPEC", help="The spec, or - for standard input.", autocompletion=complete_specs),
]
