"""``repeat``: the same lines several times."""

from caedsl.vocabulary.kind import Kind, Role
from caedsl.vocabulary.option import FROM_ONE, REQUIRED, LayerOption, Type, Written

TIMES: LayerOption[int] = LayerOption("times", Type.COUNT, REQUIRED, "number of repeats", Written.FIRST, FROM_ONE)


class Repeat(Kind):
    """Its layers repeated in a row, each copy with its own weights. To repeat a single line, write `x3` on it."""

    name = "repeat"
    role = Role.GROUPING
    example = "repeat 2 { conv 16 relu }"
    block = True
    has_output = False
    options = (TIMES,)
