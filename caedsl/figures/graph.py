"""Write the diagram of a model in the format of a file's suffix."""

import os
from contextlib import suppress
from errno import EEXIST
from pathlib import Path
from typing import Literal, get_args

from caedsl.figures.errors import FigureError
from caedsl.figures.look import PLAIN, Look
from caedsl.model.autoencoder import Autoencoder

Style = Literal["hourglass", "blocks"]
FORMATS = ("svg", "png", "pdf", "dot", "mmd")
STYLES: tuple[str, ...] = get_args(Style)


def draw(model: Autoencoder, path: Path, style: Style = "hourglass", look: Look = PLAIN) -> None:
    """Write the diagram of a model whose shapes are all known to ``path``, atomically.

    The suffix of ``path`` chooses the format. Raise ``FigureError`` if it names none, if the file cannot be written, if
    ``blocks`` find no Graphviz, or if the look does not fit.
    """
    format = path.suffix.lower().removeprefix(".")
    if format not in FORMATS:
        what = f"ends in .{format}" if format else "has no ending"
        endings = ", ".join(f".{known}" for known in FORMATS)
        raise FigureError(f"{path} {what}, which names no format of diagrams: use one of {endings}")
    drawn = render(model, format, style, look)
    _write(path, drawn.encode() if isinstance(drawn, str) else drawn)


def render(model: Autoencoder, format: str, style: Style = "hourglass", look: Look = PLAIN) -> str | bytes:
    """Return the diagram as text (``svg``, ``dot``, ``mmd``) or as bytes (``png``, ``pdf``).

    Graphviz and Mermaid have layouts of their own, so ``dot`` and ``mmd`` hold the graph of blocks in either style.
    """
    if format in ("dot", "mmd") or style == "blocks":
        return _blocks(model, format, look)
    from caedsl.figures.layout import layout

    drawing = layout(model, look)
    if format == "svg":
        from caedsl.figures.svg import svg

        return svg(drawing)
    # matplotlib takes half a second to import, and only these two formats need it.
    from caedsl.figures.raster import pdf, png

    return png(drawing) if format == "png" else pdf(drawing)


def _blocks(model: Autoencoder, format: str, look: Look) -> str | bytes:
    from caedsl.figures.blocks import blocks

    graph = blocks(model)
    if format == "mmd":
        from caedsl.figures.mermaid import mermaid

        return mermaid(graph, look)
    from caedsl.figures import dot

    if format == "dot":
        return dot.dot(graph, look)
    drawn = dot.draw(graph, format, look)
    # SVG 1.1 has no colour named transparent, which Graphviz writes.
    return drawn.decode().replace('"transparent"', '"none"') if format == "svg" else drawn


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if path.exists() and not path.is_file():
            raise OSError(EEXIST, "this is not a file; choose another name")
        try:
            with temporary.open("xb") as file:
                file.write(content)
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
    except OSError as error:
        reason = "there is no such folder" if not path.parent.exists() else (error.strerror or str(error))
        raise FigureError(f"cannot write {path}: {reason}") from error
