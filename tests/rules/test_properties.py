"""No text makes ``check`` or ``fmt`` raise or take unreasonably long."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from caedsl.cli.main import main
from caedsl.diagnostics import FORMATS, RenderSettings
from caedsl.diagnostics.diff import unified_diff
from caedsl.rules.engine import catalogue
from caedsl.rules.engine.checking import check_source
from caedsl.rules.engine.documentation import rule_text
from caedsl.rules.engine.fixing import fix_source
from caedsl.source import Source
from caedsl.syntax.formatter import format_source
from caedsl.syntax.parser import parse
from caedsl.syntax.reading import SourceError, decode_source
from tests.conftest import SPECS
from tests.generated import spec_texts
from tests.mutations import mutated
from tests.strategies import layouts

TOKENS = re.findall(r"[\w.]+|[^\w\s]|\n", "\n".join(path.read_text("utf-8") for path in SPECS))
ODD = [
    "",
    "\ufeff",
    "\x00",
    "\u2028",
    "\r",
    '"',
    "#",
    "# cae: allow[",
    "# cae: allow[x] y",
    "9" * 400,
    "1e999",
    "x" * 300,
]
RULES = {entry.rule.name: rule_text(entry) for entry in catalogue.every()}

soup = st.lists(st.sampled_from([*TOKENS, *ODD]), max_size=60).map(" ".join)
# An alphabet instead of all of Unicode, whose table costs Hypothesis seconds; each character represents its class.
text = st.text("abx159 \n\t\r;#{}()=\"./*+-<>[],:\\'\x00\x1b\ufeff\u2028é×漢🙂\u0301\ud800", max_size=200)
MANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def answer(source: Source) -> Iterator[str]:
    """Yield everything that the two commands print about ``source``."""
    report = check_source(source).reports[0]
    for name in FORMATS:
        yield FORMATS[name]([report], RenderSettings(rules=RULES))
    yield unified_diff(source.text, fix_source(source, unsafe=True).checked.source.text, source.path)
    formatted, _ = format_source(source)
    if formatted is not None:
        yield unified_diff(source.text, formatted, source.path)


@MANY
@given(text)
@example(",")
def test_any_text(written: str) -> None:
    assert all(isinstance(shown, str) for shown in answer(Source(written, "a.cae")))


@MANY
@given(soup)
def test_token_soup(written: str) -> None:
    assert all(isinstance(shown, str) for shown in answer(Source(written, "a.cae")))


@MANY
@given(mutated(most=6))
def test_faulty_specs(written: str) -> None:
    assert all(isinstance(shown, str) for shown in answer(Source(written, "a.cae")))


QUOTED = re.compile(r"\"[^\"]*\"|`[^`]*`|\s+")


def said(text: str) -> Counter[tuple[str, str, str]]:
    findings = check_source(Source(text, "a.cae")).findings
    # A message may quote the author's text, whose spelling `fmt` changes: `4.` becomes `4.0`.
    return Counter((each.code, each.severity.value, QUOTED.sub("", each.message)) for each in findings)


@settings(MANY, max_examples=25)
@given(st.data(), st.one_of(mutated(most=2), spec_texts()))
def test_findings_do_not_depend_on_layout(data: st.DataObject, written: str) -> None:
    """``check(fmt(x)) == check(x)``, and the same for any other layout of the statements."""
    written = re.sub(r"#[^\r\n]*", "", written)  # a comment speaks of the statement beside it
    spec, _ = parse(Source(written, "a.cae"))
    formatted, _ = format_source(Source(written, "a.cae"))
    assume(formatted is not None)
    assert said(str(formatted)) == said(written)
    other, _ = data.draw(layouts(spec))
    assert said(re.sub(r"#[^\r\n]*", "", other)) == said(written)


@MANY
@given(spec_texts())
def test_odd_but_whole_specs(written: str) -> None:
    assert all(isinstance(shown, str) for shown in answer(Source(written, "a.cae")))


@MANY
@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    try:
        source = decode_source(data, "a.cae")
    except SourceError as error:
        refusal = str(error)
        assert refusal.startswith("a.cae: ")
    else:
        assert all(isinstance(shown, str) for shown in answer(source))


BODY = "autoencoder big\ninput 1x28x28\nencoder {{ {} }}\nbottleneck dense 8\ndecoder mirror\ntrain {{ loss mse }}\n"
LARGE = {
    "empty": "",
    "blank": " \n" * 30_000,
    "braces": "{" * 10_000,
    "closing braces": "}" * 4_000,
    "nested": "encoder { " * 3_000 + "}" * 3_000,
    "parentheses": "let a = " + "(" * 10_000,
    "a long line": "conv " * 4_000,
    "a long word": "a" * 60_000,
    "a long number": "input 1x" + "9" * 60_000,
    "a long sum": "let a = 1" + " + 1" * 10_000,
    "comments": "# cae: allow[overcomplete]\n" * 2_000,
    "allowances": "# cae: allow[overcompleet] because\n" * 1_800,
    "strings": 'data folder "\n' * 1_000,
    "misspelt layers": BODY.format("cnov 8\n" * 250),
    "misspelt options": BODY.format("conv 8 " + "rleu=3 " * 1_000),
    "a deep model": BODY.format("conv 8 relu\n" * 700),
    "a repeated model": BODY.format("repeat 1000 { repeat 1000 { repeat 1000 { conv 8 relu } } }"),
    "a huge input": BODY.replace("28x28", "1000000000000x1000000000000").format("conv 8 relu; maxpool 2"),
    "huge channels": BODY.format("conv 1000000000000 k99999 relu; maxpool 2"),
    "huge numbers": BODY.replace("loss mse", "batch 1e300; epochs 1e308; optimizer adam lr=1e999").format(
        "conv 8 relu"
    ),
    "constants": "".join(f"let a{n} = {f'a{n - 1} * 9' if n else '9'}\n" for n in range(600)),
    "same statement": "autoencoder a\n" * 1_000,
}


@pytest.mark.parametrize("name", LARGE)
def test_large_texts_are_answered(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "large.cae"
    file.write_text(LARGE[name], "utf-8")
    for arguments in (["check"], ["check", "--diff", "--unsafe-fixes"], ["fmt", "--check"]):
        code = main([*arguments, str(file)])
        shown = capsys.readouterr()
        assert code in (0, 1), shown.err
        assert "Traceback" not in shown.out + shown.err
