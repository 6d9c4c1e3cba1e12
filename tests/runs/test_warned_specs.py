"""A spec that only warns is trained, and its run is opened, evaluated and resumed."""

from pathlib import Path

import pytest

import caedsl
from caedsl.cli.main import main
from caedsl.diagnostics.explanation import explained_names, explanation, is_error
from caedsl.diagnostics.finding import Finding, Label, Severity
from caedsl.source import Span

SPEC = """autoencoder warned
let unused = 3
input 1x8x8
data digits limit=30
encoder { conv 2 relu; maxpool 2 }
bottleneck dense 2
decoder mirror
train { epochs 1; batch 10; schedule step at=50 factor=0.1 }
"""


def test_a_run_of_a_spec_with_warnings_is_of_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert {finding.severity for finding in caedsl.check(SPEC)} == {Severity.WARNING, Severity.INFO}
    spec, run = tmp_path / "warned.cae", tmp_path / "run"
    spec.write_text(SPEC)
    for arguments in (
        ["train", spec, "--out", run, "--quiet"],
        ["evaluate", run],
        ["encode", run, "-o", tmp_path / "codes.npz"],
        ["score", run, "digits limit=5"],
        ["report", run],
        ["train", "--resume", run, "--epochs", "2", "--quiet"],
    ):
        assert main([str(argument) for argument in arguments]) == 0, capsys.readouterr().err


@pytest.mark.parametrize("name", explained_names())
def test_a_finding_without_a_code_is_what_its_explanation_says(name: str) -> None:
    finding = Finding(name, "", Label(Span(0, 0)))
    assert is_error(finding) is (explanation(name).severity is Severity.ERROR)
