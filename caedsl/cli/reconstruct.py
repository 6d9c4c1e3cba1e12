"""``caedsl reconstruct``: passes images through a trained model and writes them like the originals."""

from collections import Counter
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caedsl.cli.device import Device, DeviceOption
from caedsl.cli.environment_errors import outside_errors
from caedsl.cli.outputs import Overwrite, Run, filled, new_folder, new_output, new_parents, refuse_existing, say
from caedsl.cli.sample_arguments import samples_at, say_notes
from caedsl.diagnostics.text import counted

if TYPE_CHECKING:
    from caedsl.inference.samples import Samples, StackSamples
    from caedsl.inference.trained_run import TrainedRun

_ENDINGS = (".npy", ".npz")
_MAPS = ".error.npy"


class ReconstructionSize(StrEnum):
    """Size at which images pass through a convolutional model."""

    OWN = "own"
    INPUT = "input"


def reconstruct(
    run: Run,
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH",
            help="An image, a folder of images, an array file, a data line, or - for names on standard input.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="The output folder; for an array also NAME.npy.")
    ],
    error_maps: Annotated[
        bool,
        typer.Option(
            "--error-maps", help="Also write NAME.error.png, the map of differences between input and output."
        ),
    ] = False,
    scale: Annotated[
        ReconstructionSize,
        typer.Option(
            help="The size at which a convolutional model processes larger images: their own, or the input's."
        ),
    ] = ReconstructionSize.OWN,
    overwrite: Overwrite = False,
    device: DeviceOption = Device.AUTO,
) -> None:
    """Reconstruct images with the same names, sizes and bit depths.

    A model that was trained to denoise removes the noise. A convolutional model processes images larger than its input
    at their own size, tile by tile; for other models, and if they are smaller, images are resized to the input's
    size and back. A model with one channel returns grey images.

    An array is reconstructed as an array with the layout, the size and the type of the original. A data line is written
    as in a spec: 'npz "scans.npz" key=raw'.
    """
    from caedsl.cli.specs import fail
    from caedsl.inference.opening import open_trained
    from caedsl.inference.pictures import write_reconstruction

    with outside_errors():
        opened = open_trained(run, device.value)
        samples = samples_at(opened, path)
        if error_maps and opened.model.target is not opened.model.input:
            raise fail(
                "this model has separate targets, so outputs cannot be compared with inputs: remove --error-maps"
            )
        if samples.files is None:
            with new_parents(output):
                _reconstruct_arrays(opened, str(path), samples, output, error_maps, overwrite)
            return
        native, remarks = 0, Counter[str]()
        with filled(output, overwrite) as folder:
            for name, file in zip(samples.names, samples.files, strict=True):
                reconstruction = opened.reconstruct_file(file, at_input=scale is ReconstructionSize.INPUT)
                written = write_reconstruction(folder, name, reconstruction, error_maps)
                native += reconstruction.native
                remarks.update(reconstruction.remarks)
                if written != name:
                    remarks[f"of a format that cannot be written here, saved as {Path(written).suffix}"] += 1
    how = f", {native} at their own size" if native else ""
    say(f"reconstructed {counted(len(samples), 'image')} into {output}{how}")
    for remark, count in remarks.items():
        say(f"note: {counted(count, 'image')} {remark}")


def _reconstruct_arrays(
    run: "TrainedRun", given: str, samples: "Samples", output: Path, error_maps: bool, overwrite: bool
) -> None:
    from caedsl.cli.specs import fail
    from caedsl.inference.arrays import key_of
    from caedsl.inference.samples import Joined, StackSamples

    parts = samples.parts if isinstance(samples, Joined) else [samples]
    arrays = [part for part in parts if isinstance(part, StackSamples)]
    key = key_of(given, run)
    if output.suffix.lower() in _ENDINGS:
        if len(arrays) > 1:
            raise fail(f"{given} has {counted(len(arrays), 'part')}, but {output} is one file: name a folder with -o")
        refuse_existing(output, overwrite)
        if error_maps:
            refuse_existing(output.with_suffix(_MAPS), overwrite)
        targets = [output]
    else:
        folder, ending = new_folder(output, overwrite), ".npz" if key else ".npy"
        stem = Path(given).name.split(".")[0] if Path(given).exists() else "reconstructions"
        names = [part.names[0].partition("/")[0] for part in arrays] if len(arrays) > 1 else [stem]
        targets = [folder / f"{name}{ending}" for name in names]
    with ExitStack() as files:
        for part, target in zip(arrays, targets, strict=True):
            _write_arrays(run, part, target, key or "reconstructions", error_maps, files)
    say(f"reconstructed {counted(len(samples), 'sample')} into {', '.join(map(str, targets))}")
    say_notes(samples)


def _write_arrays(
    run: "TrainedRun", samples: "StackSamples", target: Path, key: str, error_maps: bool, files: ExitStack
) -> None:
    """Write the reconstructions of a part; the files appear when ``files`` is closed."""
    from caedsl.inference.arrays import error_blocks, reconstructed_blocks
    from caedsl.inference.tables import write_archive, write_array

    made, count = reconstructed_blocks(run, samples), len(samples)
    file = files.enter_context(new_output(target, overwrite=True))
    if target.suffix.lower() == ".npz":
        write_archive(file, {key: made}, count)
    else:
        write_array(file, made, count)
    if error_maps:
        file = files.enter_context(new_output(target.with_suffix(_MAPS), overwrite=True))
        write_array(file, error_blocks(run, samples), count)
