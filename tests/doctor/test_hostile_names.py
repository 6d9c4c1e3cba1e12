"""Names and notes of a stranger are text in a diagnosis: on its page and in the terminal."""

from caedsl.doctor.diagnosis import Diagnosis, Verdict
from caedsl.doctor.page import page
from caedsl.doctor.ruled_out import RuledOut
from caedsl.doctor.suspicion import Suspicion

NAME = "a\nforged\x1b[31m\u202e<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
HOSTILE = Diagnosis(
    NAME,
    NAME,
    Verdict.ILL,
    (NAME,),
    (Suspicion("code-too-small", 0.9, NAME, NAME, NAME),),
    (RuledOut("image-scale", NAME),),
    (),
    (),
    {},
    0,
    1.0,
    notes=(NAME,),
)


def test_a_page_has_no_element_of_a_name() -> None:
    shown = page(HOSTILE)
    assert "&lt;script&gt;alert(1)" in shown
    assert "<script" not in shown and "<img src=x" not in shown
    assert not {"\x1b", "\u202e"} & set(shown)


def test_a_terminal_gets_no_line_of_a_name() -> None:
    lines = str(HOSTILE).splitlines()
    assert not any(line.startswith("forged") for line in lines)
    assert all(map(str.isprintable, lines))
