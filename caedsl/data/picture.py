"""One image file, decoded, turned upright, scaled to the input's size."""

import hashlib
import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from caedsl.data.fit import Fit, centred, scale_
from caedsl.data.images import DataError
from caedsl.data.source_reader import reason

GREY, LAID_ON_WHITE, FIRST_FRAME, RESIZED, SIXTEEN_BIT, COLOUR = (
    "grey, repeated over 3 channels",
    "with transparency, laid on white",
    "of several frames, the first taken",
    "resized",
    "of 16 bits, scaled from 0..65535",
    "in colour, made grey (ITU-R 601 luma)",
)
"""What may be remarked on a picture."""

_TRANSPARENT = ("RGBA", "LA", "PA", "RGBa", "La")


class Picture(NamedTuple):
    """A file made to fit, c×H×W, the SHA-256 of the file, what is to be remarked.

    ``x_chw`` are the bytes of a file of 8 bits, 0..255, and for others float32 in the input's range.
    """

    x_chw: Tensor
    sha256: bytes
    remarks: tuple[str, ...]


def suffixes() -> frozenset[str]:
    """The endings of the files that Pillow can read."""
    Image.init()
    return frozenset(suffix for suffix, name in Image.registered_extensions().items() if name in Image.OPEN)


def read_picture(path: Path, fit: Fit) -> Picture:
    """Read an image file; a ``DataError`` names the file and why it cannot be used.

    8-bit values stay bytes, 16-bit ones are scaled from 0..65535 to the input's range, real ones must lie in it.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {reason(error)}") from error
    remarks: list[str] = []
    try:
        with Image.open(io.BytesIO(content)) as image:
            pixels, top = _decode(image, fit, remarks)
    except DataError as error:
        raise DataError(f"{path} {error}") from error
    # Pillow's decoders raise whatever a broken file makes them stumble over: OSError, SyntaxError, IndexError and more.
    except Exception as error:
        known = "no image that Pillow knows" if "cannot identify" in str(error) else reason(error)
        raise DataError(f"{path} cannot be decoded ({known}): repair, replace or remove it") from error
    x = torch.from_numpy(pixels)
    x_chw = x.unsqueeze(0) if x.dim() == 2 else x.permute(2, 0, 1)
    are_bytes = x.dtype == torch.uint8
    if top and not are_bytes:
        scale_(x_chw, top, fit)
    x_chw = centred(x_chw, fit.height, fit.width, 0 if are_bytes else fit.low).expand(fit.channels, -1, -1)
    return Picture(x_chw, hashlib.sha256(content).digest(), tuple(remarks))


def _decode(image: Image.Image, fit: Fit, remarks: list[str]) -> tuple[NDArray[np.generic], int]:
    """The pixels of an image, H×W or H×W×3 at its scaled size, and the value of white (0 for real numbers)."""
    if getattr(image, "is_animated", False):
        remarks.append(FIRST_FRAME)
    # A JPEG can be decoded at a fraction of its size: much faster, and nothing is lost at twice the size wanted.
    image.draft(None, (2 * max(fit.height, fit.width),) * 2)
    picture, top = _plain(ImageOps.exif_transpose(image), remarks)
    picture = _with_channels(picture, fit, remarks)
    if picture.mode == "F":
        _check_wide(np.array(picture), top, fit)
    if picture.size != (fit.width, fit.height):
        remarks.append(RESIZED)
        height, width = fit.scaled_size(picture.height, picture.width)
        picture = picture.resize((width, height), Image.Resampling.BILINEAR)
    return np.array(picture), top


def _plain(image: Image.Image, remarks: list[str]) -> tuple[Image.Image, int]:
    """The image as grey ``L``, colour ``RGB`` or, with more than 8 bits, ``F``; and its value of white."""
    if image.mode in ("L", "RGB"):
        if "transparency" not in image.info:
            return image, 255
    elif image.mode == "1":
        return image.convert("L"), 255
    elif image.mode == "F":
        return image, 0
    elif image.mode.startswith("I"):
        remarks.append(SIXTEEN_BIT)
        return Image.fromarray(np.array(image).astype(np.float32)), 65535
    if image.mode in _TRANSPARENT or "transparency" in image.info:
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema() != (255, 255):
            remarks.append(LAID_ON_WHITE)
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    colour = image.convert("RGB")
    red, green, blue = colour.split()
    return (red, 255) if red.tobytes() == green.tobytes() == blue.tobytes() else (colour, 255)


def _with_channels(image: Image.Image, fit: Fit, remarks: list[str]) -> Image.Image:
    if image.mode == "RGB":
        if fit.channels == 3:
            return image
        if not fit.gray:
            raise DataError(
                f"is stored in colour, and the input is {fit.input}: for colours made grey add `gray` to the source, "
                f"for colours write `input 3x{fit.height}x{fit.width}`"
            )
        remarks.append(COLOUR)
        return image.convert("L")
    if fit.channels == 3:
        remarks.append(GREY)
    return image


def _check_wide(pixels: NDArray[np.generic], top: int, fit: Fit) -> None:
    """Whether wide pixels are what they are taken for: 0..65535, or real numbers in the input's range."""
    least, most = float(np.min(pixels)), float(np.max(pixels))
    low, high = (0.0, float(top)) if top else (fit.low, fit.high)
    if not np.isfinite([least, most]).all():
        raise DataError("holds NaN or infinity: repair, replace or remove it")
    if (top or fit.range.bounded) and not low <= least <= most <= high:
        value = least if least < low else most
        remedy = "save it with values of 0..65535" if top else f"scale it, or write `input {fit.input} in real`"
        raise DataError(f"has the value {value:g}, outside of {low:g}..{high:g}: {remedy}")
