"""``repeat``: the same lines several times."""

from caedsl.vocabulary.kind import Kind, Role
from caedsl.vocabulary.option import FROM_ONE, REQUIRED, LayerOption, Type, Written

TIMES: LayerOption[int] = LayerOption("times", Type.COUNT, REQUIRED, "how often", Written.FIRST, FROM_ONE)


class Repeat(Kind):
    """Its layers so many times in a row, each copy with weights of its own. A single line is repeated by `x3` on it."""

    name = "repeat"
    role = Role.GROUPING
    example = "repeat 2 { conv 16 relu }"
    block = True
    has_output = False
    options = (TIMES,)
