"""The page shows the current table of causes."""

from .table import PAGE, regenerated


def test_the_page_shows_the_table() -> None:
    text = PAGE.read_text("utf-8")
    assert text == regenerated(text), "run `python -m tests.doctor.table`"
