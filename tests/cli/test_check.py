"""``caedsl check`` as a user runs it: what it prints where, its exit codes, what it does to files."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from caedsl.cli.main import main
from tests.conftest import ROOT, SPECS

CLEAN = """\
autoencoder small
input 1x28x28 in 0..1
data mnist else digits
encoder { conv 16 relu; maxpool 2 }
bottleneck dense 32
decoder mirror
train { loss mse; optimizer adam lr=1e-3; batch 128; epochs 20 }
"""
UNUSED = CLEAN.replace("encoder {", "let unused = 3\nencoder {")
UNKNOWN = CLEAN.replace("conv 16", "cnov 16")
WIDE = "autoencoder wide\ninput 1x32x32\nencoder { conv 16 relu; maxpool 2; conv 64 s2 k4 relu }\nbottleneck\ndecoder mirror\n"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run ``caedsl check`` in an empty folder; return exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("CAEDSL_OUTPUT_FORMAT", raising=False)

    def call(*arguments: str, command: str = "check") -> tuple[int, str, str]:
        code = main([command, *arguments])
        out, err = capfd.readouterr()
        return code, out, err

    return call


def write(path: str, text: str) -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode())
    return file


def test_a_sound_spec_is_fine(run: Run) -> None:
    write("a.cae", CLEAN)
    assert run("a.cae") == (0, "The spec is fine.\n", "")
    assert run("a.cae", "--quiet") == (0, "", "")


def test_an_error_fails_and_is_shown_with_its_line(run: Run) -> None:
    write("a.cae", UNKNOWN)
    code, out, err = run("a.cae")
    assert (code, err) == (1, "")
    assert "unknown-layer" in out
    assert "a.cae:4:11" in out
    assert "encoder { cnov 16 relu; maxpool 2 }" in out
    assert out.splitlines()[-1].startswith("Found 1 error")


def test_a_warning_fails_only_when_strict(run: Run) -> None:
    write("a.cae", UNUSED)
    assert run("a.cae")[0] == 0
    assert run("a.cae", "--strict")[0] == 1


def test_many_files_and_folders_make_one_output(run: Run) -> None:
    for path in ("b/z.cae", "b/a.cae", "b/deep/er.cae", "c.cae"):
        write(path, UNKNOWN)
    for path in ("b/.hidden/h.cae", "b/runs/r.cae", "b/env/lib/e.cae", "b/notes.txt"):
        write(path, UNKNOWN)
    write("b/env/pyvenv.cfg", "")
    code, out, _ = run("c.cae", "b", "b/a.cae", "--output-format", "concise")
    assert code == 1
    assert [line.partition(":")[0] for line in out.splitlines()] == ["b/a.cae", "b/deep/er.cae", "b/z.cae", "c.cae"]


def test_what_cannot_be_read_is_reported_and_the_rest_is_checked(run: Run) -> None:
    write("a.cae", UNKNOWN)
    Path("empty").mkdir()
    write("binary.cae", "").write_bytes(b"\x80\x81\x00\xff" * 99)
    code, out, err = run("nowhere.cae", "a.cae", "empty", "binary.cae", "--output-format", "concise")
    assert code == 2
    assert [line.partition(":")[0] for line in out.splitlines()] == ["a.cae"]
    lines = err.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("caedsl: ") for line in lines)
    assert all(any(name in line for line in lines) for name in ("nowhere.cae", "empty", "binary.cae"))


def test_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with write("a.cae", UNKNOWN).open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        code, out, _ = run("-", "--output-format", "concise")
    assert code == 1
    assert out.startswith("<stdin>:4:11: error[")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["required", "PATH"]),
        (["a.cae", "--output-format", "jsn"], ["--output-format", "jsn", "did you mean `json`?"]),
        (["a.cae", "--select", "output-shap"], ["--select", "output-shap", "did you mean `output-shape`?"]),
        (["a.cae", "--ignore", "CAE999"], ["--ignore", "CAE999", "caedsl rule"]),
        (["a.cae", "--unsafe-fixes"], ["--unsafe-fixes", "--fix", "--diff"]),
        (["-", "--fix"], ["standard input", "--diff"]),
        (["a.cae", "--stric"], ["--stric"]),
    ],
)
def test_wrong_usage_is_one_line_with_the_remedy(run: Run, arguments: list[str], words: list[str]) -> None:
    write("a.cae", CLEAN)
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("caedsl: ")
    assert err.count("\n") == 1
    assert all(word in err for word in words)


def test_help_has_an_example_and_the_exit_codes(run: Run) -> None:
    code, out, _ = run("--help")
    assert code == 0
    assert "caedsl check specs/digits.cae" in out
    assert "Exit codes: 0 fine; 1 errors" in out


def test_json_is_all_there_is_on_standard_output(run: Run) -> None:
    write("a.cae", UNKNOWN)
    write("b.cae", CLEAN)
    code, out, err = run("a.cae", "b.cae", "nowhere.cae", "--output-format", "json")
    findings = json.loads(out)["findings"]
    assert code == 2
    assert "nowhere.cae" in err
    assert [(finding["path"], finding["line"], finding["name"]) for finding in findings] == [
        ("a.cae", 4, "unknown-layer")
    ]
    wanted = [
        "code",
        "name",
        "severity",
        "message",
        "path",
        "line",
        "column",
        "end_line",
        "end_column",
        "help",
        "related",
        "fix",
    ]
    assert set(wanted) <= set(findings[0])


def test_sarif_is_valid_and_carries_the_rule_and_the_fix(run: Run) -> None:
    schema = json.loads((ROOT / "tests" / "diagnostics" / "sarif-2.1.0.json").read_text("utf-8"))
    write("a.cae", UNKNOWN)
    code, out, _ = run("a.cae", "--output-format", "sarif")
    log = json.loads(out)
    jsonschema.validate(log, schema)
    driver, results = log["runs"][0]["tool"]["driver"], log["runs"][0]["results"]
    assert code == 1
    assert [rule["name"] for rule in driver["rules"]] == ["unknown-layer"]
    assert driver["version"]
    assert results[0]["fixes"][0]["artifactChanges"][0]["replacements"][0]["insertedContent"]["text"] == "conv"


def test_github(run: Run) -> None:
    write("a.cae", UNKNOWN)
    _, out, _ = run("a.cae", "--output-format", "github")
    assert out.startswith("::error title=caedsl (CAE")
    assert out.count("\n") == 1


def test_the_format_comes_from_the_option_then_the_environment_then_the_project(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("pyproject.toml", '[tool.caedsl]\noutput-format = "github"\n')
    write("a.cae", UNKNOWN)
    assert run("a.cae")[1].startswith("::error")
    monkeypatch.setenv("CAEDSL_OUTPUT_FORMAT", "concise")
    assert run("a.cae")[1].startswith("a.cae:4")
    assert run("a.cae", "--output-format", "json")[1].startswith("{")
    monkeypatch.setenv("CAEDSL_OUTPUT_FORMAT", "xml")
    code, _, err = run("a.cae")
    assert code == 2
    assert "CAEDSL_OUTPUT_FORMAT" in err
    assert '"xml"' in err


@pytest.mark.parametrize(
    "word", ["unused-constant", "CAE143", "cae14", "language", "all", "overcomplete, unused-constant"]
)
def test_rules_are_chosen_by_name_code_prefix_and_family(run: Run, word: str) -> None:
    write("a.cae", UNUSED)
    assert "unused-constant" in run("a.cae")[1]
    assert "unused-constant" not in run("a.cae", "--ignore", word)[1]
    assert "unused-constant" in run("a.cae", "--select", word)[1]


def test_rules_that_are_not_selected_are_silent_but_errors_are_not(run: Run) -> None:
    write("a.cae", UNUSED.replace("conv 16", "cnov 16"))
    out = run("a.cae", "--select", "shapes", "--output-format", "concise")[1]
    assert "unknown-layer" in out
    assert "unused-constant" not in out


def test_fix_writes_safe_fixes_and_keeps_comments_permissions_line_endings_and_the_byte_order_mark(run: Run) -> None:
    text = "\ufeff" + UNKNOWN.replace("maxpool 2 }", "maxpool 2 } # halved, é").replace("\n", "\r\n")
    file = write("a.cae", text)
    file.chmod(0o640)
    code, out, _ = run("a.cae", "--fix")
    assert code == 0
    assert out == "Fixed 1 finding. The spec is fine.\n"
    assert file.read_bytes().decode() == text.replace("cnov", "conv")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert os.listdir() == ["a.cae"]
    assert run("a.cae", "--fix") == (0, "The spec is fine.\n", "")


def test_fix_follows_a_symbolic_link(run: Run) -> None:
    write("real/a.cae", UNKNOWN)
    Path("link.cae").symlink_to("real/a.cae")
    assert run("link.cae", "--fix")[0] == 0
    assert Path("link.cae").is_symlink()
    assert "conv 16" in Path("real/a.cae").read_text()


def test_fix_reports_what_is_left(run: Run) -> None:
    write("a.cae", UNKNOWN.replace("mse", "mze3q"))
    code, out, err = run("a.cae", "--fix", "--output-format", "json")
    assert code == 1
    assert err.startswith("Fixed 1 finding. Found 1 error")
    assert [finding["name"] for finding in json.loads(out)["findings"]] == ["unknown-value"]


def test_a_file_with_syntax_errors_is_never_touched(run: Run) -> None:
    text = UNKNOWN.replace("conv", "cnov").replace("dense 32", "dense (32, 3")
    file = write("a.cae", text)
    code, out, _ = run("a.cae", "--fix", "--unsafe-fixes")
    assert code == 1
    assert file.read_text() == text
    assert "--fix" not in out


def test_diff_shows_and_does_not_write(run: Run) -> None:
    file = write("a.cae", UNKNOWN)
    code, out, err = run("a.cae", "--diff")
    assert code == 1
    assert out.splitlines()[:2] == ["--- a.cae", "+++ a.cae"]
    assert "-encoder { cnov 16 relu; maxpool 2 }" in out
    assert "+encoder { conv 16 relu; maxpool 2 }" in out
    assert err == "Would fix 1 finding. The spec is fine.\n"
    assert file.read_text() == UNKNOWN


def test_unsafe_fixes_are_made_only_when_asked_for(run: Run) -> None:
    odd = WIDE.replace("decoder mirror", "decoder { deconv 16 s2 k4 relu; upsample 2; conv 1 k3 pad=valid sigmoid }")
    file = write("a.cae", odd)
    assert run("a.cae", "--fix")[0] == 1
    assert file.read_text() == odd
    assert run("a.cae", "--fix", "--unsafe-fixes")[0] == 0
    assert file.read_text() != odd


def test_a_read_only_file_is_left_and_reported(run: Run) -> None:
    file = write("a.cae", UNKNOWN)
    file.chmod(0o444)
    code, out, err = run("a.cae", "--fix", "--output-format", "concise")
    assert code == 2
    assert err.startswith("caedsl: a.cae: this file is read-only")
    assert "unknown-layer" in out
    assert file.read_text() == UNKNOWN


@pytest.mark.parametrize("step", ["tempfile.mkstemp", "os.fsync", "os.replace"])
def test_where_writing_fails_the_file_is_as_it_was(run: Run, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    file = write("a.cae", UNKNOWN)

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(step, fail)
    code, _, err = run("a.cae", "--fix")
    assert code == 2
    assert "No space left on device" in err
    assert err.count("\n") == 1
    assert os.listdir() == ["a.cae"]
    assert file.read_text() == UNKNOWN


def test_a_reader_that_stops_reading_is_no_error() -> None:
    command = [sys.executable, "-m", "caedsl", "check", *map(str, SPECS), "--output-format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.parametrize("arguments", [["check", "specs"], ["check", "specs", "--diff"], ["fmt", "--check", "specs"]])
def test_check_and_fmt_start_light(arguments: list[str]) -> None:
    heavy = ["torch", "pydantic", "rich", "numpy", "matplotlib", "typer", "graphviz", "PIL", "sklearn"]
    code = (
        "import sys; from caedsl.cli.main import main; code = main(sys.argv[1:]);"
        f"loaded = set({heavy}) & set(sys.modules); sys.exit(str(loaded) if loaded or code == 2 else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr if done.returncode else "") == (0, "")
