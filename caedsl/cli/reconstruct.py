"""``caedsl reconstruct``: images through a trained model, into files like the originals."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from caedsl.cli.outputs import Overwrite, Run, filled
from caedsl.cli.train import Device, outside_errors


class Scale(StrEnum):
    """Size in which images go through a convolutional model."""

    OWN = "own"
    INPUT = "input"


def reconstruct(
    run: Run,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="An image, or a folder of images.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="The folder to write to.")],
    error_maps: Annotated[
        bool, typer.Option("--error-maps", help="Write NAME.error.png too: where input and output differ.")
    ] = False,
    scale: Annotated[
        Scale, typer.Option(help="Whether larger images go through a convolutional model in their own size.")
    ] = Scale.OWN,
    overwrite: Overwrite = False,
    device: Annotated[Device, typer.Option(help="Where to compute.")] = Device.AUTO,
) -> None:
    """Reconstruct images: each comes back under its name, in its own size and bit depth.

    With a model that was trained to denoise, this denoises them. A convolutional model takes images that are larger
    than its input as they are, tile by tile; other models, and smaller images, go through the size of the input.
    """
    from caedsl.cli.specs import fail
    from caedsl.inference.pictures import write_reconstruction
    from caedsl.inference.trained_run import open_trained

    with outside_errors():
        opened = open_trained(run, device.value)
        samples = opened.samples(path)
        if samples.files is None:
            raise fail(f"{path} holds an array, not images: `caedsl.open(...).reconstruct(array)` returns an array")
        native = 0
        with filled(output, overwrite) as folder:
            for name, file in zip(samples.names, samples.files, strict=True):
                made = opened.reconstruct_file(file, at_input=scale is Scale.INPUT)
                write_reconstruction(folder, name, made, error_maps)
                native += made.native
    how = f", {native} in their own size" if native else ""
    typer.echo(f"reconstructed {len(samples)} image{'s' * (len(samples) != 1)} into {output}{how}")
