"""``shortcut``: the layers of a residual's shortcut."""

from caedsl.vocabulary.kind import Kind, Role


class Shortcut(Kind):
    """Layers that a residual applies to its input before the sum, instead of the automatic projection.

    It belongs inside `residual`: `residual { conv 64 s2; shortcut { conv 64 k1 s2 norm=batch } }`.
    """

    name = "shortcut"
    role = Role.GROUPING
    example = "shortcut { conv 32 k1 norm=batch }"
    block = True
    has_output = False
