"""A spec that extends another: one merge, every finding in the file with its text, and no harmful files."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caedsl.api import SpecError, check, load
from caedsl.cli.main import main
from caedsl.diagnostics import FORMATS, RenderSettings
from caedsl.diagnostics.finding import Finding
from caedsl.resolve.merging.extending import MOST_BASES, Expansion, combined, expand
from caedsl.rules.engine.checking import check_source
from caedsl.source import Source
from caedsl.syntax.formatter import format_source
from caedsl.syntax.parser import parse
from caedsl.syntax.reading import read_source
from caedsl.vocabulary.spelling import line
from tests.strategies import layouts, specs

BASE = """autoencoder small
input 1x16x16
data digits
let width = 16  # channels
encoder { conv width relu; maxpool 2 }
bottleneck dense 16
decoder mirror
train { optimizer adam lr=1e-3; epochs 40 }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "base.cae").write_text(BASE)
    return tmp_path


def variant(folder: Path, changes: str, base: str = "base.cae", name: str = "wide") -> str:
    path = folder / f"{name}.cae"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'autoencoder {name.rpartition("/")[2]} extends "{base}"\n{changes}\n')
    return str(path)


def only(findings: tuple[Finding, ...]) -> Finding:
    (finding,) = findings
    return finding


def test_a_variant_states_what_differs(folder: Path) -> None:
    model = load(variant(folder, "let width = 32\nbottleneck dense 8\ntrain { optimizer lr=1e-4; batch 32 }"))
    assert model.name == "wide"
    assert line(model.encoder[0]) == "conv 32 relu"
    assert model.bottleneck.code_shape == (8,)
    assert model.train is not None
    assert (model.train.optimizer.name, model.train.optimizer.lr, model.train.batch) == ("adam", 1e-4, 32)
    assert model.train.epochs == 40


def test_the_whole_text_stands_alone(folder: Path) -> None:
    source = load(variant(folder, "let width = 32")).source
    assert source.text == BASE.replace("small", "wide").replace("let width = 16", "let width = 32")


def test_new_definitions_stand_above_the_layers(folder: Path) -> None:
    path = variant(folder, "defaults conv k5\nlet half = width/2\nblock b n { conv n }\nencoder { b half; maxpool 2 }")
    assert line(load(path).encoder[0]) == "conv 8 k5"


def test_bases_may_extend_others(folder: Path) -> None:
    variant(folder, "let width = 32", name="middle")
    path = variant(folder, "bottleneck dense 4 foo=1", "../middle.cae", name="sub/last")
    assert [finding.path for finding in check(path)] == [""]
    variant(folder, "let width = 32 33", name="middle")
    assert str(folder / "middle.cae") in {finding.path for finding in check(path)}


def test_settings_may_be_changed_too(folder: Path) -> None:
    path = variant(folder, "let width = 32")
    assert line(load(path, {"let.width": 4}).encoder[0]) == "conv 4 relu"


@pytest.mark.parametrize(
    ("base", "changes", "place"),
    [
        ("bottleneck dense 16 foo=1", "let width = 32", "base.cae:6:21: error"),
        ("bottleneck dense 16", "bottleneck dense 8 foo=1", "wide.cae:2:20: error"),
        ("bottleneck dense 16", "\n\n# why\ntrain { optimizer lr=9 }", "wide.cae:5:19: warning"),
        ("bottleneck dense 16", "let deep = 3", "wide.cae:2:5: warning"),
    ],
)
def test_findings_point_into_the_file_of_their_words(folder: Path, base: str, changes: str, place: str) -> None:
    (folder / "base.cae").write_text(BASE.replace("bottleneck dense 16", base))
    path = variant(folder, changes)
    for name, render in FORMATS.items():
        shown = render(check_source(read_source(path)).reports, RenderSettings())
        assert name != "concise" or f"{folder}{os.sep}{place}" in shown


def test_a_finding_names_places_in_both_files(folder: Path) -> None:
    finding = check(variant(folder, "input 3x16x16"))[0]
    assert (finding.name, finding.path) == ("data-channels", str(folder / "base.cae"))
    assert any(f"{folder / 'wide.cae'}:2:" in note for note in finding.notes)


def test_findings_of_a_shared_base_are_shown_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "base.cae").write_text(BASE + "let unused = 3\n")
    variant(folder, "let width = 32", name="wide")
    variant(folder, "let width = 64", name="wider")
    assert main(["check", str(folder), "--output-format", "concise"]) == 0
    assert capsys.readouterr().out.count("unused-constant") == 1


UNUSABLE = [
    ('autoencoder a extends "missing.cae"', "this file does not exist", "check the path"),
    ('autoencoder a extends "."', "this is a folder", "name a `.cae` file"),
    ('autoencoder a extends "a.cae"', "extends itself", "remove `extends` from the base"),
    ('autoencoder a extends "circle.cae"', "extends itself", "remove `extends` from the base"),
    ('autoencoder a extends "broken.cae"', "syntax error", "caedsl check"),
    ('autoencoder a extends "large.cae"', "larger than 64 KiB", "name a `.cae` file"),
    ('autoencoder a extends "binary.cae"', "not UTF-8", "save it as UTF-8"),
    ('autoencoder a extends "zero\x01.cae"', "does not exist", "check the path"),
    ('autoencoder a extends ""', "needs the path", "write `autoencoder"),
    ("autoencoder a extends", "needs the path", "write `autoencoder"),
    ("autoencoder a extends base", "needs the path", "write `autoencoder"),
    ('autoencoder a extends "base.cae" "base.cae"', "needs the path", "write `autoencoder"),
]


