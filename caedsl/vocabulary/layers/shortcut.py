"""``shortcut``: the layers of a residual's other way."""

from caedsl.vocabulary.kind import Kind, Role


class Shortcut(Kind):
    """Layers that a residual's input passes before it is added, in place of the projection that is made by itself.

    It stands inside `residual`: `residual { conv 64 s2; shortcut { conv 64 k1 s2 norm=batch } }`.
    """

    name = "shortcut"
    role = Role.GROUPING
    example = "shortcut { conv 32 k1 norm=batch }"
    block = True
    has_output = False
