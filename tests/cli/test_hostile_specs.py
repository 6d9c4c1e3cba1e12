"""Specs and paths meant to hang, crash or flood are answered at once, and do not affect other specs."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from caedsl.cli import check
from caedsl.diagnostics import FORMATS
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits import trial
from caedsl.rules.engine import catalogue, checking
from caedsl.rules.engine.checking import MOST_FINDINGS, check_source
from caedsl.rules.engine.compiling import compiled
from caedsl.source import Source
from caedsl.syntax.reading import MAX_BYTES
from tests.conftest import ROOT, Ran

Run = Callable[..., Ran]

HEAD = "autoencoder a\ninput 1x8x8\n"
TAIL = "bottleneck dense 8\ndecoder mirror\n"
TRAIN = "train { epochs 1; batch 16 }\n"
OK = f"{HEAD}encoder {{ conv 4 relu; maxpool 2 }}\n{TAIL}"


def encoder(layers: str) -> str:
    return f"{HEAD}encoder {{ {layers} }}\n{TAIL}"


def nested(depth: int) -> str:
    return "conv 4 relu" if not depth else f"residual {{ conv 4 relu; {nested(depth - 1)} }}"


HOSTILE = {
    "a unit beyond floating point": encoder("conv 1e300G relu"),
    "a let bomb": HEAD
    + "let a = 1.00000000000000000000000000000000001\n"
    + "".join(f"let {there} = {'*'.join(here * 100)}\n" for here, there in ("ab", "bc", "cd", "de"))
    + "encoder { conv 4 relu; maxpool 2 }\n"
    + TAIL,
    "arithmetic in repeats": encoder(f"repeat 1000 {{ repeat 1000 {{ conv {'+'.join('1' * 60)} }} }}"),
    "nested residuals": encoder(nested(31)),
    "foreign comments": "/*\n" * 2_000,
    "long names": f"{HEAD}let {'a' * 25_000} = 1\nencoder {{ conv {'a' * 24_999}b }}\n{TAIL}",
    "a wide range": encoder("conv 4 relu; maxpool 2").replace("1x8x8", "1x8x8 in 0..1e39"),
    "a huge learning rate": encoder("conv 4 relu; maxpool 2") + "train { optimizer rmsprop lr=1e39 }\n",
    "a kernel of 5,000 digits": encoder(f"conv 4 k{'9' * 5000}"),
    "a size of 5,000 digits": encoder(f"conv 4 k{'9' * 5000}x3"),
    "sizes beyond floating point": encoder("upsample 1000 x200; conv 8"),
    "a decoder without layers": f"{HEAD}encoder {{ dense 8 }}\nbottleneck\ndecoder {{ }}\n",
    "one faulty line, many times": encoder("repeat 1000 { repeat 1000 { cnov 8 } }"),
    "a line of many values": encoder("conv" + " 8" * 12_000),
    "many faulty lines": encoder("cnov 8; " * 2_000),
    "many unknown words": encoder("conv 8 zzz\n" * 2_000),
    "many faulty constants": HEAD + "".join(f"let a{n} = q{n}\n" for n in range(1_500)),
    "an open parenthesis on every line": "a = (\n" * 4_000,
    "a bracket that is never closed": HEAD.replace("input", "input [") + "data mnist\n" + "word " * 5_000,
    "a bracket before a long word": HEAD.replace("input", "input [") + "w" * 20_000 + "(]\n",
    "sizes without spaces": encoder(f"conv 4{'k3x3' * 5_000}.5"),
    "a misspelt output of the mirror": encoder("conv 4 relu").replace("mirror", "mirror outpt=sigmoid"),
    "a map in place of a volume": "autoencoder a\ninput 1x4x4x4\nencoder { conv 2 }\nbottleneck dense 2\n"
    "decoder { dense 16; reshape 1x4x4; upsample 2; conv 1 }\n",
    "a bidirectional control": f'{HEAD}data folder "a\u202e\u2066b" # \u202e\n',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_specs_are_answered(name: str, tmp_path: Path, caedsl: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.cae").write_text(HOSTILE[name], "utf-8")
    checked = check_source(Source(HOSTILE[name], "a.cae"))
    for module in (check, checking):  # once for all commands and formats: some take a second
        monkeypatch.setattr(module, "check_source", lambda *given: checked)
    for command in ("show", "graph", "fmt"):
        assert_short(caedsl(command, "a.cae"))
    for form in FORMATS:
        assert_short(caedsl("check", "a.cae", "--output-format", form))


def assert_short(ran: Ran) -> None:
    assert ran.code in (0, 1)
    assert len(ran.out + ran.err) < 200_000
    assert not {"\u202e", "\u2066"} & {*ran.out, *ran.err}


def test_every_finding_that_is_not_shown_is_counted(tmp_path: Path) -> None:
    findings = check_source(Source(encoder("cnov 8\n" * (MOST_FINDINGS + 7)))).findings
    assert len(findings) == MOST_FINDINGS + 1
    (left,) = [finding for finding in findings if finding.name == "too-many-findings"]
    assert left.message == "7 more findings are not shown"


def test_errors_are_shown_before_what_is_less_serious() -> None:
    spec = encoder("conv 8 dropout=60% relu\n" * (MOST_FINDINGS + 20) + "conv 8\nmaxpool 900")
    names = [finding.name for finding in check_source(Source(spec)).findings]
    assert "kernel-too-large" in names


@pytest.mark.parametrize("layers", ["repeat 5 { cnov 8 }", "conv 8 rellu x4", "repeat 3 { repeat 4 { conv 8 k0 } }"])
def test_a_repeated_fault_is_reported_once(layers: str) -> None:
    assert len(check_source(Source(encoder(layers))).findings) == 1


def test_faults_beside_many_layers_are_checked_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each fix that is tried separately places all layers again."""
    calls, examine = [], checking.examine
    monkeypatch.setattr(checking, "examine", lambda *given: calls.append(given) or examine(*given))
    faults = "".join(f"conv 8 relu k3 kernel={number}; " for number in range(3, 33))
    few = check_source(Source(encoder(f"repeat 2 {{ conv 8 }}; {faults}")))
    assert len(calls) > 20
    assert few.has_errors
    calls.clear()
    assert check_source(Source(encoder(f"repeat 2000 {{ conv 8 }}; {faults}"))).has_errors
    assert len(calls) < 10


