"""``caedsl export``: a trained model for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from caedsl.cli.outputs import Overwrite, Run, new_folder, refuse_existing, write_new
from caedsl.cli.train import Device, outside_errors


def export(
    run: Run,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="PLACE", help="NAME.onnx, NAME.pt2, or a folder to share the model."),
    ],
    part: Annotated[str, typer.Option(metavar="PART", help="full, encoder, decoder or scorer.")] = "full",
    kind: Annotated[
        str | None,
        typer.Option("--score", metavar="KIND", help="The scorer's: mse, mae, top=1%, ssim, latent, blurmax."),
    ] = None,
    samples: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Real samples to test the file on; the run's own held-out data by default."),
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(metavar="DIR", help="Where the run's own data lie.")] = None,
    push: Annotated[
        str | None,
        typer.Option(metavar="OWNER/NAME", help="Upload the folder to this repository of the Hugging Face hub."),
    ] = None,
    overwrite: Overwrite = False,
    device: Annotated[Device, typer.Option(help="Where to compute.")] = Device.CPU,
) -> None:
    """Export a trained model: ONNX, torch.export, or a folder with spec, weights and model card.

    A file is kept only if it computes what the run computes on real samples; how far it is off stands in its metadata.
    A convolutional model takes samples of any size that it fits: the sizes stand in the metadata too. The scorer takes
    bytes 0..255 of the input's size and returns a score and an error map; its threshold stays outside, in
    calibration.json.
    """
    from caedsl.cli.specs import fail
    from caedsl.export.files import export as exported
    from caedsl.export.files import format_of
    from caedsl.export.parts import part_named
    from caedsl.export.real_samples import real_samples
    from caedsl.inference.scores import ScoreError, read_score
    from caedsl.inference.trained_run import open_trained

    if not output.suffix or output.is_dir():
        _share(run, output, push, overwrite)
        return
    if push is not None:
        raise fail("--push uploads a folder: name one with -o")
    refuse_existing(output, overwrite)
    with outside_errors():
        format_ = format_of(output)
        opened = open_trained(run, device.value)
        try:
            chosen = part_named(part)
            score = opened.chosen_score(kind) if chosen.scores else read_score("mse")
        except (ScoreError, ValueError) as error:
            raise fail(str(error)) from None
        batch, measured_on = real_samples(opened, samples, data_dir)
        done = exported(opened, chosen, score, format_, batch, measured_on)
    write_new(output, done.content, overwrite)
    parity = done.parity
    typer.echo(
        f"wrote {output}: {chosen.about}, {done.sizes}; differs from the run by {parity.largest:.2g} at most, on "
        f"{parity.samples} samples of {parity.measured_on}"
    )


def _share(run: Path, output: Path, push: str | None, overwrite: bool) -> None:
    from caedsl.cli.specs import fail
    from caedsl.export.card import shared_files
    from caedsl.inference.trained_run import open_trained

    with outside_errors():
        opened = open_trained(run, "cpu")
        try:
            files = shared_files(opened)
        except OSError as error:
            raise fail(f"{run} cannot be read ({error.strerror})") from None
    folder = new_folder(output, overwrite)
    for name, content in files.items():
        write_new(folder / name, content, overwrite)
    typer.echo(f"wrote {folder}: {', '.join(files)}")
    if push is not None:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError

        try:
            api = HfApi()
            api.create_repo(push, exist_ok=True)
            api.upload_folder(repo_id=push, folder_path=folder)
        except (HfHubHTTPError, OSError, ValueError) as error:
            raise fail(f"{push} was not uploaded: {str(error).splitlines()[0]}; the folder {folder} is whole") from None
        typer.echo(f"uploaded to {push}")
