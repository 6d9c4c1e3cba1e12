"""Options of a figure's look: its width, the size of its text, its title and its colours."""

from dataclasses import dataclass

from caedsl.figures.errors import FigureError

POINTS_PER_CM = 72 / 2.54


@dataclass(frozen=True)
class Look:
    """Appearance of a figure.

    ``width`` is in centimetres, and ``font_size`` is the size of the smallest text in points; None leaves them to the
    figure. ``title`` writes the model's name above it, and ``grey`` draws without colour.
    """

    width: float | None = None
    font_size: float | None = None
    title: bool = True
    grey: bool = False

    def __post_init__(self) -> None:
        for name, value, most, unit in (
            ("width", self.width, 500, "cm"),
            ("font size", self.font_size, 100, "points"),
        ):
            if value is not None and not 0 < value <= most:
                raise FigureError(
                    f"the {name} of a figure is above 0 and at most {most} {unit}, not {value:g}; "
                    f"give another {name}, or omit it"
                )


PLAIN = Look()
