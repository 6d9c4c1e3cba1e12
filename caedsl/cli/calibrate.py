"""``caedsl calibrate``: the anomaly threshold, from held-out normal samples."""

from pathlib import Path
from typing import Annotated

import typer

from caedsl.cli.completion import complete_scores
from caedsl.cli.device import Device, DeviceOption
from caedsl.cli.environment_errors import outside_errors
from caedsl.cli.outputs import Run, say
from caedsl.cli.sample_arguments import files_at


def calibrate(
    run: Run,
    good: Annotated[
        Path | None,
        typer.Argument(
            metavar="GOOD",
            help="Normal samples that were not used for training, or - for names on standard input; default: the run's "
            "validation part.",
        ),
    ] = None,
    fpr: Annotated[
        str, typer.Option(metavar="SHARE", help="The share of normal samples that may be classified as anomalies.")
    ] = "1%",
    kind: Annotated[
        str,
        typer.Option(
            "--score",
            metavar="KIND",
            help="The anomaly score: mse, mae, top=1%, ssim, latent or blurmax.",
            autocompletion=complete_scores,
        ),
    ] = "mse",
    data_dir: Annotated[Path | None, typer.Option(metavar="DIR", help="The folder of the run's data.")] = None,
    device: DeviceOption = Device.AUTO,
) -> None:
    """Set the anomaly threshold from normal samples that were not used for training.

    The threshold is saved in calibration.json in the run folder. Make sure that the samples are normal.
    """
    from caedsl.cli.specs import fail
    from caedsl.console.progress import make_reporter
    from caedsl.inference.calibrating import calibrate_run
    from caedsl.inference.calibration import CalibrationError
    from caedsl.inference.scores import ScoreError, read_share

    rate = read_share(fpr)
    if not 0 < rate < 1:
        raise fail(f"--fpr {fpr}: write a share above 0 % and below 100 %, such as 1% or 0.01")
    with outside_errors():
        try:
            calibrated = calibrate_run(
                run,
                None if good is None else files_at(good),
                rate,
                kind,
                device=device.value,
                data_dir=data_dir,
                reporter=make_reporter(quiet=False),
            )
        except ScoreError as error:
            raise fail(f"--score: {error}") from None
        except CalibrationError as error:
            raise fail(error) from None
        except OSError as error:
            raise fail(f"cannot write to {run} ({error.strerror}): make it writable") from None
    say(f"threshold  {calibrated.threshold:.6g}  ({calibrated.score})")
    say(f"normals    {len(calibrated.normals)} held out")
    say(
        f"guarantee  at most {100 * calibrated.fpr:g} % of normal samples exceed it on average; with 95 % confidence "
        f"{100 * calibrated.low:.2g} % to {100 * calibrated.high:.2g} %"
    )