def test_a_fix_that_would_be_searched_at_many_places_is_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each search of a rule reads the whole spec again."""
    read: list[str] = []
    monkeypatch.setattr(trial, "compiled", lambda text, path: read.append(text) or compiled(text, path))
    fixes = {}
    for count in (3, 200):
        read.clear()
        spec = encoder("conv 4 s2 relu; upsample 2; " * count).replace("8x8", "16x16")
        findings = check_source(Source(spec)).findings
        fixes[count] = next(finding.fix for finding in findings if finding.name == "checkerboard-kernel")
        assert len(read) < 60
    assert fixes[3] is not None and fixes[200] is None


def test_a_rule_that_fails_loses_its_own_findings_only(
    tmp_path: Path, caedsl: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(model: Autoencoder) -> Iterable[object]:
        raise OverflowError("too large for a float")

    broken, *others = catalogue.checks()
    monkeypatch.setattr(checking, "_wanted", lambda selection: (broken._replace(check=failing), *others))
    monkeypatch.delenv("CAEDSL_DEBUG", raising=False)
    (tmp_path / "a.cae").write_text(encoder("conv 4 relu; maxpool 2").replace("mirror", "{ conv 3 }"))
    code, out, err = _plain(tmp_path / "a.cae", monkeypatch)
    assert code == 2
    assert "channel-mismatch" in out
    assert f"`{broken.rule.name}` failed" in err
    assert "bug in caedsl" in err


def test_a_spec_that_fails_silences_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def checked(source: Source, *others: object) -> object:
        if source.path.endswith("a.cae"):
            raise OverflowError("too large for a float")
        return check_source(source)

    monkeypatch.setattr(check, "check_source", checked)
    monkeypatch.delenv("CAEDSL_DEBUG", raising=False)
    (tmp_path / "a.cae").write_text(OK)
    (tmp_path / "b.cae").write_text(OK.replace("conv 4", "cnov 4"))
    code, out, err = _plain(tmp_path, monkeypatch)
    assert code == 2
    assert "unknown-layer" in out
    assert "a.cae" in err and "OverflowError" in err


def _plain(path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str, str]:
    """Run ``check`` where the report of a bug is expected."""
    import io

    from caedsl.cli.main import main

    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    return main(["check", str(path)]), out.getvalue(), err.getvalue()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
@pytest.mark.parametrize("command", ["check", "fmt", "show", "graph", "emit", "train"])
def test_pipes_and_devices_are_not_read(command: str, tmp_path: Path, caedsl: Run) -> None:
    os.mkfifo(tmp_path / "pipe.cae")
    for path in (tmp_path / "pipe.cae", Path("/dev/zero")):
        ran = caedsl(command, path)
        assert ran.code == 2
        assert "this is a pipe or a device" in ran.err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_in_a_folder_costs_no_other_spec(tmp_path: Path, caedsl: Run) -> None:
    os.mkfifo(tmp_path / "pipe.cae")
    (tmp_path / "ok.cae").write_text(OK.replace("conv 4", "cnov 4"))
    ran = caedsl("check", tmp_path)
    assert ran.code == 2
    assert "unknown-layer" in ran.out


@pytest.mark.parametrize("command", ["check", "fmt"])
def test_standard_input_beyond_the_largest_spec_is_refused(command: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "caedsl", command, "-"],
        cwd=ROOT,
        input="y\n" * MAX_BYTES,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert "larger than 64 KiB" in ended.stderr


@pytest.mark.parametrize("value", ["1" * 5000, f"[{'1' * 5000}]", f"0x{'f' * 5000}"])
def test_a_configuration_of_thousands_of_digits(
    value: str, tmp_path: Path, caedsl: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ok.cae").write_text(OK)
    (tmp_path / "pyproject.toml").write_text(f"[tool.caedsl]\nstrict = {value}\n")
    ran = caedsl("check", "ok.cae")
    assert ran.code == 2
    assert "pyproject.toml" in ran.err


def test_json_of_a_hostile_spec_is_json(tmp_path: Path, caedsl: Run) -> None:
    (tmp_path / "a.cae").write_text(HOSTILE["a bidirectional control"], "utf-8")
    findings = json.loads(caedsl("check", tmp_path / "a.cae", "--output-format", "json").out)["findings"]
    assert "bidirectional-control" in {finding["name"] for finding in findings}


DANGEROUS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
CONTROLLING = f'{HEAD}data folder "\x1b]0;PWNED\x07\x1b[31mred\u202e\u2066"\n' + OK.removeprefix(HEAD)


@pytest.mark.parametrize(
    "command",
    [
        *(["check", "--output-format", form] for form in ("full", "concise", "json", "sarif", "github")),
        ["check", "--diff", "--unsafe-fixes"],
        ["fmt", "--diff"],
        ["fmt"],
        ["show"],
        ["show", "--json"],
        ["graph", "-o", "a\x1b[31m\u202e.svg"],
        ["emit", "-o", "a\x1b[31m\u202e.py"],
        ["train", "--quiet"],
        ["train"],
    ],
    ids=" ".join,
)
def test_no_spec_and_no_name_controls_the_terminal(
    command: list[str], tmp_path: Path, caedsl: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("\x1b[31m\u202e.cae")
    path.write_text(CONTROLLING.replace("conv 4", "conv  4") + "train { epochs 1 }\n", "utf-8")
    ran = caedsl(command[0], path, *command[1:])
    assert ran.out + ran.err
    assert not DANGEROUS.search(ran.out + ran.err)


def test_a_run_shows_no_control_character_of_its_data(
    tmp_path: Path, caedsl: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = "\x1b[31m\u202e"
    Path("a.cae").write_text(
        OK.replace("\nencoder", f'\ndata folder "{name}" else digits limit=50\nencoder') + TRAIN, "utf-8"
    )
    ran = caedsl("train", "a.cae", "--out", name)
    assert ran.code == 0
    assert not DANGEROUS.search(ran.out + ran.err)
    listed = caedsl("runs", name)
    assert not DANGEROUS.search(listed.out + listed.err)


def test_a_range_beyond_the_numbers_of_images_is_an_error(tmp_path: Path, caedsl: Run) -> None:
    (tmp_path / "a.cae").write_text(HOSTILE["a wide range"])
    ran = caedsl("check", tmp_path / "a.cae")
    assert ran.code == 1
    assert "out-of-domain" in ran.out


@pytest.mark.parametrize("optimizer", ["rmsprop lr=1e39", "adagrad lr=1e39", "adam weight_decay=1e39", "adam eps=1e39"])
def test_a_number_beyond_32_bits_is_a_finding(optimizer: str) -> None:
    text = "autoencoder a; input 1x8x8; encoder { conv 2 s2 }; bottleneck; decoder mirror; train { optimizer %s }"
    assert "out-of-domain" in {finding.name for finding in check_source(Source(text % optimizer)).findings}
