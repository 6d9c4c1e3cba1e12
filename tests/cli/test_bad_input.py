"""Bad input of every kind gives an error that names place, value and remedy, and no partial output."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import Ran

Run = Callable[..., Ran]

HEAD = "autoencoder a\ninput 1x8x8\n"
BODY = "encoder { conv 4 relu; maxpool 2 }\nbottleneck\ndecoder mirror\n"
TRAIN = "train { epochs 1 }\n"
DEEP = "encoder " + "{ stage a " * 10_000

SPEC_TEXTS: dict[str, bytes] = {
    "empty": b"",
    "only a comment": b"# nothing here\n",
    "binary": bytes(range(256)) * 20,
    "not utf-8": "autoencoder caf\xe9\n".encode("latin-1"),
    "ten thousand braces": b"{" * 10_000,
    "ten thousand nested blocks": DEEP.encode(),
    "ten thousand parentheses": f"{HEAD}let a = {'(' * 10_000}".encode(),
    "a huge size": b"autoencoder a\ninput 1x1000000000000x28\n" + BODY.encode(),
    "a huge channel count": f"{HEAD}encoder {{ conv 1000000000000 }}\nbottleneck\ndecoder mirror\n".encode(),
    "a huge repeat": f"{HEAD}encoder {{ repeat 1000000 {{ repeat 1000000 {{ conv 4 }} }} }}\n".encode(),
    "a huge exponent": f"{HEAD}let a = 1e999999999\n{BODY}".encode(),
    "a huge tensor": b"autoencoder a\ninput 1x60000x60000\n" + BODY.replace("conv 4", "conv 512").encode(),
    "unclosed": f"{HEAD}encoder {{ conv 4".encode(),
}
COMMANDS = ("check", "show", "graph", "emit", "train", "fmt")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", SPEC_TEXTS)
def test_bad_specs(name: str, command: str, tmp_path: Path, caedsl: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.cae").write_bytes(SPEC_TEXTS[name])
    ran = caedsl(command, "a.cae")
    if command != "fmt":
        assert ran.code in (1, 2)
        assert ran.out or ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["a.cae"]


@pytest.mark.parametrize("command", COMMANDS)
def test_paths_that_cannot_be_read(command: str, tmp_path: Path, caedsl: Run) -> None:
    missing = caedsl(command, tmp_path / "missing.cae")
    assert missing.code == 2
    assert "missing.cae" in missing.err
    if command not in ("check", "fmt"):
        assert caedsl(command, tmp_path).code == 2


def spec(tmp_path: Path, data: str, train: str = TRAIN) -> Path:
    path = tmp_path / "a.cae"
    path.write_text(f"{HEAD}{data}\n{BODY}{train}")
    return path


def hold_refused(ran: Ran, tmp_path: Path, *words: str) -> None:
    assert ran.code == 2
    for word in words:
        assert word in ran.err, ran.err
    assert not (tmp_path / "run").exists()


def test_a_spec_without_train(tmp_path: Path, caedsl: Run) -> None:
    hold_refused(caedsl("train", spec(tmp_path, "data digits", ""), "--out", tmp_path / "run"), tmp_path, "train {")


def test_a_folder_without_images(tmp_path: Path, caedsl: Run) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "notes.txt").write_text("no image")
    ran = caedsl("train", spec(tmp_path, 'data folder "photos"'), "--out", tmp_path / "run")
    hold_refused(ran, tmp_path, "photos")


def test_a_corrupt_image_is_named(tmp_path: Path, caedsl: Run) -> None:
    (tmp_path / "photos").mkdir()
    for i in range(4):
        Image.new("L", (8, 8), i * 40).save(tmp_path / "photos" / f"{i}.png")
    whole = (tmp_path / "photos" / "2.png").read_bytes()
    (tmp_path / "photos" / "2.png").write_bytes(whole[: len(whole) // 2])
    ran = caedsl("train", spec(tmp_path, 'data folder "photos"'), "--out", tmp_path / "run")
    hold_refused(ran, tmp_path, "2.png")


@pytest.mark.parametrize(("value", "word"), [(7.5, "7.5"), (np.nan, "NaN")])
def test_values_that_cannot_be(value: float, word: str, tmp_path: Path, caedsl: Run) -> None:
    images = np.random.default_rng(0).random((20, 8, 8), dtype=np.float32)
    images[13, 4, 4] = value
    np.save(tmp_path / "x.npy", images)
    ran = caedsl("train", spec(tmp_path, 'data npy "x.npy"'), "--out", tmp_path / "run")
    hold_refused(ran, tmp_path, "x.npy", "13", word)


def test_a_run_folder_that_is_in_use(tmp_path: Path, caedsl: Run) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("precious")
    ran = caedsl("train", spec(tmp_path, "data digits limit=50"), "--out", tmp_path / "run")
    assert ran.code == 2
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["thesis.txt"]


def test_a_run_folder_below_a_file(tmp_path: Path, caedsl: Run) -> None:
    (tmp_path / "file").write_text("in the way")
    ran = caedsl("train", spec(tmp_path, "data digits limit=50"), "--out", tmp_path / "file" / "run")
    assert ran.code == 2
    assert "file" in ran.err


@pytest.mark.parametrize(
    ("assignment", "word"),
    [
        ("train.batch", "NAME=VALUE"),
        ("train.batch=", "not a value"),
        ("train.batch=0", "at least 1"),
        ("train.bach=3", "batch"),
        ("nonsense=3", "nonsense"),
        ("a-b=3", "is not the name of a setting"),
        ("let.width=3", "no constant"),
        ("train.optimizer.lr=fast", "fast"),
        ("train.batch=3; epochs 5", "one line"),
    ],
)
def test_bad_assignments(assignment: str, word: str, tmp_path: Path, caedsl: Run) -> None:
    path = spec(tmp_path, "data digits limit=50", "train { epochs 1; optimizer adam }")
    ran = caedsl("train", path, "--set", assignment, "--out", tmp_path / "run")
    assert ran.code in (1, 2)
    assert word in ran.err, ran.err
    assert not (tmp_path / "run").exists()


def test_a_gpu_that_is_not_there(tmp_path: Path, caedsl: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    ran = caedsl("train", spec(tmp_path, "data digits limit=50"), "--device", "cuda", "--out", tmp_path / "run")
    hold_refused(ran, tmp_path, "cuda")


def test_no_picture_into_a_folder_that_is_not_there(tmp_path: Path, caedsl: Run) -> None:
    ran = caedsl("graph", spec(tmp_path, "data digits"), "-o", tmp_path / "nowhere" / "a.svg")
    assert ran.code == 2
    assert "nowhere" in ran.err


def test_a_bug_is_called_a_bug(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from caedsl.cli import main as program

    def broken(arguments: list[str]) -> int:
        raise RuntimeError("one in a million")

    monkeypatch.setattr(program, "_dispatch", broken)
    monkeypatch.delenv("CAEDSL_DEBUG", raising=False)
    assert program.main(["show", "a.cae"]) == 2
    err = capsys.readouterr().err
    assert "one in a million" in err
    assert "caedsl show a.cae" in err
    assert "Traceback" not in err
    assert os.environ.get("CAEDSL_DEBUG") is None
