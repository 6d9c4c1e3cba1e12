"""``caedsl decode``: decodes codes to samples."""

from pathlib import Path
from typing import Annotated

import typer

from caedsl.cli.device import Device, DeviceOption
from caedsl.cli.environment_errors import outside_errors
from caedsl.cli.files import STANDARD_INPUT
from caedsl.cli.outputs import Overwrite, Run, refuse_existing, say, write_samples
from caedsl.cli.sample_arguments import read_standard_input
from caedsl.diagnostics.text import counted


def decode(
    run: Run,
    codes: Annotated[
        Path,
        typer.Argument(
            metavar="CODES", help="The output of `encode`, an .npy file of codes, or - for CSV on standard input."
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="DIR|FILE.npy", help="A folder for pictures, or an array file."),
    ],
    overwrite: Overwrite = False,
    device: DeviceOption = Device.AUTO,
) -> None:
    """Decode codes into a folder with one picture for each, or into a single array with values in the input's range."""
    from caedsl.cli.specs import fail
    from caedsl.inference.code_files import parse_codes, read_codes
    from caedsl.inference.opening import open_trained

    with outside_errors():
        opened = open_trained(run, device.value)
        if output.suffix.lower() == ".npy":
            refuse_existing(output, overwrite)
        if str(codes) == STANDARD_INPUT:
            names, values = parse_codes(read_standard_input("codes", "a file"), "<stdin>")
        else:
            names, values = read_codes(codes)
        try:
            decoded = opened.decode(values)
        except ValueError as error:
            raise fail(f"{codes} cannot be decoded: {error}; `caedsl encode` writes codes") from None
        write_samples(output, names, decoded, opened.out_fit, overwrite)
    say(f"decoded {counted(len(names), 'code')} into {output}")
