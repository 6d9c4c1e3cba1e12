"""The formats that programs read: concise, json, github, sarif."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from caedsl.diagnostics import (
    FORMATS,
    Applicability,
    Edit,
    Finding,
    Fix,
    Label,
    RenderSettings,
    Report,
    RuleText,
    Severity,
)
from caedsl.diagnostics.concise import render_concise
from caedsl.diagnostics.github import render_github
from caedsl.diagnostics.json import render_json
from caedsl.diagnostics.sarif import render_sarif
from caedsl.source import Source, Span

RULES = {
    "output-shape": RuleText(
        "CAE201",
        "output-shape",
        Severity.ERROR,
        "The decoder does not return to the input's shape.",
        "# output-shape\n\n## What it does\nCompares the decoder's output\nwith the input.\n\n## Why\nThe loss.",
        "https://example.org/output-shape",
    ),
    "unknown-option": RuleText("CAE104", "unknown-option", Severity.WARNING, "No such option.", "Names an option."),
}


def test_concise_is_one_line_each_with_the_essentials(reports):
    assert render_concise(reports) == (
        "specs/small.cae:5:1: info[CAE301 no-bottleneck] the encoder does not compress: 784 values in, 392 out\n"
        "specs/small.cae:14:3: error[CAE201 output-shape] the decoder returns 1x27x27, but the input is 1x28x28: "
        "makes 1x27x27 (help: add `output_pad=1`, which gives the missing row and column)\n"
        'specs/small.cae:19:18: warning[CAE104 unknown-option] optimizer adam has no option "lerning_rate": '
        'did you mean "lr"? (help: write "lr")\n'
        "specs/small.cae:20:1: error[CAE001 syntax] `train` is not closed: expected `}` (help: close it with `}`)\n"
    )


def test_concise_leaves_out_help_that_is_too_long_but_no_essential(small):
    finding = Finding("n", "first\nsecond \x1b[0m", Label(Span(0, 1), "label"), help="long " * 50, code="C")
    assert render_concise([Report(small, (finding,))]) == "specs/small.cae:1:1: error[C n] first second ␛[0m: label\n"


def test_json_has_every_part(small, shape, typo):
    rendered = json.loads(render_json([Report(small, (typo, shape))]))
    first, second = rendered["findings"]
    assert list(rendered) == ["findings"]
    assert first == {
        "code": "CAE201",
        "name": "output-shape",
        "severity": "error",
        "message": "the decoder returns 1x27x27, but the input is 1x28x28",
        "label": "makes 1x27x27",
        "path": "specs/small.cae",
        "line": 14,
        "column": 3,
        "end_line": 14,
        "end_column": 31,
        "notes": ["height: (14 - 1)*2 - 2*1 + 3 + 0 = 27"],
        "data": {"output": [1, 27, 27], "ratio": None},
        "help": "add `output_pad=1`, which gives the missing row and column",
        "related": [{"message": "the input", "line": 3, "column": 7, "end_line": 3, "end_column": 14}],
        "fix": {
            "title": "add `output_pad=1`",
            "applicability": "unsafe",
            "edits": [{"line": 14, "column": 23, "end_line": 14, "end_column": 23, "text": " output_pad=1"}],
        },
    }
    assert second["name"] == "unknown-option"


def test_json_without_findings_or_fix(small, block):
    assert json.loads(render_json([Report(small, ())])) == {"findings": []}
    assert json.loads(render_json([Report(small, (block,))]))["findings"][0]["fix"] is None


def test_json_and_sarif_are_plain_ascii_for_any_text():
    finding = Finding("n", "図 \ud800", Label(Span(0, 1)), code="C")
    source = Source("図", "図\udcff.cae")
    for rendered in (render_json([Report(source, (finding,))]), render_sarif([Report(source, (finding,))], {})):
        assert rendered.isascii() and json.loads(rendered)


def test_github_commands(reports):
    lines = render_github(reports).splitlines()
    assert lines[0] == (
        "::notice title=caedsl (CAE301 no-bottleneck),file=specs/small.cae,line=5,endLine=8"
        "::the encoder does not compress: 784 values in, 392 out"
    )
    assert lines[1] == (
        "::error title=caedsl (CAE201 output-shape),file=specs/small.cae,line=14,col=3,endLine=14,endColumn=31"
        "::the decoder returns 1x27x27, but the input is 1x28x28: makes 1x27x27"
        "%0Aheight: (14 - 1)*2 - 2*1 + 3 + 0 = 27"
        "%0Ahelp: add `output_pad=1`, which gives the missing row and column"
    )
    assert [line.split(" ")[0] for line in lines] == ["::notice", "::error", "::warning", "::error"]


def test_github_escapes_what_would_end_a_command():
    source = Source("x", "a:b,c%\n.cae")
    finding = Finding("n", "50% of a:b,c\r\nnext ::error::", Label(Span(0, 1)), code="C")
    assert render_github([Report(source, (finding,))]) == (
        "::error title=caedsl (C n),file=a%3Ab%2Cc%25%0A.cae,line=1,col=1,endLine=1,endColumn=2"
        "::50%25 of a:b,c%0D%0Anext ::error::\n"
    )


@pytest.fixture(scope="module")
def schema():
    return json.loads(Path(__file__).with_name("sarif-2.1.0.json").read_text(encoding="utf-8"))


def validated(text, schema):
    log = json.loads(text)
    jsonschema.validate(log, schema)
    return log["runs"][0]


def test_sarif_is_valid_and_complete(reports, schema):
    run = validated(render_sarif(reports, RULES, "1.2.3"), schema)
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("caedsl", "1.2.3")
    assert driver["rules"][0] == {
        "id": "CAE201",
        "name": "output-shape",
        "shortDescription": {"text": "The decoder does not return to the input's shape."},
        "fullDescription": {"text": "Compares the decoder's output with the input."},
        "help": {"text": RULES["output-shape"].documentation, "markdown": RULES["output-shape"].documentation},
        "defaultConfiguration": {"level": "error"},
        "helpUri": "https://example.org/output-shape",
    }
    assert run["columnKind"] == "unicodeCodePoints"
    assert [result["level"] for result in run["results"]] == ["note", "error", "warning", "error"]
    result = run["results"][1]
    assert (result["ruleId"], result["ruleIndex"]) == ("CAE201", 0)
    assert result["message"]["text"].startswith(
        "the decoder returns 1x27x27, but the input is 1x28x28: makes 1x27x27\n"
    )
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "specs/small.cae"},
        "region": {"startLine": 14, "startColumn": 3, "endLine": 14, "endColumn": 31},
    }
    assert result["relatedLocations"][0]["message"] == {"text": "the input"}
    [change] = result["fixes"][0]["artifactChanges"]
    assert change["replacements"] == [
        {
            "deletedRegion": {"startLine": 14, "startColumn": 23, "endLine": 14, "endColumn": 23},
            "insertedContent": {"text": " output_pad=1"},
        }
    ]


def test_sarif_is_valid_for_nothing_and_for_a_rule_it_does_not_know(small, block, schema):
    assert validated(render_sarif([Report(small, ())], {}), schema)["results"] == []
    [result] = validated(render_sarif([Report(small, (block,))], {}), schema)["results"]
    assert result["ruleId"] == "CAE301"
    assert "ruleIndex" not in result and "fixes" not in result and "relatedLocations" not in result


def test_sarif_offers_no_fix_that_is_for_display_only(small, schema):
    fix = Fix("think", (Edit(Span(0, 1), "x"),), Applicability.DISPLAY)
    text = render_sarif([Report(small, (Finding("n", "m", Label(Span(0, 1)), fix=fix),))], {})
    assert "fixes" not in validated(text, schema)["results"][0]


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("./specs//a b.cae", "specs/a%20b.cae"),
        ("../図.cae", "../%E5%9B%B3.cae"),
        ("c:d#e?.cae", "c%3Ad%23e%3F.cae"),
    ],
)
def test_sarif_uris_are_relative_and_encoded(path, uri, schema):
    finding = Finding("n", "m", Label(Span(0, 1)))
    [result] = validated(render_sarif([Report(Source("x", path), (finding,))], {}), schema)["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_sarif_uri_of_an_absolute_path_is_relative_to_the_working_directory(tmp_path, monkeypatch, schema):
    monkeypatch.chdir(tmp_path)
    source = Source("x", str(tmp_path / "specs" / "a.cae"))
    [result] = validated(render_sarif([Report(source, (Finding("n", "m", Label(Span(0, 1))),))], {}), schema)["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "specs/a.cae"


def test_every_format_renders_through_the_table(reports):
    setting = RenderSettings(rules=RULES)
    rendered = {name: render(reports, setting) for name, render in FORMATS.items()}
    assert sorted(rendered) == ["concise", "full", "github", "json", "sarif"]
    assert rendered["concise"] == render_concise(reports)
    assert rendered["sarif"] == render_sarif(reports, RULES)
    assert all(text.endswith("\n") for text in rendered.values())


def test_a_renderer_is_imported_when_it_is_used():
    code = (
        "import sys, caedsl.diagnostics as d; "
        "from caedsl.source import Source, Span; "
        "r = [d.Report(Source('x'), (d.Finding('n', 'm', d.Label(Span(0, 1))),))]; "
        "d.FORMATS['full'](r, d.RenderSettings()); "
        "heavy = {'json', 'difflib', 'urllib.parse', 'logging', 'textwrap', 'pydantic', 'rich', 'lark', 'torch'}; "
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
