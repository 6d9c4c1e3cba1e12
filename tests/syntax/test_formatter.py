"""The canonical layout, case by case."""

import pytest

from caedsl.source import Source
from caedsl.syntax import formatter
from caedsl.syntax.formatter import MAX_WIDTH, FormatterBug, format_source
from tests.conftest import SPECS

CASES = {
    "spaces": ("conv   64\tk3   l2 = 1e-3  \n", "conv 64 k3 l2=1e-3\n"),
    "sums": ("loss mse+0.2 ssim\nlet w=( 1+2 ) * 3 / x-1\n", "loss mse + 0.2 ssim\nlet w = (1 + 2)*3/x - 1\n"),
    "negative": ("x a -1\nx a - 1\nx in - 1 .. 1\n", "x a -1\nx a - 1\nx in - 1..1\n"),
    "ranges": ("compression 4 .. 64\nin 5. .. .5\n", "compression 4..64\nin 5.0..0.5\n"),
    "compare": ("parameters<500k\n", "parameters < 500k\n"),
    "numbers": ("x .5 5. 1E-3 5.E3 5.k 1E .5%\n", "x 0.5 5.0 1e-3 5.0e3 5.0k 1E 0.5%\n"),
    "short options": (
        "conv 8 k3x3 s=2 d2x2 k3x5 g=4 k=3x5 k=1.5 p=2\n",
        "conv 8 k3 s2 d2 k3x5 g4 k=3x5 k=1.5 p=2\n",
    ),
    "names are no options": (
        "autoencoder k3x3\nlet k=3\nstage s2x2 {\n  conv 8\n}\n",
        "autoencoder k3x3\nlet k = 3\nstage s2x2 {\n  conv 8\n}\n",
    ),
    "names of findings keep their hyphens": (
        'allow useless-bias   "as published"\nallow k3x3-a-b "c"\nlet a=b-c\n',
        'allow useless-bias "as published"\nallow k3x3-a-b "c"\nlet a = b - c\n',
    ),
    "indent": ("a {\nb {\n      c\n}\n}", "a {\n  b {\n    c\n  }\n}\n"),
    "blank lines": ("\n\na\n\n\n\nb {\n\n\nc\n\n\nd\n\n}\n\n\n", "a\n\nb {\n  c\n\n  d\n}\n"),
    "semicolons": ("a;b ;; c;\n;d", "a\nb\nc\nd\n"),
    "one line": ("encoder{conv 16 relu;maxpool 2;}", "encoder { conv 16 relu; maxpool 2 }\n"),
    "one line in one line": ("a{b{c;d};e{}}", "a { b { c; d }; e {} }\n"),
    "one line and a rest": ("a { b\n}\nc { d;\n e }", "a {\n  b\n}\nc {\n  d\n  e\n}\n"),
    "empty": ("a{}\nb {\n\n}\n", "a {}\nb {}\n"),
    "aligned": (
        "train {\nloss mse\noptimizer  adam\nema\n}\nrequire {\ncompression 4..64\nmacs<1M\n}\nother {\na 1\nbcd 2\n}",
        "train {\n  loss      mse\n  optimizer adam\n  ema\n}\n"
        "require {\n  compression 4..64\n  macs        < 1M\n}\nother {\n  a 1\n  bcd 2\n}\n",
    ),
    "not aligned on one line": ("train{loss mse;optimizer adam}", "train { loss mse; optimizer adam }\n"),
    "comments": (
        "#  top \t\n\n\n# two\na# trail\nb { # open\n      # own\nc ; # after\n\n# last\n} # close\n# end",
        "#  top\n\n# two\na  # trail\nb {  # open\n  # own\n  c  # after\n\n  # last\n}  # close\n# end\n",
    ),
    "a comment keeps a block open": ("a { # c\n}\nb {\n# c\n}", "a {  # c\n}\nb {\n  # c\n}\n"),
    "a comment after one-line statements": ("a; b # c", "a\nb  # c\n"),
    "a comment at the end with a semicolon": ("a # b; c", "a  # b; c\n"),
    "strings": ('folder   "a  #  {b"', 'folder "a  #  {b"\n'),
    "windows": ("a\r\nb {\nc\r}", "a\r\nb {\r\n  c\r\n}\r\n"),
    "byte order mark": ("\ufeffa  1", "a 1\n"),
    "nothing": (" \n\t;\n", ""),
    "off and on": (
        "a {\n   # fmt: off\n  b   1\n      c { d\n }\n\n\n # fmt: on\n  e   1\n}",
        "a {\n  # fmt: off\n  b   1\n      c { d\n }\n\n\n  # fmt: on\n  e 1\n}\n",
    ),
    "off to the end of the block": (
        "a {\n# fmt: off\nb   1 ; c }\nd   1",
        "a {\n  # fmt: off\nb   1 ; c\n}\nd 1\n",
    ),
    "off to the end of the text": ("# fmt: off\na   1\n\n", "# fmt: off\na   1\n"),
    "off behind a statement means nothing": ("a # fmt: off\nb   1", "a  # fmt: off\nb 1\n"),
}


@pytest.mark.parametrize(("text", "formatted"), CASES.values(), ids=CASES.keys())
def test_layout(text: str, formatted: str) -> None:
    assert format_source(Source(text)) == (formatted, ())
    assert format_source(Source(formatted)) == (formatted, ())


def test_a_block_too_long_for_one_line_is_written_on_several() -> None:
    body = "; ".join(["conv 16 relu"] * 6)
    fits = f"e{'x' * (MAX_WIDTH - len(body) - 6)} {{ {body} }}"
    assert len(fits) == MAX_WIDTH
    assert format_source(Source(fits))[0] == f"{fits}\n"
    assert format_source(Source(f"e{fits}"))[0] == f"e{fits.split()[0]} {{\n" + "  conv 16 relu\n" * 6 + "}\n"


def test_a_spec_with_syntax_errors_is_not_formatted() -> None:
    text, findings = format_source(Source("conv: 64"))
    assert text is None
    assert len(findings) == 1


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_the_shipped_specs_are_formatted(path) -> None:  # type: ignore[no-untyped-def]
    text = path.read_text("utf-8")
    assert format_source(Source(text))[0] == text


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda text, spec: "conv 32\n# c\n", "meaning"),
        (lambda text, spec: "conv 64\n", "comment"),
        (lambda text, spec: text + "\n", "twice"),
        (lambda text, spec: "conv {\n# c\n", "meaning"),
    ],
    ids=["other value", "lost comment", "unstable", "no spec"],
)
def test_a_broken_promise_is_noticed(monkeypatch: pytest.MonkeyPatch, wrong, said: str) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(formatter, "_laid_out", wrong)
    with pytest.raises(FormatterBug, match=said):
        format_source(Source("conv 64\n# c\n"))


def test_the_promise_does_not_depend_on_spelling() -> None:
    text, findings = format_source(Source("conv 8 k=3 l2=.5"))
    assert not findings
    assert text == "conv 8 k3 l2=0.5\n"
