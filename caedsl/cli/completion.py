"""Shell completion of spec files, rule names, and the options of ``check`` and ``fmt``."""

import os
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from caedsl.cli.files import ENDING


def complete_specs(incomplete: str) -> list[str]:
    """Return the folders and specs whose path begins with ``incomplete``; the contents of a folder if it is alone."""
    found = sorted(_paths(incomplete))
    # Shells add a space after a single completion, after which the contents of the folder could not be completed.
    while len(found) == 1 and found[0].endswith(os.sep) and (below := sorted(_paths(found[0]))):
        found = below
    return found


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


def complete_parts(incomplete: str) -> list[str]:
    """Return the parts of a model that can be exported and begin with ``incomplete``."""
    from caedsl.export.parts import PARTS

    return [part.name for part in PARTS if part.name.startswith(incomplete)]


def complete_scores(incomplete: str) -> list[str]:
    """Return the anomaly scores that begin with ``incomplete``; those with a number have their default."""
    from caedsl.inference.scores import SCORES, ChosenScore

    names = (str(ChosenScore(score, score.parameter or 0.0)) for score in SCORES)
    return [name for name in names if name.startswith(incomplete)]


def complete_check(context: typer.Context, incomplete: str) -> list[str]:
    """Return the options of ``check``, their values, or the specs that begin with ``incomplete``."""
    from caedsl.cli.check import new_check_parser
    from caedsl.diagnostics import FORMATS

    before = (context.params["words"] or [""])[-1]
    if before in ("--select", "--ignore"):
        return _listed_rules(incomplete)
    if before == "--output-format":
        return sorted(name for name in FORMATS if name.startswith(incomplete))
    return _options_or_specs(new_check_parser().options, incomplete)


def _listed_rules(incomplete: str) -> list[str]:
    """Return the completions of the last name in a list of rules that is separated by commas."""
    from caedsl.rules.engine.catalogue import all_names

    first, comma, last = incomplete.rpartition(",")
    return sorted(f"{first}{comma}{name}" for name in all_names() if name.startswith(last))


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
