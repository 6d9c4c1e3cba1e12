"""The colours of the diagrams, by what they mean.

Hues are Okabe and Ito's (2008, "Color Universal Design"), which people with any common colour vision tell apart: blue
for the encoder, green for the decoder, vermilion for the code, purple for shortcuts; darkened or lightened until text
in them is easy to read. Every fill is opaque, so that the contrast of the text on it is known.
"""

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
    "shortcut": "#e29cc2",
}
