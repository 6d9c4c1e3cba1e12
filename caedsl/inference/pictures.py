"""Reconstructions as image files, in the size, the bit depth and, if it can be written, the format of the original.

x_chw: channels, height, width.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from caedsl.data.files.decoding import decoded
from caedsl.data.files.regular_file import read_regular
from caedsl.data.sample_format import PATCH, SampleFormat, unresized
from caedsl.inference.output_folder import OutputFolder
from caedsl.inference.picture_files import file_for, picture_bytes
from caedsl.inference.plots import INK, SignalLine, line_plot, middle_slices

_FULL_SIZE = 1 << 30
_PLOT = (640, 320)
_STRIP = 32
"""Size of the plot of a signal, and height of its error map, in pixels."""


@dataclass(frozen=True)
class Original:
    """Pixels of an original image file, H×W or H×W×3.

    ``white`` is the value of white: 255 for 8 bits, more for larger integers, 0 for real numbers. ``remarks`` describe
    what the file contains besides the pixels.
    """

    pixels: NDArray[np.generic]
    white: int
    remarks: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.pixels.shape[0], self.pixels.shape[1]


def read_original(path: Path, white: int | None = None) -> Original:
    """Decode the image file at full size. Raise a ``DataError`` or an ``OSError`` if that fails.

    ``white`` is the value of white that the run's source states for images of more than 8 bits.
    """
    remarks: list[str] = []
    with decoded(read_regular(path), _FULL_SIZE, remarks) as picture:
        bands = [np.array(image) for image in picture.images]
        pixels = bands[0] if len(bands) == 1 else np.stack(bands, axis=-1)
        wide = picture.white and pixels.dtype != np.uint8
        return Original(pixels, white if wide and white else picture.white, tuple(remarks))


def restored(x_chw: Tensor, original: Original, fit: SampleFormat) -> NDArray[np.generic]:
    """Undo the preprocessing: convert ``x_chw``, in the input's range, to pixels like those of ``original``.

    If the input is the middle of the image (``resize=crop``), the rest of the original is kept. A model with one
    channel results in grey pixels, even for an original in colour.
    """
    grey = original.pixels.ndim == 2 or x_chw.shape[0] == 1
    x_chw = x_chw.mean(dim=0, keepdim=True) if grey else x_chw
    shown = fit.shown(original.size)
    values = _stored(unresized(x_chw[None], shown)[0], original, fit)
    values = values[..., 0] if grey else values
    if shown.part == original.size:
        return values
    whole = original.pixels if original.pixels.ndim == values.ndim else original.pixels.mean(axis=-1)
    whole = whole.astype(values.dtype)
    (top, left), (height, width) = shown.start, shown.part
    whole[top : top + height, left : left + width] = values
    return whole


def resized_original(original: Original, fit: SampleFormat, target: SampleFormat) -> Original:
    """Return an empty picture for a target of ``original``, scaled by the ratio of the target's size to the input's."""
    if target.resize in ("crop", PATCH):
        size = target.space
    else:
        sides = zip(original.size, fit.space, target.space, strict=True)
        size = tuple(max(1, round(side * wanted / own)) for side, own, wanted in sides)
    colours = (3,) if target.channels == 3 else ()
    return Original(np.zeros((*size, *colours), original.pixels.dtype), original.white)


def _stored(x_chw: Tensor, original: Original, fit: SampleFormat) -> NDArray[np.generic]:
    """Return values H×W×C as the file stores them: integers in 0..``white``, or real numbers if ``white`` is 0."""
    white = original.white
    x_hwc = x_chw.detach().cpu().permute(1, 2, 0).double()
    if not white:
        return x_hwc.numpy().astype(np.float32)
    scaled = ((x_hwc - fit.low) / (fit.high - fit.low) * white).round().clamp(0, white).nan_to_num()
    return scaled.numpy().astype(np.uint8 if original.pixels.dtype == np.uint8 else np.uint16)


def write_decoded(folder: OutputFolder, names: Sequence[str], decoded: NDArray[np.float32], fit: SampleFormat) -> None:
    """Write each sample, given in the input's range, as an 8-bit ``NAME.png``.

    Signals are drawn as lines, and volumes as their middle slices.
    """
    samples = torch.from_numpy(decoded)
    low, width = _ends(samples, fit)
    for name, x in zip(names, samples, strict=True):
        if x.dim() == 2:
            pixels: NDArray[np.generic] = np.array(line_plot([SignalLine((x - low) / width, INK)], *_PLOT))
        else:
            x_chw = middle_slices(x) if x.dim() == 4 else x
            shape = tuple(x_chw.shape)
            plain = Original(np.zeros((*shape[1:], *((3,) if shape[0] > 1 else ())), np.uint8), 255)
            pixels = restored(x_chw, plain, replace(fit, shape=shape))
        folder.write(folder.claim(name, ".png"), picture_bytes(pixels))


def _ends(samples: Tensor, fit: SampleFormat) -> tuple[float, float]:
    """Return the lower end and the width of the input's range, or those of the samples if it is unbounded."""
    if fit.range.bounded or not samples.numel():
        return fit.low, fit.high - fit.low
    least, most = map(float, samples.aminmax())
    return least, most - least or 1.0


@dataclass(frozen=True)
class ReconstructedFile:
    """Reconstruction of an image file: its pixels as the file stores them, and an error map H×W on the scale 0..1.

    ``errors`` is None for a network that returns a target of another shape or range, which cannot be compared with the
    image. ``native`` is True if the image passed through the network at its own size. ``remarks`` are those of the
    original.
    """

    pixels: NDArray[np.generic]
    errors: Tensor | None
    native: bool
    remarks: tuple[str, ...] = ()


def write_reconstruction(folder: OutputFolder, name: str, reconstruction: ReconstructedFile, error_map: bool) -> str:
    """Write the reconstruction as ``name`` in ``folder``, and if ``error_map`` its error map as ``NAME.error.png``.

    Return the name in a format that can store the reconstruction, which is ``name`` if possible.
    """
    wanted = file_for(name, reconstruction.pixels)
    file = folder.claim(wanted)
    folder.write(file, picture_bytes(reconstruction.pixels, Path(file).suffix))
    if error_map and reconstruction.errors is not None:
        folder.write(folder.claim(file, ".error.png"), picture_bytes(heat(reconstruction.errors)))
    return wanted


def heat(map_: Tensor) -> NDArray[np.uint8]:
    """Return an error map as colours H×W×3, from black for 0 to bright for its largest value.

    The map of a signal becomes a strip; for a volume the middle slice is shown.
    """
    from matplotlib import colormaps

    if map_.dim() == 1:
        map_ = map_.expand(_STRIP, -1)
    top = float(map_.max())
    map_ = middle_slices(map_) if map_.dim() == 3 else map_
    unit = (map_ / top if top > 0 else torch.zeros_like(map_)).cpu().numpy()
    colours: NDArray[np.uint8] = (255 * colormaps["inferno"](unit)[..., :3]).round().astype(np.uint8)
    return colours
