"""``caedsl reconstruct``: images through a trained model, into files like the originals."""

from pathlib import Path
from typing import Annotated

import typer

from caedsl.cli.outputs import Overwrite, Run, new_folder
from caedsl.cli.train import Device, outside_errors


def reconstruct(
    run: Run,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="An image, or a folder of images.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="The folder to write to.")],
    error_maps: Annotated[
        bool, typer.Option("--error-maps", help="Write NAME.error.png too: where input and output differ.")
    ] = False,
    overwrite: Overwrite = False,
    device: Annotated[Device, typer.Option(help="Where to compute.")] = Device.AUTO,
) -> None:
    """Reconstruct images: each comes back under its name, in its own size and bit depth.

    With a model that was trained to denoise, this denoises them.
    """
    from caedsl.cli.specs import fail
    from caedsl.inference.pictures import file_for, heat, read_original, restored, write_picture
    from caedsl.inference.trained_run import open_trained

    with outside_errors():
        opened = open_trained(run, device.value)
        samples = opened.samples(path)
        if samples.files is None:
            raise fail(f"{path} holds an array, not images: `caedsl.open(...).reconstruct(array)` returns an array")
        folder = new_folder(output, overwrite)
        white = opened.model.data[0].white if opened.model.data else None
        for batch in opened.stream(samples):
            for offset, x_chw in enumerate(batch.reconstruction):
                place = batch.place.start + offset
                pixels = restored(x_chw, read_original(samples.files[place], white), opened.fit)
                name = file_for(samples.names[place], pixels)
                try:
                    write_picture(folder / name, pixels)
                    if error_maps:
                        difference = (opened.values.to_unit(x_chw) - opened.values.to_unit(batch.target[offset])).abs()
                        write_picture(folder / f"{name}.error.png", heat(difference.mean(dim=0)))
                except OSError as error:
                    raise fail(f"{folder / name} cannot be written ({error.strerror or error})") from None
    typer.echo(f"reconstructed {len(samples)} image{'s' * (len(samples) != 1)} into {folder}")
