"""``caedsl encode``: encodes samples to a table of codes."""

from pathlib import Path
from typing import Annotated

import typer

from caedsl.cli.device import Device, DeviceOption
from caedsl.cli.environment_errors import outside_errors
from caedsl.cli.outputs import Overwrite, Run, is_standard_output, new_output, refuse_existing, say
from caedsl.cli.sample_arguments import samples_at, say_notes
from caedsl.diagnostics.text import counted


def encode(
    run: Run,
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", metavar="FILE", help="The output file; ends in .npz, .parquet or .csv; - prints CSV."
        ),
    ] = Path("codes.npz"),
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="PATH",
            help="An image, a folder, an array file, or - for names on standard input; default: the run's data.",
        ),
    ] = None,
    split: Annotated[
        str, typer.Option(metavar="PARTS", help="The parts of the run's data: train,validation,test.")
    ] = "train,validation,test",
    data_dir: Annotated[Path | None, typer.Option(metavar="DIR", help="The folder of the run's data.")] = None,
    overwrite: Overwrite = False,
    device: DeviceOption = Device.AUTO,
) -> None:
    """Encode samples, and write a table of their names, labels and codes.

    An npz file contains the arrays `names`, `labels` and `codes`; parquet and csv files have the columns name, label,
    z0, z1 and so on.
    """
    from caedsl.cli.specs import fail
    from caedsl.console.progress import make_reporter
    from caedsl.inference.opening import open_trained
    from caedsl.inference.own_data import PARTS, own_data
    from caedsl.inference.samples import Joined, Samples
    from caedsl.inference.tables import CODE_FORMATS, CSV, write_codes
    from caedsl.vocabulary.shape import elements

    ending = CSV if is_standard_output(output) else output.suffix.lower()
    if ending not in CODE_FORMATS:
        raise fail(f"{output} has no known ending for codes: use {', '.join(CODE_FORMATS)}")
    refuse_existing(output, overwrite)
    wanted = [part.strip() for part in split.split(",")]
    if unknown := [part for part in wanted if part not in PARTS]:
        raise fail(f'--split {split}: unknown part "{unknown[0]}"; parts are {", ".join(PARTS)}')
    with outside_errors():
        opened = open_trained(run, device.value)
        chosen: Samples
        if path is not None:
            chosen = samples_at(opened, path)
        else:
            parts = own_data(run, data_dir, make_reporter(quiet=True))
            if not parts.keys() & set(wanted):
                raise fail(f"the data of {run} have none of the parts {split}: they have {', '.join(parts)}")
            chosen = Joined([parts[part] for part in wanted if part in parts])
        codes = (part.cpu().numpy() for part in opened.codes(chosen))
        with new_output(output, overwrite) as file:
            write_codes(file, ending, chosen.names, chosen.labels, codes)
    numbers = counted(elements(opened.model.code_shape), "number")
    say(f"encoded {counted(len(chosen), 'sample')} into {output}: {numbers} each", err=is_standard_output(output))
    say_notes(chosen)
