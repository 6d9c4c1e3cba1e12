"""Image files as Pillow decodes them, with full bit depth and within limits.

Only formats are opened whose decoders run no other program. Pillow reduces colours of 16 bits to 8; here they are
decoded with full depth.
"""

import io
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from caedsl.data.errors import DataError, reason

FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")

LAID_ON_WHITE, FIRST_FRAME = "with transparency, placed on white", "with several frames, of which the first is used"

_BITS_PER_SAMPLE = 258
"""The tag of a TIFF."""
_TRANSPARENT = ("RGBA", "LA", "PA", "RGBa", "La")
_MOST_PIXELS = 1 << 25
"""Decode opaque images of 8 bits with more pixels than this, and others with fewer, only if the file is large too."""
_MOST_RATIO = 100
"""Limit the ratio of decoded to stored bytes of images with more pixels."""
_LARGE = 1 << 23
_one_at_a_time = threading.Lock()
"""Hold this lock while decoding an image of more than ``_LARGE`` pixels, to limit memory."""

# Pillow warns beyond 89 million pixels; this module has its own limits.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
# It warns of each damaged tag of a TIFF or of EXIF data too; a file may have 65,535.
warnings.filterwarnings("ignore", module=r"PIL\.TiffImagePlugin")


class Decoded(NamedTuple):
    """Upright image: one of mode ``L`` or ``RGB``, or, with more than 8 bits, one of mode ``F`` per channel.

    ``white`` is the value of white, 0 for real numbers.
    """

    images: tuple[Image.Image, ...]
    white: int

    @property
    def coloured(self) -> bool:
        """Whether it has three channels."""
        return len(self.images) == 3 or self.images[0].mode == "RGB"


def suffixes() -> frozenset[str]:
    """Return the endings of supported files."""
    Image.init()
    return frozenset(suffix for suffix, name in Image.registered_extensions().items() if name in FORMATS)


@contextmanager
def decoded(content: bytes | Image.Image, side: int | None, remarks: list[str]) -> Iterator[Decoded]:
    """Decode an image file or an image in memory; reduce large JPEGs to what ``side`` pixels need, unless it is None.

    Raise a ``DataError`` with the reason if it cannot be used; the caller adds the file name. A large image blocks
    others until the context ends.
    """
    try:
        if isinstance(content, Image.Image):
            yield _plain(content, b"", remarks)
            return
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            if getattr(image, "is_animated", False):
                remarks.append(FIRST_FRAME)
            # A JPEG can be decoded at a fraction of its size, much faster; nothing is lost at twice the size wanted.
            if side is not None:
                image.draft(None, (2 * side, 2 * side))
            _check_size(image, len(content))
            with _one_at_a_time if image.width * image.height > _LARGE else nullcontext():
                yield _plain(image, content, remarks)
    except (DataError, GeneratorExit):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        most = 2 * (Image.MAX_IMAGE_PIXELS or 0)  # Pillow warns above the limit, and refuses above twice as many
        raise DataError(f"has more than {most:,} pixels, the limit: scale it down") from error
    except MemoryError as error:
        raise DataError("does not fit into memory: scale it down") from error
    # For broken files, Pillow's decoders raise arbitrary exceptions: OSError, SyntaxError, IndexError and more.
    except Exception as error:
        known = f"not one of {', '.join(FORMATS)}" if "cannot identify" in str(error) else reason(error)
        raise DataError(f"cannot be decoded ({known}): repair, replace or remove it") from error


def _check_size(image: Image.Image, stored: int) -> None:
    pixels, most = image.width * image.height, _MOST_PIXELS // _cost(image)
    unpacked = pixels // 8 if image.mode == "1" else pixels * len(image.getbands())
    if pixels > most and unpacked > _MOST_RATIO * stored:
        raise DataError(
            f"claims to have {image.width:,} x {image.height:,} pixels in {stored:,} bytes; above {most:,} "
            "pixels, such a small file is not decoded: scale it down, or save it uncompressed"
        )


def _cost(image: Image.Image) -> int:
    """Return how many times the memory of an opaque image of 8 bits decoding takes, at least."""
    if _has_wide_colours(image):
        return 4
    return 2 if image.mode in _TRANSPARENT or "transparency" in image.info else 1


def _plain(image: Image.Image, content: bytes, remarks: list[str]) -> Decoded:
    _refuse_lost_bits(image, content)
    if _has_wide_colours(image):
        if not content:
            raise DataError("has 16-bit colours, which Pillow reduces to 8 bits: pass the path of its file")
        return _wide(_wide_colours(image, content), image.info.get("transparency"), remarks)
    if image.mode == "F":
        return Decoded((_upright(image),), 0)
    if image.mode.startswith("I"):
        array = np.array(_upright(image)).astype(np.float32)
        return _wide((array[..., None], 65535), image.info.get("transparency"), remarks)
    return Decoded((_eight_bits(_upright(image), remarks),), 255)


def _upright(image: Image.Image) -> Image.Image:
    return ImageOps.exif_transpose(image)


def _eight_bits(image: Image.Image, remarks: list[str]) -> Image.Image:
    """Return an image of 8 bits as grey or colour; a palette or CMYK image without colour becomes grey."""
    if image.mode in ("L", "RGB") and "transparency" not in image.info:
        return image
    if image.mode == "1":
        return image.convert("L")
    if image.mode in _TRANSPARENT or "transparency" in image.info:
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema() != (255, 255):
            remarks.append(LAID_ON_WHITE)
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    colour = image.convert("RGB")
    red, green, blue = colour.split()
    return red if red.tobytes() == green.tobytes() == blue.tobytes() else colour


