"""One cause, one finding: places with the same fault are listed and fixed together."""

import json

from caedsl.diagnostics import FORMATS, RenderSettings, Severity
from caedsl.rules.engine.checking import check_source
from caedsl.rules.engine.fixing import fix_source
from caedsl.source import Source
from tests.rules.fragments import found, the

TWELVE = "encoder { conv 8 s2; conv 8 x2; conv 8 s2; " + "conv 8; " * 9 + "conv 4 }\n"


def test_one_defaults_line_gives_one_finding_with_a_fix_at_its_cause() -> None:
    text = f"input 1x64x64\ndefaults conv k4 norm=batch bias=on relu\n{TWELVE}"
    finding = the(text, "useless-bias")
    assert "`norm=batch`" in finding.message
    assert finding.data["layers"] == 13
    assert finding.fix is not None
    assert [edit.text for edit in finding.fix.edits] == [""]


def test_lines_with_the_same_fault_are_one_finding() -> None:
    text = (
        "encoder { conv 8 s2 norm=batch bias=on relu; conv 8 norm=batch bias=on relu; conv 4 norm=batch bias=on relu }"
    )
    finding = the(text, "useless-bias")
    assert "(in 3 places)" in finding.message
    assert [label.text for label in finding.related].count("here too") == 2
    assert finding.data["places"] == 3
    assert finding.fix is not None
    assert len(finding.fix.edits) == 3


def test_one_fix_cures_every_place() -> None:
    text = "autoencoder a\ninput 1x64x64\nencoder { conv 8 s2 relu dropout=0.6; conv 8 s2 relu dropout=0.6 }\nbottleneck dense 8\ndecoder mirror\n"
    fixed = fix_source(Source(text), unsafe=True)
    assert "heavy-dropout" not in {finding.name for finding in fixed.checked.findings}
    assert fixed.checked.source.text.count("dropout=10%") == 2


def test_two_misspelt_words_stay_two_findings() -> None:
    assert len(found("encoder { cnov 8 relu; cnov 8 relu; maxpool 2 }", "unknown-layer")) == 2


def test_what_only_informs_is_shown_last() -> None:
    text = "encoder { conv 8 s2 norm=batch bias=on relu; conv 8 s2 relu dropout=0.9 }"
    findings = check_source(Source(f"autoencoder a\ninput 1x64x64\n{text}\nbottleneck dense 8\ndecoder mirror\n"))
    shown = FORMATS["full"](findings.reports, RenderSettings())
    assert shown.rindex("warning[") < shown.index("info[")


def test_data_are_in_the_json_output() -> None:
    report = check_source(
        Source("autoencoder a\ninput 3x32x32\nencoder { conv 8 s2 }\nbottleneck\ndecoder { deconv 2 k4 s2 tanh }\n")
    )
    rendered = json.loads(FORMATS["json"](report.reports, RenderSettings()))
    (finding,) = [each for each in rendered["findings"] if each["name"] == "channel-mismatch"]
    assert finding["data"] == {"channels": 2, "wanted": 3}


def test_a_cause_with_places_of_two_severities_is_one_finding_at_the_worse_place() -> None:
    text = "input 1x64x64\nencoder { conv 8 s2 relu; conv 8 s2 relu; conv 8 s2 relu }\n"
    finding = the(text, "checkerboard-kernel")
    assert finding.severity is Severity.WARNING
    assert finding.data["places"] == 3
    assert finding.fix is not None and len(finding.fix.edits) == 3


def test_errors_and_warnings_of_one_cause_are_one_error() -> None:
    finding = the("input 1x64x64\nencoder { conv 8 k2 s3 relu; conv 8 k2 s3 relu }\n", "uncovered-output")
    assert finding.severity is Severity.ERROR
    assert finding.data["places"] == 2
