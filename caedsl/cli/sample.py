"""``caedsl sample``: draws new samples from a variational code."""

from pathlib import Path
from typing import Annotated

import typer

from caedsl.cli.device import Device, DeviceOption
from caedsl.cli.environment_errors import outside_errors
from caedsl.cli.outputs import Overwrite, Run, refuse_existing, say, write_samples
from caedsl.diagnostics.text import counted


def sample(
    run: Run,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="DIR|FILE.npy", help="A folder for pictures, or an array file."),
    ],
    count: Annotated[
        int, typer.Option("-n", "--count", metavar="N", min=1, max=1_000_000, help="The number of samples.")
    ] = 16,
    seed: Annotated[int, typer.Option(metavar="N", min=0, max=2**63 - 1, help="The seed of the random numbers.")] = 0,
    overwrite: Overwrite = False,
    device: DeviceOption = Device.AUTO,
) -> None:
    """Draw codes from the prior of a variational code, a standard normal distribution, and decode them."""
    from caedsl.inference.opening import open_trained

    with outside_errors():
        opened = open_trained(run, device.value)
        if output.suffix.lower() == ".npy":
            refuse_existing(output, overwrite)
        made = opened.sample(count, seed)
        names = [f"{number:0{len(str(count))}d}" for number in range(1, count + 1)]
        write_samples(output, names, made, opened.out_fit, overwrite)
    say(f"wrote {counted(count, 'sample')} to {output}")
