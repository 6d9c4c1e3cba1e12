"""Colours of the diagrams, by their meaning.

Hues are Okabe and Ito's (2008, "Color Universal Design"), which people with any common colour vision can distinguish:
blue for the encoder, green for the decoder, vermilion for the code, purple for shortcuts. They are darkened or
lightened until text in them is easy to read. Every fill is opaque, so that the contrast of the text on it is known.
"""

from typing import NamedTuple

Palette = dict[str, str]

LIGHT: Palette = {
    "ink": "#1f2328",
    "muted": "#59636e",
    "line": "#b6bdc5",
    "encoder": "#0072b2",
    "encoder-fill": "#cfe4f2",
    "encoder-flow": "#eef5fa",
    "decoder": "#00795a",
    "decoder-fill": "#cdebe0",
    "decoder-flow": "#edf8f4",
    "bottleneck": "#b84a00",
    "bottleneck-fill": "#f8d9c4",
    "bottleneck-flow": "#fcefe6",
    "shortcut": "#a5517f",
}

DARK: Palette = {
    "ink": "#e6edf3",
    "muted": "#9aa5b1",
    "line": "#56606b",
    "encoder": "#56b4e9",
    "encoder-fill": "#123a54",
    "encoder-flow": "#0f2232",
    "decoder": "#2fc79a",
    "decoder-fill": "#0d4435",
    "decoder-flow": "#0c271f",
    "bottleneck": "#ff9a56",
    "bottleneck-fill": "#5a2a0c",
    "bottleneck-flow": "#2f1a0d",
    "shortcut": "#e29cc2",
}

GREY: Palette = {
    "ink": "#1a1a1a",
    "muted": "#5c5c5c",
    "line": "#b5b5b5",
    "encoder": "#4a4a4a",
    "encoder-fill": "#d9d9d9",
    "encoder-flow": "#f2f2f2",
    "decoder": "#6e6e6e",
    "decoder-fill": "#f0f0f0",
    "decoder-flow": "#f9f9f9",
    "bottleneck": "#1a1a1a",
    "bottleneck-fill": "#b8b8b8",
    "bottleneck-flow": "#e3e3e3",
    "shortcut": "#4a4a4a",
}
"""Greys for print without colour: the code is darkest, the decoder lightest."""

GREY_DARK: Palette = {
    "ink": "#ededed",
    "muted": "#a3a3a3",
    "line": "#5e5e5e",
    "encoder": "#b0b0b0",
    "encoder-fill": "#3d3d3d",
    "encoder-flow": "#242424",
    "decoder": "#8c8c8c",
    "decoder-fill": "#262626",
    "decoder-flow": "#1a1a1a",
    "bottleneck": "#ededed",
    "bottleneck-fill": "#5c5c5c",
    "bottleneck-flow": "#333333",
    "shortcut": "#b0b0b0",
}


class Scheme(NamedTuple):
    """Colours of one figure on light and on dark screens; paper is light."""

    light: Palette
    dark: Palette


COLOURS = Scheme(LIGHT, DARK)
GREYS = Scheme(GREY, GREY_DARK)
