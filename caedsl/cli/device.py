"""The option ``--device`` of commands that compute with PyTorch."""

from enum import StrEnum
from typing import Annotated

import typer


class Device(StrEnum):
    """Device to compute on."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


DeviceOption = Annotated[Device, typer.Option(help="The device to compute on.")]
