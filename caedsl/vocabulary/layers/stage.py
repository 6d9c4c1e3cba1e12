"""``stage``: a named group of layers."""

from caedsl.vocabulary.kind import Kind, Role
from caedsl.vocabulary.option import REQUIRED, LayerOption, Options, Type, Written

NAME: LayerOption[str] = LayerOption("name", Type.NAME, REQUIRED, "name of the stage", Written.FIRST)


class Stage(Kind):
    """A named group of layers; the name appears in diagrams and tables and has no other effect."""

    name = "stage"
    role = Role.GROUPING
    example = "stage down { conv 16 relu; maxpool 2 }"
    block = True
    options = (NAME,)

    def label(self, options: Options) -> str:
        """Return the name of the stage."""
        return options[NAME]
