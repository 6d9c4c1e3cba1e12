"""Content of image files: in the format of a name if it can store the pixels, else PNG or, for real numbers, TIFF.

Pixels are H×W or H×W×3: bytes, 16-bit integers or 32-bit real numbers.
"""

import io
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import png
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.generic]

_PLAIN = {
    ".bmp": "BMP",
    ".jp2": "JPEG2000",
    ".jpeg": "JPEG",
    ".jpg": "JPEG",
    ".png": "PNG",
    ".pnm": "PPM",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
}
_GREY = {**_PLAIN, ".gif": "GIF", ".pgm": "PPM"}
_COLOUR = {**_PLAIN, ".ppm": "PPM"}
_WIDE = {name: _GREY[name] for name in (".pgm", ".png", ".pnm", ".tif", ".tiff")}
_WIDE_COLOUR = {name: _COLOUR[name] for name in (".png", ".tif", ".tiff")}
_REAL = {name: _GREY[name] for name in (".tif", ".tiff")}
_SAVED: dict[str, dict[str, Any]] = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}}


def _formats(pixels: Pixels) -> Mapping[str, str]:
    """Return Pillow's names of the formats that store ``pixels``, by the ending of a file."""
    if pixels.dtype == np.float32:
        return _REAL
    if pixels.dtype == np.uint16:
        return _WIDE if pixels.ndim == 2 else _WIDE_COLOUR
    return _GREY if pixels.ndim == 2 else _COLOUR


def file_for(name: str, pixels: Pixels) -> str:
    """Return ``name``, with ``.png`` (``.tif`` for real numbers) appended if its format cannot store ``pixels``."""
    if Path(name).suffix.lower() in _formats(pixels):
        return name
    return f"{name}.tif" if pixels.dtype == np.float32 else f"{name}.png"


def picture_bytes(pixels: Pixels, suffix: str = ".png") -> bytes:
    """Return the content of an image file in the format of ``suffix``, or as PNG if that format cannot store it."""
    kind = _formats(pixels).get(suffix.lower(), "PNG")
    content = io.BytesIO()
    # Pillow writes colours of 8 bits only.
    if _formats(pixels) is not _WIDE_COLOUR:
        Image.fromarray(pixels).save(content, kind, **_SAVED.get(kind, {}))
    elif kind == "TIFF":
        content.write(_tiff_of_wide_colours(pixels))
    else:
        height, width, _ = pixels.shape
        png.Writer(width, height, greyscale=False, bitdepth=16).write(content, pixels.reshape(height, -1))
    return content.getvalue()


def _tiff_of_wide_colours(pixels: Pixels) -> bytes:
    """Return an uncompressed TIFF (Adobe 1992, TIFF revision 6.0, section 6): header, values, depths, then the tags."""
    height, width, _ = pixels.shape
    header, values, depths = 8, pixels.astype("<u2").tobytes(), struct.pack("<3H", 16, 16, 16)
    short, long = 3, 4
    tags = [
        (256, long, 1, width),
        (257, long, 1, height),
        (258, short, 3, header + len(values)),  # the position of the depths
        (259, short, 1, 1),  # no compression
        (262, short, 1, 2),  # colours are red, green and blue
        (273, long, 1, header),  # the position of the values
        (277, short, 1, 3),
        (278, long, 1, height),
        (279, long, 1, len(values)),
        (284, short, 1, 1),  # the channels of a pixel are neighbours
    ]
    start = struct.pack("<2sHI", b"II", 42, header + len(values) + len(depths))
    listed = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return start + values + depths + struct.pack("<H", len(tags)) + listed + bytes(4)
