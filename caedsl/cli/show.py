"""``caedsl show``: shows the layers, sizes and settings of a spec."""

from typing import Annotated

import typer

from caedsl.cli.completion import SpecPath
from caedsl.cli.specs import VariantOption


def show(
    spec: SpecPath,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Change a setting: train.batch=64.")
    ] = None,
    variant: VariantOption = None,
) -> None:
    """Show every layer with its shape and cost, the totals, and the resolved settings."""
    from caedsl.cli.specs import read_unswept
    from caedsl.facts.model_summary import summarise

    model = read_unswept(spec, set_ or (), variant)
    summary = summarise(model)
    if json:
        from caedsl.facts.schema import summary_json

        typer.echo(summary_json(summary), nl=False)
        return
    from rich.console import Console

    from caedsl.console.model_table import print_model

    print_model(model, summary, Console(highlight=False, soft_wrap=True))
