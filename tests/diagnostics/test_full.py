"""The full format, with its frames."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caedsl.diagnostics import Applicability, Edit, Finding, Fix, Label, Report, Severity
from caedsl.diagnostics.full import render_full
from caedsl.diagnostics.text import width as columns
from caedsl.source import Source, Span


def draw(source, *findings, width=100):
    return render_full([Report(source, findings)], colour=False, width=width)


def found(primary, *related, **parts):
    return Finding("name", "headline", primary, related, code="CAE1", **parts)


def test_shape_mismatch_shows_input_arithmetic_and_unsafe_fix(small, shape):
    assert (
        draw(small, shape)
        == """\
error[CAE201 output-shape]: the decoder returns 1x27x27, but the input is 1x28x28
  --> specs/small.cae:14:3
   |
 3 | input 1x28x28 in 0..1
   |       ------- the input
...
14 |   deconv 1 k3 s2 pad=1 sigmoid
   |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ makes 1x27x27
   |
   = note: height: (14 - 1)*2 - 2*1 + 3 + 0 = 27
help: add `output_pad=1`, which gives the missing row and column
   |
14 -   deconv 1 k3 s2 pad=1 sigmoid
14 +   deconv 1 k3 s2 pad=1 output_pad=1 sigmoid
   |
   = unsafe fix: add `output_pad=1` (--fix --unsafe-fixes)
"""
    )


def test_two_labels_in_one_line(small, typo):
    assert (
        draw(small, typo)
        == """\
warning[CAE104 unknown-option]: optimizer adam has no option "lerning_rate"
  --> specs/small.cae:19:18
   |
19 |   optimizer adam lerning_rate=1e-3
   |             ---- ^^^^^^^^^^^^ did you mean "lr"?
   |             |
   |             its options: lr, betas, eps, weight_decay
help: write "lr"
   |
19 -   optimizer adam lerning_rate=1e-3
19 +   optimizer adam lr=1e-3
   |
   = safe fix: --fix
"""
    )


def test_end_of_file_is_one_caret_and_an_added_line_shows_the_line_above(small, unclosed):
    assert (
        draw(small, unclosed)
        == """\
error[CAE001 syntax]: `train` is not closed
  --> specs/small.cae:20:1
   |
17 | train {
   | ------- opened here
...
20 |
   | ^ expected `}`
help: close it with `}`
   |
19 |   optimizer adam lerning_rate=1e-3
20 + }
   |
   = safe fix: --fix
"""
    )


def test_span_of_several_lines(small, block):
    assert (
        draw(small, block)
        == """\
info[CAE301 no-bottleneck]: the encoder does not compress
 --> specs/small.cae:5:1
  |
5 | / encoder {
6 | |   conv 16 k3 s2 relu
7 | |   conv 8 k3 s2 relu
8 | | }
  | |_^ 784 values in, 392 out
"""
    )


def test_span_from_inside_a_line_nested_in_a_longer_one(small, place):
    inner = Span(place(small, "decoder {").end - 1, place(small, "}", 1).end)
    outer = Span(place(small, "encoder {").start, place(small, "}", 1).end)
    assert (
        draw(small, found(Label(inner, "inner"), Label(outer, "outer")))
        == """\
