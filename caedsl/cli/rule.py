"""``caedsl rule``: the documentation of rules."""

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caedsl.rules.rule import Entry


class Form(StrEnum):
    """How the documentation is printed."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


def rule(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME|CODE]", help="A rule; without one, all are listed.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Print the documentation of every rule.")] = False,
    form: Annotated[Form, typer.Option("--output-format", help="How to print it.")] = Form.TEXT,
) -> None:
    """Print what a rule finds, why that is bad, and what to write instead."""
    from caedsl.rules.catalogue import every, find
    from caedsl.rules.configuration import suggest_rule

    if name is None:
        entries: Sequence[Entry] = every()
    elif everything:
        raise _fail("name a rule or write --all, not both")
    elif (entry := find(name.strip().lower()) or find(name.strip())) is not None:
        entries = (entry,)
    else:
        raise _fail(f'there is no rule called "{name}"; {suggest_rule(name)}')
    listed = name is None and not everything
    typer.echo(_listing(entries, form) if listed and form is not Form.JSON else _documents(entries, form), nl=False)


def _fail(message: str) -> typer.Exit:
    print(f"caedsl: {message}", file=sys.stderr)
    return typer.Exit(2)


def _listing(entries: "Sequence[Entry]", form: Form) -> str:
    from caedsl.rules.documentation import index, summary_of

    if form is Form.MARKDOWN:
        return index(entries)
    width = max((len(entry.rule.name) for entry in entries), default=0)
    return "".join(
        f"{entry.rule.code}  {entry.rule.name:<{width}}  {entry.rule.severity.value:<7}  {summary_of(entry)}\n"
        for entry in entries
    )


def _documents(entries: "Sequence[Entry]", form: Form) -> str:
    import json
    import shutil

    from caedsl.diagnostics.colour import use_colour
    from caedsl.rules.documentation import for_terminal, page, repair_of, rule_text

    if form is Form.MARKDOWN:
        return "\n".join(page(entry) for entry in entries)
    if form is Form.JSON:
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
        return json.dumps({"rules": texts}, indent=2) + "\n"
    width = min(shutil.get_terminal_size((100, 24)).columns, 100)
    return "\n".join(for_terminal(entry, width, use_colour(sys.stdout)) for entry in entries)
