"""``caedsl rule``: prints the documentation of rules and of training monitors."""

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from caedsl.cli.completion import complete_rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caedsl.rules.engine.rule import Entry
    from caedsl.training.monitors.engine.catalogue import Monitor


class DocumentationFormat(StrEnum):
    """Format of the documentation."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


def rule(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME|CODE",
            help="A rule or a monitor; default: list all.",
            autocompletion=complete_rules,
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Print the documentation of every rule.")] = False,
    form: Annotated[
        DocumentationFormat, typer.Option("--output-format", help="The output format.")
    ] = DocumentationFormat.TEXT,
) -> None:
    """Print what a rule or a monitor finds, why it is bad, and what to write instead."""
    from caedsl.rules.engine.catalogue import every, find
    from caedsl.training.monitors.engine import catalogue

    entries: Sequence[Entry] = ()
    monitors: Sequence[Monitor] = ()
    if name is None:
        entries, monitors = every(), catalogue.in_order_of_names()
    elif everything:
        raise _fail("name a rule or write --all, not both")
    elif (monitor := catalogue.find(name.strip().lower())) is not None:
        monitors = (monitor,)
    elif (entry := find(name.strip().lower()) or find(name.strip())) is not None:
        entries = (entry,)
    else:
        raise _fail(f'there is no rule "{name}"; {_suggestion(name)}')
    listed = name is None and not everything
    show = _listing if listed and form is not DocumentationFormat.JSON else _documents
    typer.echo(show(entries, monitors, form), nl=False)


def _suggestion(name: str) -> str:
    from caedsl.diagnostics.suggest import did_you_mean
    from caedsl.rules.engine.configuration import suggest_rule
    from caedsl.training.monitors.engine.catalogue import names

    near = did_you_mean(name, names())
    return f"did you mean `{near}`?" if near else suggest_rule(name)


def _fail(message: str) -> typer.Exit:
    from caedsl.cli.argument_parser import complain

    complain(message)
    return typer.Exit(2)


def _listing(entries: "Sequence[Entry]", monitors: "Sequence[Monitor]", form: DocumentationFormat) -> str:
    from caedsl.rules.engine.documentation import index, summary_of
    from caedsl.training.monitors.engine import documentation

    if form is DocumentationFormat.MARKDOWN:
        return f"{index(entries)}\n{documentation.index(monitors)}"
    width = max((len(entry.rule.name) for entry in entries), default=0)
    return "".join(
        [
            *(
                f"{entry.rule.code}  {entry.rule.name:<{width}}  {entry.rule.severity.value:<7}  {summary_of(entry)}\n"
                for entry in entries
            ),
            *(f"monitor {monitor.name:<{width}}  {'trouble':<7}  {monitor.summary}\n" for monitor in monitors),
        ]
    )


def _documents(entries: "Sequence[Entry]", monitors: "Sequence[Monitor]", form: DocumentationFormat) -> str:
    import json
    import shutil

    from caedsl.diagnostics.colour import use_colour
    from caedsl.rules.engine.documentation import for_terminal, page, repair_of, rule_text
    from caedsl.training.monitors.engine import documentation

    pages = [*(page(entry) for entry in entries), *(documentation.page(monitor) for monitor in monitors)]
    if form is DocumentationFormat.MARKDOWN:
        return "\n".join(pages)
    if form is DocumentationFormat.JSON:
        texts = [
            {
                "code": text.code,
                "name": text.name,
                "family": entry.family,
                "severity": text.severity.value,
                "repair": repair_of(entry),
                "summary": text.summary,
                "documentation": text.documentation,
            }
            for entry in entries
            for text in [rule_text(entry)]
        ]
        watching = [
            {"name": monitor.name, "summary": monitor.summary, "documentation": monitor.documentation.strip() + "\n"}
            for monitor in monitors
        ]
        return json.dumps({"rules": texts, "monitors": watching}, indent=2) + "\n"
    width = min(shutil.get_terminal_size((100, 24)).columns, 100)
    return "\n".join(for_terminal(text, width, use_colour(sys.stdout)) for text in pages)
