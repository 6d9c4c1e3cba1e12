"""The typer application: one thin file a command; what a command needs is imported when it runs."""

from collections.abc import Sequence
from typing import Annotated

import typer
from typer._click.exceptions import ClickException  # typer carries click and exports no base of its errors

from caedsl import __version__
from caedsl.cli.emit import emit
from caedsl.cli.evaluate import evaluate
from caedsl.cli.graph import graph
from caedsl.cli.new import new
from caedsl.cli.rule import rule
from caedsl.cli.runs import runs
from caedsl.cli.show import show
from caedsl.cli.train import train

_PASSED_ON = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}

app = typer.Typer(
    name="caedsl",
    help="Convolutional autoencoders from compact specs: checked, drawn, emitted as PyTorch, trained.",
    epilog="Example: caedsl new digits && caedsl train digits.cae",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"caedsl {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Convolutional autoencoders from compact specs: checked, drawn, emitted as PyTorch, trained."""


@app.command(context_settings=_PASSED_ON)
def check(context: typer.Context) -> None:
    """Find what will fail in specs, and why, before training."""
    from caedsl.cli.check import run as check_specs

    raise typer.Exit(check_specs(context.args))


@app.command(context_settings=_PASSED_ON)
def fmt(context: typer.Context) -> None:
    """Format specs: white space and canonical spelling."""
    from caedsl.cli.fmt import run as format_specs

    raise typer.Exit(format_specs(context.args))


for command, example in (
    (rule, "caedsl rule overcomplete"),
    (show, "caedsl show specs/digits.cae"),
    (graph, "caedsl graph specs/digits.cae -o digits.svg"),
    (emit, "caedsl emit specs/digits.cae -o digits.py"),
    (train, "caedsl train specs/digits.cae --epochs 5"),
    (evaluate, "caedsl evaluate runs/digits-20300102-030405"),
    (runs, "caedsl runs"),
    (new, "caedsl new parts --template photos"),
):
    app.command(epilog=f"Example: {example}")(command)


def run(arguments: Sequence[str]) -> int:
    """Runs a command; bad usage is exit code 2."""
    try:
        code = app(args=list(arguments), prog_name="caedsl", standalone_mode=False)
    except ClickException as error:
        error.show()
        return error.exit_code
    except typer.Abort:
        raise KeyboardInterrupt from None
    return code if isinstance(code, int) else 0
