"""Decoding of one image file, with its orientation, scaled to the input's size."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from caedsl.data.errors import DataError, reason
from caedsl.data.files.decoding import Decoded, decoded
from caedsl.data.files.regular_file import read_regular
from caedsl.data.sample_format import LUMA, PATCH, SampleFormat, centred, scale_
from caedsl.data.stacks.stored_numbers import sensor_remark
from caedsl.vocabulary.shape import Sizes

GREY, RESIZED, CUT, COLOUR = (
    "grey, repeated over 3 channels",
    "resized",
    "larger than the input: the middle is used",
    "in colour, converted to grey (ITU-R 601 luma)",
)
"""Remarks on a picture, in addition to those of its decoding."""


class Picture(NamedTuple):
    """Fitted file, c×H×W, the SHA-256 of the file, the remarks, and its original size.

    ``x_chw`` are bytes in 0..255 for a file of 8 bits, and float32 in the input's range for others.
    """

    x_chw: Tensor
    sha256: bytes
    remarks: tuple[str, ...]
    size: Sizes


def read_picture(path: Path, fit: SampleFormat, white: int | None = None, whole: bool = False) -> Picture:
    """Read an image file; raise a ``DataError`` that names the file and the reason if it cannot be used.

    8-bit values stay bytes, larger integers are scaled from 0..65535, or 0..``white``, to the input's range, and real
    numbers must lie in it. ``whole`` keeps the size of the file.
    """
    try:
        content = read_regular(path)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {reason(error)}") from error
    return picture_of(content, str(path), fit, white, whole)


def picture_of(
    content: bytes | Image.Image, name: str, fit: SampleFormat, white: int | None = None, whole: bool = False
) -> Picture:
    """Decode an encoded image or an image in memory, named ``name``; see ``read_picture``."""
    remarks: list[str] = []
    try:
        with decoded(content, None if fit.resize == PATCH else max(fit.space), remarks) as picture:
            size = (picture.images[0].height, picture.images[0].width)
            fit.check_patch(size)
            x_chw = _fitted(picture, fit, white, remarks, size if whole else fit.space)
    except DataError as error:
        raise DataError(f"{name} {error}") from error
    stored = content.tobytes() if isinstance(content, Image.Image) else content
    return Picture(x_chw, hashlib.sha256(stored).digest(), tuple(remarks), size)


def _fitted(picture: Decoded, fit: SampleFormat, white: int | None, remarks: list[str], space: Sizes) -> Tensor:
    """Return c × the sides ``space``, which are the input's or, for the whole image, its own."""
    images, top = _with_channels(picture, fit, remarks).images, picture.white
    if images[0].mode == "F":
        top = white or top if top else 0
        if top and not white:
            remarks.append(f"with 16 bits, scaled from 0..{top}")
        _check_wide(images, top, white, fit, remarks)
    if (images[0].height, images[0].width) != space:
        remarks.append(CUT if fit.resize == PATCH else RESIZED)
        images = tuple(_resized(image, fit) for image in images)
    x = torch.from_numpy(np.array(images[0]) if len(images) == 1 else np.stack([np.array(image) for image in images]))
    x_chw = x.unsqueeze(0) if x.dim() == 2 else x if len(images) > 1 else x.permute(2, 0, 1)
    are_bytes = x.dtype == torch.uint8
    if top and not are_bytes:
        scale_(x_chw, top, fit)
    return centred(x_chw, space, 0 if are_bytes else fit.low).expand(fit.channels, -1, -1)


def _resized(image: Image.Image, fit: SampleFormat) -> Image.Image:
    (top, left), (height, width), sizes = fit.resizing((image.height, image.width))
    if (height, width) != (image.height, image.width):
        image = image.crop((left, top, left + width, top + height))
    for down, across in sizes:
        image = image.resize((across, down), Image.Resampling.BILINEAR)
    return image


def _with_channels(picture: Decoded, fit: SampleFormat, remarks: list[str]) -> Decoded:
    if picture.coloured:
        if fit.channels == 3:
            return picture
        if not fit.gray:
            remedy = (
                "convert it to grey, or use a run that was trained with `gray` or on colours"
                if fit.trained
                else f"to convert colours to grey, add `gray` to the source; to train on colours, write `{fit.word} "
                f"{fit.input_of(3)}`"
            )
            raise DataError(f"is in colour, but the {fit.word} is {fit.input}: {remedy}")
        remarks.append(COLOUR)
        images = picture.images
        return picture._replace(images=(images[0].convert("L") if len(images) == 1 else _luma(images),))
    if fit.channels == 3:
        remarks.append(GREY)
    return picture


def _luma(images: tuple[Image.Image, ...]) -> Image.Image:
    grey: NDArray[np.float32] = sum(  # type: ignore[assignment]
        np.float32(share) * np.array(image) for share, image in zip(LUMA, images, strict=True)
    )
    return Image.fromarray(grey)


def _check_wide(
    images: tuple[Image.Image, ...], top: int, white: int | None, fit: SampleFormat, remarks: list[str]
) -> None:
    """Check that wide pixels are in their assumed range: 0..``top``, or the input's range for real numbers."""
    ends = [image.getextrema() for image in images]
    pixels = np.array(ends, np.float64)
    least, most = float(pixels.min()), float(pixels.max())
    if not all(np.isfinite(np.array(image)).all() for image in images):
        raise DataError("contains NaN or infinity: repair, replace or remove it")
    low, high = (0.0, float(top)) if top else (fit.low, fit.high)
    if (top or fit.range.bounded) and not low <= least <= most <= high:
        value = least if least < low else most
        remedy = "scale it" if fit.trained else f"scale it, or write `{fit.word} {fit.input} in real`"
        if top and not fit.trained:
            remedy = f"raise `white={white}`, or correct the file" if white else "save it with values of 0..65535"
        raise DataError(f"has the value {value:g}, outside {low:g}..{high:g}: {remedy}")
    if top and not white and (remark := sensor_remark(int(most), fit.trained)):
        remarks.append(remark)
