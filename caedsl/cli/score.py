"""``caedsl score``: computes anomaly scores of samples."""

import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caedsl.cli.completion import complete_scores
from caedsl.cli.device import Device, DeviceOption
from caedsl.cli.environment_errors import outside_errors
from caedsl.cli.outputs import Overwrite, Run, filled, new_output
from caedsl.cli.sample_arguments import samples_at, say_notes
from caedsl.diagnostics.text import printable

if TYPE_CHECKING:
    from caedsl.inference.output_folder import OutputFolder
    from caedsl.inference.samples import Samples
    from caedsl.inference.trained_run import TrainedRun

_HEADER = ("name", "score", "percentile", "verdict")


def score(
    run: Run,
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH", help="Images, folders or array files; - reads names from standard input, one per line."
        ),
    ],
    kind: Annotated[
        str | None,
        typer.Option(
            "--score",
            metavar="KIND",
            help="The anomaly score: mse, mae, top=1%, ssim, latent or blurmax; default: as calibrated.",
            autocompletion=complete_scores,
        ),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a CSV file instead of printing a table; - prints CSV.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")] = False,
    maps: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write an error map NAME.png for each sample.")
    ] = None,
    overwrite: Overwrite = False,
    device: DeviceOption = Device.AUTO,
) -> None:
    """Score samples by how badly the model reconstructs them; a higher score is more abnormal.

    After `caedsl calibrate`, each sample also has a percentile among the normal samples and a verdict, and the exit
    code is 1 if there is an anomaly.
    """
    from caedsl.cli.exit_codes import FINDINGS
    from caedsl.cli.specs import fail
    from caedsl.inference.opening import open_trained
    from caedsl.inference.scores import ScoreError
    from caedsl.inference.tables import csv_bytes, json_lines

    with (
        outside_errors(),
        new_output(csv, overwrite) if csv is not None else nullcontext() as file,
        filled(maps, overwrite) if maps is not None else nullcontext() as folder,
    ):
        opened = open_trained(run, device.value)
        try:
            rows = [row for path in paths for row in _scored(opened, samples_at(opened, path), kind, folder)]
        except ScoreError as error:
            raise fail(f"--score: {error}") from None
        if file is not None:
            file.write(csv_bytes([_HEADER, *rows]))
    if json_:
        sys.stdout.write(json_lines(_HEADER, rows))
    elif csv is None:
        _print(rows)
    if any(row[3] == "anomaly" for row in rows):
        raise typer.Exit(FINDINGS)


def _scored(
    run: "TrainedRun", samples: "Samples", kind: str | None, maps: "OutputFolder | None"
) -> Iterator[tuple[str, float, float | None, str | None]]:
    from caedsl.inference.picture_files import picture_bytes
    from caedsl.inference.pictures import heat

    chosen, calibration = run.chosen_score(kind), run.calibration
    threshold_applies = calibration is not None and str(chosen) == calibration.score
    for batch in run.stream(samples):
        compared = run.compare(batch, chosen)
        scores = chosen.kind.of(compared, chosen.parameter).cpu().double().numpy()
        error_maps = chosen.kind.map(compared) if maps is not None else None
        for offset, value in enumerate(scores.tolist()):
            name = samples.names[batch.place.start + offset]
            if maps is not None and error_maps is not None:
                maps.write(maps.claim(name, ".png"), picture_bytes(heat(error_maps[offset])))
            if calibration is None or not threshold_applies:
                yield name, value, None, None
                continue
            single_score = scores[offset : offset + 1]
            (percentile,), (anomalous,) = calibration.percentile(single_score), calibration.is_anomaly(single_score)
            yield name, value, round(float(percentile), 2), "anomaly" if anomalous else "normal"
    say_notes(samples)


def _print(rows: list[tuple[str, float, float | None, str | None]]) -> None:
    has_verdicts = any(row[3] is not None for row in rows)
    names = [printable(row[0]) for row in rows]
    width = max(map(len, names), default=0)
    print(f"{'name':{width}}  {'score':>12}" + ("  percentile  verdict" if has_verdicts else ""))
    for name, (_, value, percentile, verdict) in zip(names, rows, strict=True):
        print(f"{name:{width}}  {value:12.6g}" + (f"  {percentile:10.1f}  {verdict}" if has_verdicts else ""))
