"""The emitted source and its training loop."""

import ast
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from caedsl.api import load
from caedsl.backends.torch.instantiate import build
from caedsl.backends.torch.render import class_name, emit
from caedsl.rules.engine.checking import check_source
from caedsl.source import Source
from tests.conftest import ROOT

EVERYTHING = """
autoencoder everything
input 1x16x20 in -1..1
encoder {
  stage half { conv 8 relu l2=1e-3 s2; residual relu { conv 8 relu norm=batch; conv 8 } }
  conv 6 k4 leaky_relu=0.1 l1=1e-4
  conv 6 pad=reflect depthwise init=orthogonal
  maxpool k3 s2 pad=1 ceil
}
bottleneck dense 5 l1=1e-3 noise=0.1
decoder mirror
train {
  loss mse + 0.2 ssim + huber reduction=sum
  optimizer sgd lr=1e-4 momentum=0.9
  schedule onecycle
  batch 8
  clip 1.0
  ema 0.9
  corrupt gaussian=0.1 masking=10% saltpepper=5%
  augment flip shift=2 rotate=10
  stop patience=3
}
"""


@pytest.mark.parametrize("name", ["mnist_l2", "deep_svdd", "photos", "keras_blog"])
def test_golden_source(name: str, golden: Callable[[str, str], None]) -> None:
    golden(emit(load(ROOT / "specs" / f"{name}.cae"), training=name != "mnist_l2"), f"{name}.py")


def test_golden_source_of_everything(golden: Callable[[str, str], None]) -> None:
    golden(emit(load(EVERYTHING), training=True), "everything.py")


@pytest.mark.parametrize("name", ["mnist_l2", "photos", "everything"])
def test_emitted_source_is_formatted_and_clean(name: str, tmp_path: Path) -> None:
    source = emit(load(EVERYTHING if name == "everything" else ROOT / "specs" / f"{name}.cae"), training=True)
    path = tmp_path / "emitted.py"
    path.write_text(source)
    ruff = [sys.executable, "-m", "ruff"]
    subprocess.run([*ruff, "format", "--check", "--isolated", "--line-length", "120", path], check=True)
    subprocess.run([*ruff, "check", "--isolated", "--select", "E,F,I,B,UP", "--line-length", "120", path], check=True)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "optimizer.step()"),
        ({"train.schedule": "cosine warmup=10%"}, "cosine(step, rising"),
        ({"train.schedule": "step at=2"}, "single_step(step, 0"),
        ({"train.schedule": "plateau patience=1"}, "plateau.update("),
        ({"train.schedule": "constant warmup=20%"}, "warm_up(step, rising"),
        ({"train.optimizer": "adamw lr=1e-2"}, "AdamW"),
        ({"train.optimizer": "rmsprop lr=1e-3 momentum=0.5"}, "RMSprop"),
        ({"train.loss": "bce", "input": "1x16x20 in 0..1"}, "binary_cross_entropy"),
        ({"train.loss": "mae"}, "l1_loss"),
    ],
)
def test_emitted_loop_lowers_the_loss(change: dict[str, str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    usual = {"train.augment": "flip", "train.corrupt": "gaussian=0.05", "train.ema": "0.5"}
    fast = {"train.optimizer": "adam lr=1e-2", "train.clip": "100"}
    model = load(EVERYTHING, {**usual, **fast, **change})
    source = emit(model, training=True)
    assert words in source
    namespace: dict[str, object] = {"__name__": "emitted"}
    exec(compile(source, "emitted.py", "exec"), namespace)
    torch.manual_seed(0)
    module = namespace[class_name(model.name)]()  # type: ignore[operator]
    low, high = (0.0, 1.0) if model.input.range.low == 0 else (-1.0, 1.0)
    images = torch.linspace(low, high, 24).view(24, 1, 1, 1).expand(24, *model.input.shape).contiguous()
    namespace["train"](module, images, epochs=8)  # type: ignore[operator]
    losses = [float(text) for text in re.findall(r"loss ([\d.]+)", capsys.readouterr().out)]
    assert len(losses) == 8
    assert losses[-1] < 0.9 * losses[0]


def test_numbers_that_are_found_are_arguments_of_the_loop(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, python: str
) -> None:
    model = load(EVERYTHING, {"train.optimizer": "adam lr=auto", "train.batch": "auto", "train.augment": "flip"})
    path = tmp_path / "emitted.py"
    path.write_text(emit(model, training=True))
    subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--check", "--isolated", "--line-length", "120", path], check=True
    )
    namespace: dict[str, object] = {"__name__": "emitted"}
    exec(compile(path.read_text(), "emitted.py", "exec"), namespace)
    module = namespace[class_name(model.name)]()  # type: ignore[operator]
    with pytest.raises(TypeError, match="'lr' and 'batch'"):
        namespace["train"](module, torch.zeros(4, *model.input.shape))  # type: ignore[operator]
    namespace["train"](module, torch.zeros(4, *model.input.shape), lr=1e-3, batch=2, epochs=1)  # type: ignore[operator]
    assert "epoch 1" in capsys.readouterr().out
    np.save(tmp_path / "x.npy", np.zeros((4, *model.input.shape), np.float32))
    arguments = [python, path, tmp_path / "x.npy", tmp_path / "w.safetensors"]
    told = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert "IMAGES.npy WEIGHTS.safetensors LR BATCH" in told.stderr


@pytest.mark.parametrize("name", ["K1", "WINDOW", "SIGMA", "tensor", "list_"])
def test_an_emitted_loop_trains_and_saves_whatever_the_model_is_called(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = (
        f"autoencoder {name}\ninput 1x8x8\nencoder {{ conv 4 relu; maxpool 2 }}\nbottleneck dense 4\ndecoder mirror\n"
        "train { loss ssim; epochs 1 }\n"
    )
    checked = check_source(Source(spec))
    assert checked.model is not None
    (tmp_path / "emitted.py").write_text(emit(checked.model, training=True))
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((9, 1, 8, 8)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["emitted.py", "x.npy", "w.safetensors"])
    runpy.run_path("emitted.py", run_name="__main__")
    assert set(load_file(tmp_path / "w.safetensors")) == set(build(checked.model).state_dict())


def test_every_number_in_emitted_code_is_a_literal() -> None:
    spec = (
        "autoencoder a\ninput 1x8x8 in 0..1e38\nencoder { conv 4 relu; maxpool 2 }\nbottleneck dense 4\n"
        "decoder mirror\ntrain { corrupt gaussian=1e300; epochs 1 }\n"
    )
    checked = check_source(Source(spec))
    assert checked.model is not None
    names = {node.id for node in ast.walk(ast.parse(emit(checked.model, training=True))) if isinstance(node, ast.Name)}
    assert not names & {"inf", "nan"}


def test_class_names() -> None:
    assert class_name("mnist_l2") == "MnistL2"
    assert class_name("AE") == "AE"
    assert class_name("__") == "Autoencoder"
    assert class_name("residual") == "ResidualAutoencoder"
    assert class_name("none") == "NoneAutoencoder"
