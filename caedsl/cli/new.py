"""``caedsl new``: a commented spec to start from."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

TEMPLATES = Path(__file__).parent / "templates"


class Template(StrEnum):
    """What the new spec is about."""

    BASIC = "basic"
    PHOTOS = "photos"
    DENOISE = "denoise"
    ANOMALY = "anomaly"


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the model; NAME.cae is written.")],
    template: Annotated[
        Template, typer.Option(help="Small grey images, a folder of photographs, a denoiser, or a finder of anomalies.")
    ] = Template.BASIC,
) -> None:
    """Write a commented spec to start from."""
    from caedsl.cli.files import WriteError, write_text
    from caedsl.cli.specs import fail

    path = Path(name) if name.endswith(".cae") else Path(f"{name}.cae")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", path.stem):
        raise fail(f'"{path.stem}" cannot name a model: use letters, digits and _, and begin with a letter')
    if path.exists():
        raise fail(f"{path} is there already: choose another name, or remove it first")
    text = (TEMPLATES / f"{template.value}.cae").read_text("utf-8")
    try:
        write_text(str(path), re.sub(r"(?m)^autoencoder NAME$", f"autoencoder {path.stem}", text))
    except WriteError as error:
        raise fail(str(error)) from None
    typer.echo(f"wrote {path}\nnext: caedsl check {path} && caedsl train {path}")
