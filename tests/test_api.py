"""The Python interface."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import caedsl

SPEC = """autoencoder api
input 1x8x8
data digits limit=100
encoder { conv 4 relu; maxpool 2 }
bottleneck dense 5
decoder mirror
train { epochs 1; batch 32 }
"""


def test_importing_caedsl_does_not_import_torch() -> None:
    code = "import sys, caedsl; caedsl.load; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_parse_check_load() -> None:
    spec, findings = caedsl.parse(SPEC)
    assert not findings
    assert spec.statements[0].head.text == "autoencoder"
    assert [finding.name for finding in caedsl.check(SPEC) if finding.severity.value != "info"] == ["too-few-steps"]
    model = caedsl.load(SPEC, {"train.batch": 64})
    assert model.train is not None
    assert model.train.batch == 64


def test_load_names_what_is_wrong() -> None:
    with pytest.raises(caedsl.SpecError, match="did you mean `conv`") as raised:
        caedsl.load(SPEC.replace("conv 4", "cnov 4"))
    assert raised.value.findings[0].name == "unknown-layer"


def test_build_and_emit() -> None:
    module = caedsl.build(SPEC)
    x = torch.rand(2, 1, 8, 8)
    assert module.encode(x).shape == (2, 5)
    assert module(x).shape == x.shape
    assert "class Api(nn.Module)" in caedsl.emit(SPEC)


def test_train(tmp_path: Path) -> None:
    path = tmp_path / "api.cae"
    path.write_text(SPEC)
    done = caedsl.train(path, out=tmp_path / "run", settings={"train.epochs": 2})
    assert len(done.run.history.epochs) == 2
    assert done.evaluation.model.mse > 0
    assert (tmp_path / "run" / "spec.cae").read_text().count("epochs 2") == 1


def test_training_on_an_array_of_another_size_warns(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="resized from 9x12 to 8x8") as warned:
        caedsl.train(SPEC, out=tmp_path / "run", images=np.random.default_rng(0).random((40, 9, 12), np.float32))
    assert [warning.filename for warning in warned] == [__file__]


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        _ = caedsl.nonsense
