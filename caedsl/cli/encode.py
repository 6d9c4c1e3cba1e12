"""``caedsl encode``: the codes of samples as a table."""

from pathlib import Path
from typing import Annotated

import typer

from caedsl.cli.outputs import Overwrite, Run, refuse_existing, write_new
from caedsl.cli.train import Device, outside_errors


def encode(
    run: Run,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="Ends in .npz, .parquet or .csv.")
    ] = Path("codes.npz"),
    path: Annotated[
        Path | None,
        typer.Argument(metavar="[PATH]", help="An image, a folder or an array file; the run's own data by default."),
    ] = None,
    split: Annotated[
        str, typer.Option(metavar="PARTS", help="Which parts of the run's own data: train,validation,test.")
    ] = "train,validation,test",
    data_dir: Annotated[Path | None, typer.Option(metavar="DIR", help="Where the run's own data lie.")] = None,
    overwrite: Overwrite = False,
    device: Annotated[Device, typer.Option(help="Where to compute.")] = Device.AUTO,
) -> None:
    """Encode samples: a table of names, labels and codes.

    ``npz`` holds arrays `names`, `labels` and `codes`; ``parquet`` and ``csv`` have the columns name, label, z0, z1 and
    so on.
    """
    from caedsl.cli.specs import fail
    from caedsl.console.progress import make_reporter
    from caedsl.inference.own_data import PARTS, own_data
    from caedsl.inference.samples import Joined, Samples
    from caedsl.inference.tables import CODE_FORMATS, codes_bytes
    from caedsl.inference.trained_run import open_trained

    if output.suffix not in CODE_FORMATS:
        raise fail(f"{output} names no format of codes: end it in {', '.join(CODE_FORMATS)}")
    refuse_existing(output, overwrite)
    wanted = [part.strip() for part in split.split(",")]
    if unknown := [part for part in wanted if part not in PARTS]:
        raise fail(f'--split {split}: there is no part "{unknown[0]}"; parts are {", ".join(PARTS)}')
    with outside_errors():
        opened = open_trained(run, device.value)
        chosen: Samples
        if path is not None:
            chosen = opened.samples(path)
        else:
            parts = own_data(run, data_dir, make_reporter(quiet=True))
            if not parts.keys() & set(wanted):
                raise fail(f"the data of {run} have none of the parts {split}: they have {', '.join(parts)}")
            chosen = Joined([parts[part] for part in wanted if part in parts])
        codes = opened.encode(chosen)
    write_new(output, codes_bytes(output, chosen.names, chosen.labels, codes), overwrite)
    typer.echo(f"encoded {len(chosen):,} samples into {output}: {codes[0].size} numbers each")
