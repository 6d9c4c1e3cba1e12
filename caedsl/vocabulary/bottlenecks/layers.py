"""``bottleneck { layers }``: several layers between encoder and decoder."""

from caedsl.vocabulary.form import CODE_OPTIONS, Form


class Layers(Form):
    """Layers between encoder and decoder: `bottleneck { dense 128 relu; dense 10; dense 128 relu }`.

    The code is the output with the fewest numbers, or that of the line named `as code`. `encode` returns it, and
    `decode` starts with the layers after it.
    """

    name = "layers"
    words = ()
    options = CODE_OPTIONS
    example = "bottleneck { dense 128 relu; dense 10; dense 128 relu }"
    block = True