def _raw_modes(image: Image.Image) -> list[str]:
    """Return the raw modes of the pixels in Pillow's notation, if known: ``RGB;16B``."""
    stored = (tile[3] for tile in _tiles(image))
    return [str(args[0] if isinstance(args, tuple) and args else args) for args in stored]


def _tiles(image: Image.Image) -> Sequence[Any]:
    """Return how the parts of the file are decoded: codec, position, offset, and the arguments of the codec."""
    tiles: Sequence[Any] = getattr(image, "tile", ())
    return tiles


def _has_wide_colours(image: Image.Image) -> bool:
    if image.format == "PPM":
        return image.mode == "RGB" and _ppm_white(image) > 255
    if image.format == "TIFF" and image.mode != "F" and not image.mode.startswith("I"):
        return any(bits > 8 for bits in getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, ()))
    return not image.mode.startswith("I") and any(";16" in mode for mode in _raw_modes(image))


def _wide_colours(image: Image.Image, content: bytes) -> tuple[NDArray[np.float32], int]:
    """Return the values H×W×C of an image with 16-bit colours or transparency, and the value of white."""
    if image.format == "PPM":
        return _ppm_colours(image, content), _ppm_white(image)
    modes = set(_raw_modes(image))
    if modes == {"LA;16B"}:
        # Each pixel has four bytes, like one of RGBA: two of grey and two of transparency.
        pairs = np.array(_read_as(image, content, {"LA;16B": "RGBA"})).astype(np.float32)
        return pairs[..., 0::2] * 256 + pairs[..., 1::2], 65535
    if len(modes) != 1 or not (mode := modes.pop()).startswith(("RGB;16", "RGBA;16", "RGBX;16")):
        raise DataError("has 16-bit colours in a form that Pillow reduces to 8 bits: save it as a 16-bit RGB PNG")
    base, order = mode[:-1], mode[-1]
    bands = 4 if base.startswith("RGBA") else 3
    # Pillow keeps the high byte of each value; with the byte order swapped, that is the low byte.
    high = np.array(_upright(image))[..., :bands].astype(np.float32)
    low = np.array(_read_as(image, content, {mode: base + _OTHER_ORDER[order]}))[..., :bands]
    return high * 256 + low, 65535


def _ppm_white(image: Image.Image) -> int:
    """Return the value of white in the header of a PPM."""
    args = _tiles(image)[0][3]
    known = args[-1] if isinstance(args, tuple) else args
    return known if isinstance(known, int) else 255


def _ppm_colours(image: Image.Image, content: bytes) -> NDArray[np.float32]:
    name, _, offset, _ = _tiles(image)[0]
    if name != "ppm":
        raise DataError("is a plain PPM with more than 8 bits per value: save it as a 16-bit RGB PNG")
    values = np.frombuffer(content, ">u2", 3 * image.width * image.height, offset)
    return values.reshape(image.height, image.width, 3).astype(np.float32)


_OTHER_ORDER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}


def _read_as(image: Image.Image, content: bytes, modes: dict[str, str]) -> Image.Image:
    """Decode the file once more, with pixels unpacked as other modes."""
    with Image.open(io.BytesIO(content), formats=(image.format or "",)) as again:
        again.tile = [_with_mode(tile, modes) for tile in again.tile]
        return _upright(again)


def _with_mode(tile: Any, modes: dict[str, str]) -> Any:
    name, box, offset, args = tile
    changed = (modes[args[0]], *args[1:]) if isinstance(args, tuple) else modes[args]
    return type(tile)(*(name, box, offset, changed)) if hasattr(tile, "_fields") else (name, box, offset, changed)


def _wide(stored: tuple[NDArray[np.float32], int], transparent: Any, remarks: list[str]) -> Decoded:
    """Return values H×W×C as one image per channel, with the transparency on a white background."""
    values, white = stored
    channels = values.shape[2]
    alpha = values[..., -1:] / white if channels in (2, 4) else None
    colours = values if alpha is None else values[..., :-1]
    if alpha is None and isinstance(transparent, (int, tuple)):
        alpha = (values != np.array(transparent, np.float32)).any(axis=2, keepdims=True).astype(np.float32)
    if alpha is not None and alpha.min() < 1:
        remarks.append(LAID_ON_WHITE)
        colours = (colours * alpha + white * (1 - alpha)).astype(np.float32)
    return Decoded(tuple(Image.fromarray(np.ascontiguousarray(band)) for band in np.moveaxis(colours, 2, 0)), white)


def _refuse_lost_bits(image: Image.Image, content: bytes) -> None:
    """Reject formats for which Pillow returns 8 bits per colour although the file has more."""
    bits = 8
    if (
        image.format == "JPEG2000"
        and image.mode not in ("I;16", "I")
        and (at := content.find(b"\xff\x4f\xff\x51")) >= 0
    ):
        bits = (content[at + 42] & 0x7F) + 1  # the depth of the first component, in the codestream's SIZ marker
    elif image.format == "AVIF" and (at := content.find(b"pixi")) >= 0:
        bits = content[at + 9]  # after the box's version and flags and the number of channels
    if bits > 8:
        raise DataError(
            f"has {bits} bits per value, but only 8 can be read from {image.format}: save it as a 16-bit PNG"
        )
