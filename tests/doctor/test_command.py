"""The command: on specs, and its answers to bad input."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Ran

from .subjects import HEALTHY

Run = Callable[..., Ran]


@pytest.fixture
def spec(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "spec.cae"
        path.write_text(text)
        return path

    return write


def test_a_healthy_spec(caedsl: Run, spec: Callable[[str], Path]) -> None:
    ran = caedsl("doctor", spec(HEALTHY), "--budget", "1000steps")
    assert ran.code == 0, ran.out
    assert "healthy" in ran.out
    assert "memorising 16 images" in ran.err


def test_a_rate_that_is_too_low_is_named_repaired_and_fixed(
    caedsl: Run, spec: Callable[[str], Path], tmp_path: Path
) -> None:
    path = spec(HEALTHY.replace("3e-3", "1e-6"))
    ran = caedsl("doctor", path, "--budget", "1500steps", "--json", "--html", tmp_path / "why.html", "--fix")
    assert ran.code == 1, ran.err
    found = json.loads(ran.out)
    assert found["causes"][0]["cause"] == "low-learning-rate"
    assert found["causes"][0]["place"].startswith(f"{path}:7")
    (repair,) = [one for one in found["repairs"] if one["cause"] == "low-learning-rate"]
    assert len(repair["seeds"]) == len(repair["left_before"]) == len(repair["left_after"]) >= 2
    assert max(repair["left_after"]) < min(repair["left_before"])
    assert "lr=1e-6" not in path.read_text()
    assert caedsl("check", path, "--quiet").code == 0
    page = (tmp_path / "why.html").read_text()
    assert page.count("<svg") >= 3
    assert "low-learning-rate" in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")


@pytest.mark.parametrize(
    ("text", "arguments", "says"),
    [
        (HEALTHY.replace("data digits\n", ""), (), "no `data` line"),
        (HEALTHY[: HEALTHY.index("train")], (), "no `train` block"),
        (HEALTHY.replace("digits", 'npy "none.npy"'), (), "none.npy"),
        (HEALTHY, ("--budget", "soon"), "budget soon"),
        (HEALTHY, ("--budget", "10steps"), "from 500 on"),
        (HEALTHY, ("--fix", "--set", "train.batch=8"), "--fix"),
        (HEALTHY.replace("digits", "digits limit=8"), (), "16 are needed"),
    ],
)
def test_bad_input_is_one_error(
    caedsl: Run, spec: Callable[[str], Path], text: str, arguments: tuple[str, ...], says: str
) -> None:
    ran = caedsl("doctor", spec(text), *arguments, "--quiet")
    assert ran.code == 2, ran
    assert says in ran.err
    assert ran.out == ""


def test_a_spec_that_cannot_be_built(caedsl: Run, spec: Callable[[str], Path]) -> None:
    ran = caedsl("doctor", spec(HEALTHY.replace("reshape 1x8x8", "reshape 1x4x16")), "--quiet")
    assert ran.code == 1
    assert "output-shape" in ran.err


def test_no_such_file(caedsl: Run, tmp_path: Path) -> None:
    ran = caedsl("doctor", tmp_path / "none.cae")
    assert ran.code == 2
    assert "none.cae" in ran.err


NET = """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 16))
        self.decoder = nn.Sequential(nn.Linear(16, 64), nn.Sigmoid(), nn.Unflatten(1, (1, 8, 8)))

    def forward(self, x):
        return self.decoder(self.encoder(x))
"""


def test_a_module_of_pytorch(caedsl: Run, tmp_path: Path) -> None:
    module = tmp_path / "net.py"
    module.write_text(NET)
    place, repaired = f"{module}:Net", tmp_path / "net.cae"
    asked = ("--data", "digits limit=400", "--budget", "1500steps", "--set", "train.optimizer.lr=1e-6", "-o", repaired)
    ran = caedsl("doctor", place, "--input", "1x8x8", *asked, "--quiet")
    assert ran.code == 1, ran.err
    assert "low-learning-rate" in ran.out
    assert f"at       spec of {place}:" in ran.out, "net.py has no such line"
    assert "optimizer adam lr=" in repaired.read_text()
    assert "lr=1e-6" not in repaired.read_text()


@pytest.mark.parametrize(
    ("name", "content", "arguments", "says"),
    [
        ("model.pkl", b"\x80\x04N.", ("--data", "digits"), "pickle"),
        ("model.safetensors", b"", ("--data", "digits"), "weights without the network"),
        ("model.bin", b"\x80\x02.", ("--data", "digits"), "pickle"),
        ("model.tflite", b"TFL3", ("--data", "digits"), "is not a model file"),
        ("model.keras", b"", ("--data", "digits"), "model.keras is empty"),
        ("model.onnx", b"nothing", ("--data", "digits"), "model.onnx"),
        ("net.py:Net", NET.encode(), ("--input", "1x8x8"), "--data"),
        ("net.py:Net", NET.encode(), ("--input", "1x8x8", "--data", "nosuch"), "unknown data source"),
        ("net.py:Net", NET.encode(), ("--input", "1x8x8", "--data", "digits", "--set", "train.optimizer=foo"), "`foo`"),
        ("net.py:None", NET.encode(), ("--input", "1x8x8", "--data", "digits"), "None"),
        ("net.py:Net", NET.encode(), ("--input", "1x8x8", "--data", "digits", "--fix"), "--output"),
    ],
)
def test_models_that_cannot_be_examined(
    caedsl: Run, tmp_path: Path, name: str, content: bytes, arguments: tuple[str, ...], says: str
) -> None:
    (tmp_path / name.partition(":")[0]).write_bytes(content)
    ran = caedsl("doctor", tmp_path / name, *arguments, "--quiet")
    assert ran.code == 2, ran
    assert says in ran.err
    assert ran.out == ""


def test_a_run_starts_from_what_its_monitors_recorded(caedsl: Run, spec: Callable[[str], Path], tmp_path: Path) -> None:
    run = tmp_path / "run"
    path = spec(HEALTHY.replace("relu", "sigmoid").replace("3e-3", "1e-4").replace("epochs 20", "epochs 22"))
    assert caedsl("train", path, "--out", run, "--no-pictures", "--quiet").code == 0
    recorded = {json.loads(line)["monitor"] for line in (run / "trouble.jsonl").read_text().splitlines()}
    assert recorded, "the run is one that a monitor speaks of"
    state = run / "state.json"
    state.write_text(state.read_text().replace('"finished"', '"interrupted"'))
    ran = caedsl("doctor", run, "--budget", "500steps", "--json", "--quiet")
    assert ran.code == 1, ran.err
    found = json.loads(ran.out)
    assert found["notes"][0] == "the run was interrupted after 22 of 22 epochs"
    assert recorded <= set(found["symptoms"])
    assert found["path"] == str(run / "spec.cae")
    assert all(one["place"].startswith(f"{run / 'spec.cae'}:") for one in found["causes"]), "its lines are the run's"
    assert caedsl("doctor", run, "--fix").code == 2
