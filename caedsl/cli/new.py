"""``caedsl new``: creates a commented spec."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from caedsl.cli.outputs import say

TEMPLATES = Path(__file__).parent / "templates"


class Template(StrEnum):
    """Subject of the new spec."""

    BASIC = "basic"
    PHOTOS = "photos"
    DENOISE = "denoise"
    ANOMALY = "anomaly"


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name of the model; the file is NAME.cae.")],
    template: Annotated[
        Template,
        typer.Option(
            help="The template: small grey images, a folder of photographs, a denoiser, or anomaly detection."
        ),
    ] = Template.BASIC,
) -> None:
    """Create a commented spec."""
    from caedsl.cli.files import WriteError, write_text
    from caedsl.cli.specs import fail

    path = Path(name) if name.endswith(".cae") else Path(f"{name}.cae")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", path.stem):
        raise fail(f'"{path.stem}" cannot name a model: use letters, digits and _, and start with a letter')
    if path.exists():
        raise fail(f"{path} already exists: choose another name, or remove it first")
    text = (TEMPLATES / f"{template.value}.cae").read_text("utf-8")
    try:
        write_text(str(path), re.sub(r"(?m)^autoencoder NAME$", f"autoencoder {path.stem}", text))
    except WriteError as error:
        raise fail(error) from None
    say(f"wrote {path}", f"next: caedsl check {path} && caedsl train {path}")
