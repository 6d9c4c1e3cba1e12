"""``caedsl evaluate``: evaluates a run again, or on labelled samples."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caedsl.cli.argument_parser import complain
from caedsl.cli.completion import complete_scores
from caedsl.cli.device import Device
from caedsl.cli.environment_errors import outside_errors
from caedsl.cli.sample_arguments import files_at

if TYPE_CHECKING:
    from caedsl.training.reporter import Reporter


def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")],
    test: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Labelled samples: a folder (normal samples in good/, a subfolder for each type of anomaly); a CSV or "
            "Parquet table with the columns path, label and mask; a data line with labels; or - for names of images on "
            "standard input, whose folders are their types.",
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            "--score",
            metavar="KIND",
            help="The anomaly score: mse, mae, top=1%, ssim, latent or blurmax; default: as calibrated.",
            autocompletion=complete_scores,
        ),
    ] = None,
    probe: Annotated[
        bool,
        typer.Option(
            "--probe", help="Predict the classes from the codes (5-NN and a linear probe), and count dead units."
        ),
    ] = False,
    sweep: Annotated[
        str | None,
        typer.Option(
            metavar="RANGE", help="Evaluate a denoiser with several amounts of a corruption: gaussian=0.1..0.5."
        ),
    ] = None,
    device: Annotated[Device, typer.Option(help="The device; auto is the device of the run.")] = Device.AUTO,
    data_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The folder of the data; default: the folder used for training.")
    ] = None,
    baselines: Annotated[bool, typer.Option(help="Compare with the mean image and PCA.")] = True,
    data_root: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Reject paths in the spec or the run that lead out of this folder."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print only errors and differences.")] = False,
) -> None:
    """Evaluate a run again and compare the result with its metrics.json (exit code 1 if they differ).

    With --test, or for a run that was trained on one class (only=), evaluate the detection of anomalies, and write
    anomalies.json and anomalies.csv to the run folder. With --probe, evaluate how well the codes predict the classes.
    With --sweep, show PSNR and SSIM for each amount of a corruption, and write sweep.json to the run folder.
    """
    from caedsl.cli.specs import fail
    from caedsl.console.progress import make_reporter

    reporter = make_reporter(quiet)
    if sweep is not None:
        if probe or test is not None or kind is not None:
            raise fail("--sweep cannot be combined with --probe, --test or --score: remove them")
        _sweep(run, sweep, device, data_dir, data_root, reporter)
        return
    if probe:
        if test is not None or kind is not None:
            raise fail("--probe evaluates classes, but --test and --score evaluate anomalies: remove one of them")
        _probe(run, device, data_dir, data_root, reporter)
        return
    if test is not None:
        _find_anomalies(run, test, kind, device, data_dir, data_root, reporter)
        return
    with outside_errors():
        one_class = _one_class(run, data_dir)
    if one_class:
        _find_anomalies(run, None, kind, device, data_dir, data_root, reporter)
    elif kind is not None:
        raise fail("--score is a score for anomalies: add labelled samples with --test PATH")
    _reevaluate(run, device, data_dir, data_root, baselines, reporter)


def _probe(run: Path, device: Device, data_dir: Path | None, data_root: Path | None, reporter: "Reporter") -> None:
    from caedsl.evaluation.representation import represent, show

    with outside_errors():
        representation = represent(run, device.value, data_dir, reporter, data_root)
    show(representation, reporter)


def _sweep(
    run: Path, text: str, device: Device, data_dir: Path | None, data_root: Path | None, reporter: "Reporter"
) -> None:
    from caedsl.cli.specs import fail
    from caedsl.evaluation.corruption_sweep import SweepError, read_range, show, sweep, sweep_json
    from caedsl.runs.confined import write_file
    from caedsl.runs.file_names import SWEEP

    try:
        range_ = read_range(text)
    except SweepError as error:
        raise fail(f"--sweep {error}") from None
    with outside_errors():
        result = sweep(run, range_, device.value, data_dir, reporter, data_root)
    show(result, reporter)
    try:
        write_file(run, SWEEP, sweep_json(result))
    except OSError as error:
        raise fail(f"{run / SWEEP} cannot be written ({error.strerror}): make the folder writable") from None


def _one_class(run: Path, data_dir: Path | None) -> bool:
    from caedsl.training.stored_run import open_run

    return any(source.only is not None for source in open_run(run, data_dir).model.data)


def _reevaluate(
    run: Path, device: Device, data_dir: Path | None, data_root: Path | None, baselines: bool, reporter: "Reporter"
) -> None:
    from caedsl.cli.exit_codes import FINDINGS
    from caedsl.evaluation.reevaluation import evaluate_again
    from caedsl.evaluation.run_summary import table

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
        complain(f"these values differ from {run / 'metrics.json'}:", *(f"  {line}" for line in again.differences))
        raise typer.Exit(FINDINGS)
    reporter.result(f"all values agree with {run / 'metrics.json'}")


def _find_anomalies(
    run: Path,
    test: Path | None,
    kind: str | None,
    device: Device,
    data_dir: Path | None,
    data_root: Path | None,
    reporter: "Reporter",
) -> None:
    import json

    from caedsl.cli.specs import fail
    from caedsl.diagnostics.json import finite
    from caedsl.evaluation.anomalies import evaluate_anomalies
    from caedsl.evaluation.anomaly_results import show
    from caedsl.inference.scores import ScoreError
    from caedsl.inference.tables import csv_bytes
    from caedsl.runs.confined import write_file
    from caedsl.runs.file_names import ANOMALIES, ANOMALY_SCORES

    with outside_errors():
        try:
            evaluation = evaluate_anomalies(
                run,
                None if test is None else files_at(test),
                kind,
                device=device.value,
                data_dir=data_dir,
                data_root=data_root,
                reporter=reporter,
            )
        except ScoreError as error:
            raise fail(f"--score: {error}") from None
    content = json.dumps(finite(evaluation.as_json()), indent=2) + "\n"
    try:
        write_file(run, ANOMALIES, content.encode())
        write_file(run, ANOMALY_SCORES, csv_bytes(evaluation.table()))
    except OSError as error:
        raise fail(f"cannot write to {run} ({error.strerror}): make it writable") from None
    show(evaluation, reporter)
    if evaluation.model.threshold is None:
        reporter.result(f"no threshold yet: `caedsl calibrate {run} GOOD` sets one on normal samples")
    reporter.result(f"scores   {run / ANOMALY_SCORES}")