@pytest.mark.parametrize(("text", "message", "remedy"), UNUSABLE)
def test_a_base_that_cannot_be_used_is_one_finding(folder: Path, text: str, message: str, remedy: str) -> None:
    (folder / "circle.cae").write_text('autoencoder circle extends "a.cae"\n')
    (folder / "broken.cae").write_text("autoencoder b\nencoder { conv\n")
    (folder / "large.cae").write_text("# long\n" * 50_000)
    (folder / "binary.cae").write_bytes(b"\xff\xfe\x00\x01")
    path = folder / "a.cae"
    path.write_text(f"{text}\nencoder {{ nonsense }}\n")
    finding = only(check(path))
    assert finding.name == "unusable-base"
    assert message in finding.message
    assert remedy in finding.help
    with pytest.raises(SpecError, match="unusable-base"):
        load(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes")
def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    assert "pipe or a device" in only(check(variant(folder, "", "pipe"))).message


def test_a_long_row_of_bases_is_refused(folder: Path) -> None:
    variant(folder, "", name="v0")
    for number in range(1, MOST_BASES + 2):
        path = variant(folder, "", f"v{number - 1}.cae", f"v{number}")
    assert "in a row" in only(check(path)).message


def test_syntax_errors_of_the_variant_come_first(folder: Path) -> None:
    assert {finding.name for finding in check(variant(folder, "encoder { conv 8", "missing.cae"))} == {
        "unbalanced-braces"
    }


def test_fmt_does_not_expand(folder: Path) -> None:
    text, _ = format_source(read_source(variant(folder, "let   width=32")))
    assert text == 'autoencoder wide extends "base.cae"\nlet width = 32\n'


FIXABLE = [
    ("let width = 32\nlet deep = 3", "let width = 32"),
    ("let deep = 3  # why", "# why"),
    ("# first\nlet width = 32 ; let deep = 3  # why", "# first\nlet width = 32  # why"),
    ("encoder { conv 8 rellu; maxpool 2 }", "encoder { conv 8 relu; maxpool 2 }"),
    ("encoder {\n  # to begin\n  conv  8 rellu  # eight\n  maxpool 2\n}", None),
    ("  bottleneck   dense 8 tahn", "  bottleneck   dense 8 tanh"),
    ("train {\n  # faster\n  optimizr   lr=1e-2 # why\n}", "train {\n  # faster\n  optimizer   lr=1e-2 # why\n}"),
    ("train { optimizer lr=1 }", "train { optimizer lr=1e-3 }"),
    ("let width = 32\r\ntrain { schedule cosin }\r\n", "let width = 32\r\ntrain { schedule cosine }\r\n"),
]


@pytest.mark.parametrize(("changes", "after"), FIXABLE)
def test_fix_changes_the_variant_where_its_own_words_are_wrong(folder: Path, changes: str, after: str | None) -> None:
    path = Path(variant(folder, changes))
    path.write_bytes(f'autoencoder wide extends "base.cae"\n{changes}\n'.encode())
    main(["check", str(path), "--fix", "--unsafe-fixes"])
    expected = changes.replace("rellu", "relu") if after is None else after
    assert path.read_bytes() == f'autoencoder wide extends "base.cae"\n{expected}\n'.encode()
    assert (folder / "base.cae").read_text() == BASE


@pytest.mark.parametrize(
    ("wrong", "changes"),
    [("conv width rellu", "let width = 32"), ("conv width relu; conv width g3 relu", "let width = 33")],
)
def test_a_fix_of_the_base_names_its_file(folder: Path, wrong: str, changes: str) -> None:
    base = BASE.replace("conv width relu", wrong)
    (folder / "base.cae").write_text(base)
    path = Path(variant(folder, changes))
    before = path.read_text()
    main(["check", str(path), "--fix", "--unsafe-fixes"])
    assert (path.read_text(), (folder / "base.cae").read_text()) == (before, base)
    for finding in check(str(path)):
        assert finding.fix is None
        assert finding.path == str(folder / "base.cae")
    if "rellu" in wrong:
        assert only(check(str(path))).help == f"did you mean `relu`?, in {folder / 'base.cae'}"


def test_a_fix_that_uncovers_the_base_is_not_offered(folder: Path) -> None:
    (folder / "base.cae").write_text(BASE.replace("let width = 16", "let width = 16.5"))
    finding = only(check(variant(folder, "let width = 32\nencoder { conv 8 relu; maxpool 2 }")))
    assert (finding.name, finding.fix) == ("unused-constant", None)


@settings(max_examples=40)
@given(st.data(), specs(), specs())
def test_every_word_of_a_merged_text_knows_its_file(data: st.DataObject, base_spec: object, changes: object) -> None:
    base = Source(data.draw(layouts(base_spec))[0], "base.cae")  # type: ignore[arg-type]
    changed = Source(data.draw(layouts(changes))[0], "variant.cae")  # type: ignore[arg-type]
    merged = combined(Expansion(base), changed)
    assert merged.origins is not None
    for statement in parse(merged.source)[0].walk():
        place = merged.origins.locate(statement.head.span)
        assert place.source.slice(place.span) == statement.head.text


def test_a_text_without_the_word_is_not_touched() -> None:
    source = Source(BASE)
    assert expand(source).source is source
