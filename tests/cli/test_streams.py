"""Standard streams that are closed, full or unread, and other unusual environments."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT, Ran

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell closes the streams")


def shell(
    command: str, folder: Path, python: str = sys.executable, **variables: str
) -> subprocess.CompletedProcess[str]:
    program = f"{python} -m caedsl"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    return subprocess.run(
        ["bash", "-c", command.replace("caedsl", program)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


CLOSED, FULL = (">&-", "it is closed"), ("> /dev/full", "no space left on device")


@pytest.mark.parametrize(
    ("command", "place", "reason"),
    [
        ("check tiny.cae", *CLOSED),
        ("check tiny.cae", *FULL),
        ("fmt - < tiny.cae", *FULL),
        ("show tiny.cae", *CLOSED),
        ("rule output-shape", *FULL),
        ("--help", *FULL),
    ],
)
def test_output_that_is_lost_is_reported(command: str, place: str, reason: str, spec: Path) -> None:
    if "full" in place and not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    ran = shell(f"caedsl {command} {place}", spec.parent)
    assert ran.returncode == 2
    assert ran.stderr.endswith(f"caedsl: cannot write to standard output: {reason}\n")
    assert "bug" not in ran.stderr and "Traceback" not in ran.stderr


def test_a_reader_that_wants_no_more_is_no_failure(spec: Path) -> None:
    ran = shell("caedsl show tiny.cae | true; echo ${PIPESTATUS[0]}", spec.parent)
    assert (ran.stdout, ran.stderr) == ("0\n", "")


def test_errors_that_nobody_reads_change_nothing(spec: Path) -> None:
    assert shell("caedsl check missing.cae 2>&-", spec.parent).returncode == 2
    assert shell("caedsl check tiny.cae <&- >&- 2>&-", spec.parent).returncode == 2


@pytest.mark.torch
@pytest.mark.parametrize("place", ["> /dev/full 2> /dev/full", ">&- 2>&- <&-"])
def test_a_training_whose_output_is_lost_leaves_a_whole_run(place: str, spec: Path) -> None:
    ran = shell(f"caedsl train tiny.cae --out run {place}", spec.parent)
    assert ran.returncode == 2
    run = spec.parent / "run"
    assert (run / "metrics.json").exists()
    assert (run / "spec.cae").read_text().startswith("autoencoder")


def test_a_folder_that_is_gone(spec: Path) -> None:
    ran = shell("mkdir gone; cd gone; rmdir ../gone; caedsl check ../tiny.cae", spec.parent)
    assert (ran.returncode, ran.stderr) == (
        2,
        "caedsl: the current folder was deleted: change to one that exists (`cd`)\n",
    )


@pytest.mark.torch
def test_names_that_are_not_utf8(spec: Path, python: str) -> None:
    commands = ("train tiny.cae --quiet --out $'o\\xff'", "evaluate $'o\\xff' --quiet", "runs .")
    for command in commands:
        ran = shell(f"caedsl {command}", spec.parent, python)
        assert (ran.returncode, ran.stderr) == (0, ""), command
    assert "o\\xff" in ran.stdout
    assert shell("caedsl report $'o\\xff'", spec.parent, python).returncode == 0
    ran = shell(
        "caedsl train tiny.cae --quiet --out é", spec.parent, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0"
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_tensorboard_needs_a_folder_whose_name_is_utf8(
    spec: Path, caedsl: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(spec.parent)
    ran = caedsl("train", spec, "--quiet", "--tensorboard", "--out", os.fsdecode(b"o\xff"))
    assert ran.code == 2
    assert "TensorBoard cannot write to o\ufffd, because its name is not UTF-8" in ran.err


def test_variables_of_the_environment(
    spec: Path, tmp_path: Path, caedsl: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPLBACKEND", "no such backend")
    assert caedsl("graph", spec, "-o", tmp_path / "tiny.png").code == 0
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "abc")
    ran = caedsl("train", spec, "--out", tmp_path / "run")
    assert ran.code == 2
    assert "the environment variable LOCAL_WORLD_SIZE is `abc`" in ran.err


def test_names_of_outputs_cannot_control_the_terminal(
    spec: Path, tmp_path: Path, caedsl: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    red = tmp_path / "\x1b[31mred\u202e"
    red.mkdir()
    monkeypatch.chdir(red)
    run, named = red / "run", 0
    for words in (
        ("train", spec, "--out", run),
        ("runs", red / "none"),
        ("runs", red, "--json"),
        ("calibrate", run, "--fpr", "40%"),
        ("evaluate", run),
        ("encode", run, "-o", red / "codes.npz"),
        ("decode", run, red / "codes.npz", "-o", red / "decoded"),
        ("reconstruct", run, red / "decoded", "-o", red / "made"),
        ("score", run, red / "made", "--json"),
        ("export", run, "-o", red / "shared"),
        ("report", run),
        ("data", spec, "-o", red / "data.png"),
        ("data", spec, "--json"),
        ("graph", spec, "-o", red / "net.svg"),
        ("emit", spec, "-o", red / "net.py"),
        ("new", "fresh"),
        ("doctor", spec, "--budget", "1s", "--html", red / "why.html"),
    ):
        ran = caedsl(*words)
        assert ran.code in (0, 1, 2), ran
        named += (ran.out + ran.err).count("red")
        assert not set("\x1b\u202e") & set(ran.out + ran.err), words
    assert named >= 12


def test_names_cannot_control_the_terminal(tmp_path: Path, caedsl: Callable[..., Ran]) -> None:
    for arguments in (("runs", "\x1b[31mred"), ("evaluate", "\x1b[31mred"), ("show", "\x1b[31mred"), ("\x1b[31mred",)):
        ran = caedsl(*arguments)
        assert ran.code == 2
        assert "\x1b" not in ran.out + ran.err
