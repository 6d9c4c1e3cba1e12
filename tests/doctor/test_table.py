"""The page shows the table of causes as it is."""

from .table import PAGE, regenerated


def test_the_page_shows_the_table() -> None:
    text = PAGE.read_text("utf-8")
    assert text == regenerated(text), "run `python -m tests.doctor.table`"
