"""Typer application; a command imports its dependencies only when it is called."""

from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any

import typer

from caedsl.cli.argument_parser import complain, exit_codes, unknown
from caedsl.cli.calibrate import calibrate
from caedsl.cli.command import Command, usage_error
from caedsl.cli.compare import compare
from caedsl.cli.completion import PassedOn, complete_check, complete_fmt
from caedsl.cli.data import data
from caedsl.cli.decode import decode
from caedsl.cli.doctor import doctor
from caedsl.cli.emit import emit
from caedsl.cli.encode import encode
from caedsl.cli.evaluate import evaluate
from caedsl.cli.exit_codes import COULD_NOT_RUN, FINE
from caedsl.cli.export import export
from caedsl.cli.graph import graph
from caedsl.cli.import_ import import_
from caedsl.cli.new import new
from caedsl.cli.reconstruct import reconstruct
from caedsl.cli.report import report
from caedsl.cli.rule import rule
from caedsl.cli.runs import runs
from caedsl.cli.sample import sample
from caedsl.cli.score import score
from caedsl.cli.show import show
from caedsl.cli.train import train
from caedsl.machine.memory import own_process, refuse_less_than_pytorch_needs
from caedsl.version import __version__

_HELP = {"help_option_names": ["--help", "-h"]}
_PASSED_ON = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}

_WITHOUT_PYTORCH = ("check", "fmt", "rule", "show", "graph", "emit", "runs", "new")
"""Commands that import no PyTorch."""

app = typer.Typer(
    name="caedsl",
    help="Check, draw, emit and train convolutional autoencoders from compact specs.",
    epilog="Example: caedsl new digits && caedsl train digits.cae",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=_HELP,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"caedsl {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Check, draw, emit and train convolutional autoencoders from compact specs."""
    if context.invoked_subcommand not in _WITHOUT_PYTORCH:
        refuse_less_than_pytorch_needs()


@app.command(context_settings=_PASSED_ON, cls=PassedOn)
def check(
    context: typer.Context,
    words: Annotated[list[str] | None, typer.Argument(metavar="PATH…", autocompletion=complete_check)] = None,
) -> None:
    """Find mistakes in specs before training."""
    from caedsl.cli.check import run as check_specs

    raise typer.Exit(check_specs([*(words or ()), *context.args]))


@app.command(context_settings=_PASSED_ON, cls=PassedOn)
def fmt(
    context: typer.Context,
    words: Annotated[list[str] | None, typer.Argument(metavar="PATH…", autocompletion=complete_fmt)] = None,
) -> None:
    """Format specs: white space and spelling."""
    from caedsl.cli.fmt import run as format_specs

    raise typer.Exit(format_specs([*(words or ()), *context.args]))


_SPEC_ERRORS = "errors in the spec"
_COMMANDS = (
    (rule, "Explain a rule.", "rule overcomplete", ""),
    (show, "Show the layers, sizes and settings.", "show specs/digits.cae", _SPEC_ERRORS),
    (graph, "Draw the architecture.", "graph specs/digits.cae -o digits.svg", _SPEC_ERRORS),
    (emit, "Write the model as plain PyTorch code.", "emit specs/digits.cae -o digits.py", _SPEC_ERRORS),
    (
        data,
        "Summarise the data of a spec.",
        "data specs/digits.cae -o samples.png",
        f"{_SPEC_ERRORS}, unusable files, or the same sample in two parts",
    ),
    (
        train,
        "Train a model, or resume a run.",
        "train specs/digits.cae --epochs 5",
        f"{_SPEC_ERRORS}, or a monitor stopped the run",
    ),
    (
        doctor,
        "Find out why a model fails to train.",
        "doctor digits.cae --budget 1min --html why.html",
        "a problem was found",
    ),
    (
        evaluate,
        "Evaluate a run again, or on anomalies.",
        "evaluate runs/parts --test parts/test --score top=1%",
        "the result differs from metrics.json",
    ),
    (report, "Write a report of a run as HTML.", "report runs/parts -o parts.html", ""),
    (compare, "Compare finished runs.", "compare runs/small runs/large --markdown", ""),
    (reconstruct, "Reconstruct or denoise images.", "reconstruct runs/parts photos/ -o clean", ""),
    (encode, "Write the codes of samples as a table.", "encode runs/digits -o codes.npz", ""),
    (decode, "Decode codes.", "decode runs/digits codes.npz -o decoded", ""),
    (sample, "Draw new samples from a variational code.", "sample runs/vae -o samples", ""),
    (calibrate, "Set the threshold for anomalies.", "calibrate runs/parts good/ --fpr 1%", ""),
    (score, "Compute anomaly scores of samples.", "score runs/parts new/ --csv scores.csv", "there is an anomaly"),
    (
        export,
        "Export to ONNX, torch.export or a folder.",
        "export runs/parts -o scorer.onnx --part scorer",
        "",
    ),
    (runs, "List runs and their state.", "runs", ""),
    (
        import_,
        "Import a PyTorch, ONNX or Keras model.",
        "import model.py:Net --input 1x28x28 -o net.cae",
        "a spec cannot express the model",
    ),
    (new, "Create a commented spec.", "new parts --template photos", ""),
)
"""Commands with their summary in the list, an example, and the meaning of exit code 1, if they use it."""

for command, summary, example, findings in _COMMANDS:
    # The list of commands truncates longer texts.
    app.command(
        name=command.__name__.rstrip("_"),
        short_help=summary,
        epilog=f"Example: caedsl {example}\n\n{exit_codes(findings)}",
        context_settings=_HELP,
        cls=Command,
    )(command)


@cache
def _built() -> Any:
    """Return the commands with their parameters, which typer would otherwise build again for each call."""
    return typer.main.get_command(app)


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code, which is 2 for wrong usage."""
    if not arguments:
        _built()(args=["--help"], prog_name="caedsl", standalone_mode=False)
        return COULD_NOT_RUN
    functions = {command.__name__.rstrip("_"): command for command, *_ in _COMMANDS}
    if not arguments[0].startswith("-") and arguments[0] not in ("check", "fmt", *functions):
        complain(f"{unknown('command', arguments[0], ['check', 'fmt', *functions])}; see `caedsl --help`")
        return COULD_NOT_RUN
    try:
        with own_process():
            code = _built()(args=list(arguments), prog_name="caedsl", standalone_mode=False)
    except typer.Abort:
        raise KeyboardInterrupt from None
    except Exception as error:
        # Typer has no public base class for its usage errors; they are the errors that have a `show` method.
        if not hasattr(error, "show") or not hasattr(error, "message"):
            raise
        complain(usage_error(error, functions, arguments))
        return COULD_NOT_RUN
    return code if isinstance(code, int) else FINE
