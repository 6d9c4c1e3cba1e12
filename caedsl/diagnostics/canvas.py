"""Grid of terminal cells, drawn in any order and read out as lines."""

from caedsl.diagnostics.colour import OutputStyle, paint
from caedsl.diagnostics.text import LaidOutLine, width

CUT = "…"


class Canvas:
    """Unbounded grid of styled cells, drawn from the top left."""

    def __init__(self) -> None:
        self._rows: list[dict[int, tuple[str, OutputStyle]]] = []

    @property
    def height(self) -> int:
        """Number of rows drawn so far."""
        return len(self._rows)

    def put(self, row: int, column: int, text: str, style: OutputStyle = OutputStyle.PLAIN) -> None:
        """Draw ``text`` from ``column``: a wide character covers two cells, a combining mark joins the last cell."""
        self._rows.extend({} for _ in range(row + 1 - self.height))
        cells = self._rows[row]
        if text.isascii():
            cells.update((place, (character, style)) for place, character in enumerate(text, column))
            return
        for character in text:
            columns = width(character)
            if columns:
                cells[column] = (character, style)
                cells.update({column + covered: ("", style) for covered in range(1, columns)})
                column += columns
            else:
                before = next((place for place in (column - 1, column - 2) if cells.get(place, ("",))[0]), column)
                cells[before] = (cells.get(before, (" ", style))[0] + character, style)

    def put_line(self, row: int, column: int, line: LaidOutLine, scroll: int, room: int) -> None:
        """Draw the part of a source line that fits into ``room`` columns, with a sign where it is cut."""
        cut_left, cut_right = scroll > 0, line.width - scroll > room
        self.put(row, column, "")
        for place, text in line.between(scroll + cut_left, scroll + room - cut_right):
            self.put(row, column + place - scroll, text)
        if cut_left:
            self.put(row, column, CUT, OutputStyle.FRAME)
        if cut_right:
            self.put(row, column + room - 1, CUT, OutputStyle.FRAME)

    def restyle(self, row: int, start: int, end: int, style: OutputStyle) -> None:
        """Change the style of the plain cells ``start..end`` of a row."""
        cells = self._rows[row]
        for column, (character, old) in cells.items():
            if start <= column < end and old is OutputStyle.PLAIN:
                cells[column] = (character, style)

    def is_blank(self, row: int, column: int) -> bool:
        """Return whether a cell is empty, or has only the stroke of a bracket."""
        return row >= self.height or self._rows[row].get(column, (" ",))[0] in " _"

    def lines(self, colour: bool) -> list[str]:
        """Return the rows as text, without trailing spaces."""
        return [_read(cells, colour) for cells in self._rows]


def _read(cells: dict[int, tuple[str, OutputStyle]], colour: bool) -> str:
    end = max((column for column, (character, _) in cells.items() if character not in (" ", "\u3000")), default=-1)
    runs: list[tuple[str, OutputStyle]] = []
    for column in range(end + 1):
        character, style = cells.get(column, (" ", OutputStyle.PLAIN))
        if runs and runs[-1][1] is style:
            runs[-1] = (runs[-1][0] + character, style)
        else:
            runs.append((character, style))
    return "".join(paint(text, style, colour) for text, style in runs)
