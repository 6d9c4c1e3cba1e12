"""``caedsl export``: exports a trained model for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from caedsl.cli.completion import complete_parts, complete_scores
from caedsl.cli.device import Device, DeviceOption
from caedsl.cli.environment_errors import outside_errors
from caedsl.cli.outputs import Overwrite, Run, filled, refuse_existing, say, write_new
from caedsl.cli.sample_arguments import files_at


def export(
    run: Run,
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", metavar="FILE|DIR", help="NAME.onnx, NAME.pt2, or a folder for sharing the model."
        ),
    ],
    part: Annotated[
        str,
        typer.Option(
            metavar="PART",
            help="The part of the model: full, encoder, decoder or scorer.",
            autocompletion=complete_parts,
        ),
    ] = "full",
    kind: Annotated[
        str | None,
        typer.Option(
            "--score",
            metavar="KIND",
            help="The scorer's anomaly score: mse, mae, top=1%, ssim, latent or blurmax.",
            autocompletion=complete_scores,
        ),
    ] = None,
    samples: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Real samples for testing the file, or - for names on standard input; default: the run's held-out "
            "data.",
        ),
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(metavar="DIR", help="The folder of the run's data.")] = None,
    push: Annotated[
        str | None,
        typer.Option(metavar="OWNER/NAME", help="Upload the folder to this repository on the Hugging Face Hub."),
    ] = None,
    overwrite: Overwrite = False,
    device: DeviceOption = Device.CPU,
) -> None:
    """Export a trained model to ONNX, torch.export, or a folder with spec, weights and model card.

    A file is kept only if it returns the same values as the run on real samples; the largest difference is in its
    metadata. A convolutional model accepts samples of other sizes, which are in its metadata. The scorer takes samples
    of the input's size as they are stored, bytes or 16-bit integers (for real numbers: in the input's range), and
    returns a score and an error map; its threshold is in calibration.json, not in the file.
    """
    from caedsl.cli.specs import fail
    from caedsl.export.files import export as exported
    from caedsl.export.files import format_of
    from caedsl.export.parts import part_named
    from caedsl.export.real_samples import real_samples
    from caedsl.inference.opening import open_trained
    from caedsl.inference.scores import ScoreError, read_score

    if not output.suffix or output.is_dir():
        _share(run, output, push, overwrite)
        return
    if push is not None:
        raise fail("--push uploads a folder: name a folder with -o")
    refuse_existing(output, overwrite)
    with outside_errors():
        format_ = format_of(output)
        opened = open_trained(run, device.value)
        try:
            chosen = part_named(part)
            score = opened.chosen_score(kind) if chosen.scores else read_score("mse")
        except (ScoreError, ValueError) as error:
            raise fail(error) from None
        batch, measured_on = real_samples(opened, None if samples is None else files_at(samples), data_dir)
        exported_file = exported(opened, chosen, score, format_, batch, measured_on)
    write_new(output, exported_file.content, overwrite)
    parity = exported_file.parity
    say(
        f"wrote {output}: {exported_file.about}, {exported_file.sizes}; differs from the run by {parity.largest:.2g} "
        f"at most, on {parity.samples} samples of {parity.measured_on}"
    )


def _share(run: Path, output: Path, push: str | None, overwrite: bool) -> None:
    from caedsl.cli.specs import fail
    from caedsl.export.card import shared_files
    from caedsl.inference.opening import open_trained

    with outside_errors():
        opened = open_trained(run, "cpu")
        try:
            files = shared_files(opened)
        except OSError as error:
            raise fail(f"{run} cannot be read ({error.strerror})") from None
    with filled(output, overwrite) as folder:
        for name, content in files.items():
            folder.write(name, content)
    say(f"wrote {output}: {', '.join(files)}")
    if push is not None:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError

        try:
            api = HfApi()
            api.create_repo(push, exist_ok=True)
            api.upload_folder(repo_id=push, folder_path=output)
        except (HfHubHTTPError, OSError, ValueError) as error:
            raise fail(
                f"{push} was not uploaded: {str(error).splitlines()[0]}; the folder {output} is complete"
            ) from None
        say(f"uploaded to {push}")
