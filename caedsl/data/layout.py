"""Which dimension of an array holds what."""

from pathlib import Path

from caedsl.data.fit import Fit
from caedsl.data.images import DataError
from caedsl.data.row_file import RowFile
from caedsl.data.source_reader import Request
from caedsl.data.stack import Array, ArrayStack, Labels, shape_text


def array_stack(pixels: Array | RowFile, path: Path, request: Request, labels: Labels | None) -> ArrayStack:
    """The images of an array whose layout follows from its shape and the spec's channels."""
    return ArrayStack(
        pixels, layout(pixels.shape, request.fit, str(path)), request.fit, str(path), labels, request.source.white
    )


def layout(shape: tuple[int, ...], fit: Fit, file: str) -> str:
    """``HW``, ``HWC`` or ``CHW`` for N×H×W, N×H×W×C or N×C×H×W; a ``DataError`` where it is none or might be two."""
    found = f"{file} is {shape_text(shape)}"
    if len(shape) == 3:
        if fit.channels == 1:
            return "HW"
        raise DataError(
            f"{found}, one channel an image, and the input is {fit.input}: write `input 1x{fit.height}x{fit.width}`"
        )
    if len(shape) != 4:
        raise DataError(
            f"{found}: images are N x H x W, N x H x W x C or N x C x H x W; reshape the array and save it again"
        )
    wanted = (1, 3) if fit.gray and fit.channels == 1 else (fit.channels,)
    first, last = shape[1] in wanted, shape[3] in wanted
    if first and last:
        raise DataError(
            f"{found}: for an input of {fit.input} it can be read as N x C x H x W and as N x H x W x C; "
            f"leave the dimension of the channels out (N x H x W), or save images of another size"
        )
    if first or last:
        return "CHW" if first else "HWC"
    raise DataError(f"{found}, and the input is {fit.input}: {_wrong_channels(shape, fit)}")


def _wrong_channels(shape: tuple[int, ...], fit: Fit) -> str:
    if fit.channels == 1 and 3 in (shape[1], shape[3]):
        return f"for colours made grey add `gray` to the source, for colours write `input 3x{fit.height}x{fit.width}`"
    if 1 in (shape[1], shape[3]):
        return f"the images are grey: write `input 1x{fit.height}x{fit.width}`"
    return f"neither dimension 2 nor dimension 4 is {fit.channels}, the number of channels"