error[CAE1 name]: headline
  --> specs/small.cae:12:9
   |
 5 | /   encoder {
 6 | |     conv 16 k3 s2 relu
...  |
12 | |   decoder {
   | |  _________^
13 | | |   deconv 16 k3 s2 relu
14 | | |   deconv 1 k3 s2 pad=1 sigmoid
15 | | | }
   | |_|_- outer
   |   |_^ inner
"""
    )


def test_line_ending_at_the_end_of_a_span_is_not_part_of_it(small, place):
    line = place(small, "bottleneck 8x7x7\n\n")
    assert "10 | bottleneck 8x7x7\n   | ^^^^^^^^^^^^^^^^ whole\n" in draw(small, found(Label(line, "whole")))


def test_gap_of_one_line_is_filled(small, place):
    frame = draw(small, found(Label(place(small, "1x28x28")), Label(place(small, "encoder {"))))
    assert "\n4 |\n5 | encoder {\n" in frame
    assert "..." not in frame


def test_tabs_and_wide_characters_keep_labels_under_their_words(place):
    source = Source("encoder {\n\tconv\t64 relu # 図\n  # 画像 s2 e\u0301 end\n}\n", "a.cae")
    frame = draw(
        source,
        found(Label(place(source, "relu"), "図 here"), Label(place(source, "64"))),
        found(Label(place(source, "s2"), "wide"), Label(place(source, "画像"), "two each")),
        found(Label(place(source, "end"), "after a combining mark")),
    )
    assert "2 |     conv    64 relu # 図\n  |             -- ^^^^ 図 here\n" in frame
    assert "3 |   # 画像 s2 e\u0301 end\n  |     ---- ^^ wide\n" in frame
    assert "  |               ^^^ after a combining mark\n" in frame


def test_crlf_file_shows_and_fixes_lines_like_any_other(small, typo, place):
    source = Source(small.text.replace("\n", "\r\n"), small.path)
    word = place(source, "lerning_rate")
    moved = Finding(
        typo.name,
        typo.message,
        Label(word, typo.primary.text),
        (Label(place(source, "adam"), typo.related[0].text),),
        fix=Fix('write "lr"', (Edit(word, "lr"),), Applicability.SAFE),
        code=typo.code,
        severity=typo.severity,
    )
    assert draw(source, moved) == draw(small, typo)


@pytest.mark.parametrize("width", [60, 80, 100])
def test_long_line_is_cut_to_the_width_around_the_span(width, place):
    layers = "; ".join(f"conv {channels} relu" for channels in range(100, 116))
    source = Source(f"encoder {{ {layers}; covn 7 relu; {layers} }}", "a.cae")
    word = place(source, "covn")
    assert len(source.text) > 400
    fix = Fix("write `conv`", (Edit(word, "conv"),), Applicability.SAFE)
    frame = draw(source, found(Label(word, "did you mean `conv`?"), fix=fix), width=width)
    lines = frame.splitlines()
    shown, underline = lines[3], lines[4]
    assert max(map(len, lines)) <= width
    assert shown[4] == shown[-1] == "…"
    assert shown[underline.index("^") : underline.rindex("^") + 1] == "covn"
    assert [line[2] for line in lines[7:9]] == ["-", "+"]
    assert "covn 7" in lines[7] and "conv 7" in lines[8]


def test_label_far_right_hangs_within_the_width(place):
    source = Source("x" * 90 + " end", "a.cae")
    frame = draw(source, found(Label(place(source, "end"), "words that do not fit beside their place")))
    assert max(map(len, frame.splitlines())) <= 100
    assert "words that do not fit beside their place" in frame


def test_long_note_is_wrapped_with_a_hanging_indent_and_a_table_kept(small, place):
    note = "this goes on and on " * 8 + "\nconv 16   14x14\nconv 8      7x7"
    frame = draw(small, found(Label(place(small, "input")), notes=(note,)), width=80)
    head, *rest = frame[frame.index("  = note: ") :].splitlines()
    assert len(head) <= 80 and all(line.startswith(" " * len("  = note: ") + line.strip()[:1]) for line in rest)
    assert [line.strip() for line in rest[-2:]] == ["conv 16   14x14", "conv 8      7x7"]


def test_lines_removed_show_what_stood_above(small, place):
    fix = Fix("drop it", (Edit(place(small, "  conv 8 k3 s2 relu\n"), ""),), Applicability.DISPLAY)
    frame = draw(small, found(Label(place(small, "conv 8")), fix=fix))
    assert "6 |   conv 16 k3 s2 relu\n7 -   conv 8 k3 s2 relu\n  |\n  = suggestion: apply it by hand\n" in frame


def test_edits_in_places_apart_are_hunks_apart(small, place):
    edits = (Edit(place(small, "28x28"), "32x32"), Edit(place(small, "k3"), "k4"), Edit(place(small, "s2"), "s3"))
    frame = draw(small, found(Label(place(small, "input")), fix=Fix("grow", edits, Applicability.UNSAFE)))
    assert "3 + input 1x32x32 in 0..1\n...\n6 -   conv 16 k3 s2 relu\n6 +   conv 16 k4 s3 relu\n" in frame


@pytest.mark.parametrize("text", ["", "\n", "x", "}\r\n", "\t"])
def test_span_at_the_end_of_tiny_files(text):
    source = Source(text, "a.cae")
    frame = draw(source, found(Label(Span(len(text), len(text)), "here")))
    assert re.search(r"^  \| +\^ here$", frame, re.MULTILINE)


def test_no_control_character_reaches_the_terminal():
    source = Source("conv\x1b[31m \u202eabc\x07\u2028x", "a\x1b.cae")
    frame = draw(source, found(Label(Span(0, 20), "bad\x1b[0m"), notes=("\x08",), help="\x9b"))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2028]", frame)
    assert "conv␛[31m" in frame


def test_colour_only_adds_codes(reports):
    plain, coloured = render_full(reports, colour=False), render_full(reports, colour=True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain
    assert "\x1b[1;91merror[CAE201 output-shape]\x1b[0m" in coloured
    assert "\x1b[1;33mwarning[CAE104 unknown-option]\x1b[0m" in coloured
    assert "\x1b[92moutput_pad=1 \x1b[0m" in coloured


def test_frames_are_in_order_of_place_with_infos_last_and_an_empty_line_between(small, reports):
    text = render_full([Report(Source("x", "zzz.cae"), (found(Label(Span(0, 1))),)), *reports], colour=False)
    places = re.findall(r"--> (.*)", text)
    assert places == [*(f"specs/small.cae:{place}" for place in ("14:3", "19:18", "20:1", "5:1")), "zzz.cae:1:1"]
    assert text.count("\n\n") == len(places) - 1


def test_nothing_found_is_nothing_shown(small):
    assert render_full([Report(small, ())], colour=False) == ""


def test_rule_without_a_code_is_named_alone(small):
    frame = draw(small, Finding("syntax", "m", Label(Span(0, 1)), severity=Severity.ERROR))
    assert frame.startswith("error[syntax]: m\n")


TEXTS = st.text(alphabet="ab {}#\t\n\r\u56fe\u0301\x1b\u200d" + "x" * 8, max_size=300)


@st.composite
def spans(draw, length):
    start = draw(st.integers(0, length))
    return Span(start, draw(st.integers(start, length)))


@given(st.data(), TEXTS, st.sampled_from([40, 80]))
def test_any_span_of_any_text_is_drawn_within_the_width(data, text, width):
    source = Source(text, "a.cae")
    primary, *related = (Label(data.draw(spans(len(text))), "label") for _ in range(data.draw(st.integers(1, 3))))
    fix = Fix("fix", (Edit(data.draw(spans(len(text))), data.draw(TEXTS)),), Applicability.SAFE)
    frame = render_full([Report(source, (found(primary, *related, fix=fix),))], colour=False, width=width)
    _head, *rows = frame.rstrip("\n").split("\n")
    assert any("^" in row for row in rows)
    assert not re.search(r"[\x00-\x1f]", "".join(rows))
    assert all(columns(row) <= width + 1 for row in rows)
