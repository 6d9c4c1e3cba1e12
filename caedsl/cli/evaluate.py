"""``caedsl evaluate``: a run judged once more, from its folder alone."""

from pathlib import Path
from typing import Annotated

import typer

from caedsl.cli.train import Device, outside_errors


def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")],
    device: Annotated[Device, typer.Option(help="Where to evaluate; auto is where the run was.")] = Device.AUTO,
    data_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where its data lie; by default where they lay.")
    ] = None,
    baselines: Annotated[bool, typer.Option(help="Compare with the mean image and PCA.")] = True,
    data_root: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Refuse paths of the spec, or of the run, that lead out of this folder."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors and differences.")] = False,
) -> None:
    """Evaluate a run again, and say whether the result agrees with its metrics.json (exit code 1 where it does not)."""
    import sys

    from caedsl.cli.exit_codes import FINDINGS
    from caedsl.console.progress import make_reporter
    from caedsl.evaluation.again import evaluate_again
    from caedsl.evaluation.summary import table

    reporter = make_reporter(quiet)
    with outside_errors():
        again = evaluate_again(
            run,
            device=device.value,
            data_dir=data_dir,
            data_root=data_root,
            reporter=reporter,
            baselines=baselines,
        )
    table(again.evaluation, probabilities=again.evaluation.model.bce is not None, reporter=reporter)
    if again.differences:
        print(f"caedsl: this differs from {run / 'metrics.json'}:", file=sys.stderr)
        print("\n".join(f"  {line}" for line in again.differences), file=sys.stderr)
        raise typer.Exit(FINDINGS)
    reporter.result(f"all of it agrees with {run / 'metrics.json'}, to the last digit")
