"""Samples as a report shows them: pictures that are embedded in the page."""

from base64 import b64encode
from dataclasses import dataclass

from PIL import Image
from torch import Tensor

from caedsl.evaluation.reconstructions import PLOT, picture_of, png
from caedsl.inference.pictures import heat
from caedsl.training.pixel_range import PixelRange

_LONGEST_NAME = 40


@dataclass(frozen=True)
class Shown:
    """One sample: pictures as data URIs by what they show, and a caption."""

    caption: str
    pictures: dict[str, str]


def picture_uri(x: Tensor, pixels: PixelRange) -> str:
    """Return a sample, channels x space, as a picture."""
    return data_uri(png(picture_of(x, pixels)))


def heat_uri(map_: Tensor) -> str:
    """Return an error map as a picture of the size of its sample's picture."""
    picture = Image.fromarray(heat(map_))
    return data_uri(png(picture.resize(PLOT, Image.Resampling.BOX) if map_.dim() == 1 else picture))


def shortened(name: str) -> str:
    """Return the name of a sample for a caption: the end of a long one."""
    return name if len(name) <= _LONGEST_NAME else f"…{name[-_LONGEST_NAME:]}"


def data_uri(content: bytes, kind: str = "image/png") -> str:
    """Return a picture as a data URI."""
    return f"data:{kind};base64,{b64encode(content).decode()}"
