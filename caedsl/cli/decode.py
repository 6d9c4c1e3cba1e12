"""``caedsl decode``: codes back to samples."""

from pathlib import Path
from typing import Annotated

import typer

from caedsl.cli.outputs import Overwrite, Run, new_folder, refuse_existing, write_new
from caedsl.cli.train import Device, outside_errors


def decode(
    run: Run,
    codes: Annotated[Path, typer.Argument(metavar="CODES", help="What `encode` wrote, or an npy of codes.")],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="PLACE", help="A folder for pictures, or a file that ends in .npy."),
    ],
    overwrite: Overwrite = False,
    device: Annotated[Device, typer.Option(help="Where to compute.")] = Device.AUTO,
) -> None:
    """Decode codes: to one picture each in a folder, or to one array of values in the input's range."""
    from caedsl.cli.specs import fail
    from caedsl.inference.pictures import write_decoded
    from caedsl.inference.tables import array_bytes, read_codes
    from caedsl.inference.trained_run import open_trained

    with outside_errors():
        opened = open_trained(run, device.value)
        as_array = output.suffix == ".npy"
        if as_array:
            refuse_existing(output, overwrite)
        try:
            names, values = read_codes(codes)
            decoded = opened.decode(values)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise fail(f"{codes} cannot be decoded: {reason}; `caedsl encode` writes codes") from None
        if as_array:
            write_new(output, array_bytes(decoded), overwrite)
        else:
            write_decoded(new_folder(output, overwrite), names, decoded, opened.fit)
    typer.echo(f"decoded {len(names):,} codes into {output}")
