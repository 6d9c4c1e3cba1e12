"""Files that TensorFlow's Keras 2 has saved, with what it made of samples; neither Keras nor TensorFlow is needed."""

from pathlib import Path

import numpy as np
import pytest
import torch

from caedsl.cli.app import run
from caedsl.importing.imported import ImportedModel, imported
from caedsl.importing.keras.reading import network_of_file

FILES = Path(__file__).parent / "files"
MODELS = sorted(path for path in FILES.iterdir() if path.suffix in (".h5", ".keras"))


def read(path: Path) -> ImportedModel:
    return imported(network_of_file(path.read_bytes(), path.stem))


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.name)
def test_the_module_makes_what_keras_made(path: Path) -> None:
    made = read(path)
    kept = np.load(path.with_suffix(".npz"))
    samples, outputs = kept["samples"], kept["outputs"]
    if samples.ndim == 4:
        samples = samples.transpose(0, 3, 1, 2)
    ours = made.module(torch.from_numpy(samples.reshape(len(samples), *made.model.input.shape).copy()))
    if outputs.ndim == 4:
        outputs = outputs.transpose(0, 3, 1, 2)
    assert np.abs(ours.detach().numpy() - outputs.reshape(ours.shape)).max() < 1e-5
    assert made.difference < 1e-5


def test_the_spec_says_the_whole_network() -> None:
    assert (
        read(FILES / "parts.h5").spec
        == """\
autoencoder parts
input 3x8x12 in 0..1

defaults conv init=glorot
defaults dense init=glorot
defaults deconv init=glorot

encoder {
  conv 4 s2 pad=same_upper bias=on norm=batch eps=0.001 momentum=0.01 leaky_relu=0.2
  dropout 0.2 elementwise
}
bottleneck dense 6
decoder {
  dense 30 norm=batch eps=0.0001 relu
  reshape 5x2x3
  deconv 4 k4 s2 elu
  deconv 3 s2 pad=same_upper sigmoid
}

train {
  loss      mse
  optimizer sgd lr=0.1 momentum=0.9 nesterov
}
"""
    )


def test_both_files_of_a_model_give_the_same_spec_and_weights() -> None:
    old, new = read(FILES / "parts.h5"), read(FILES / "parts.keras")
    assert old.spec == new.spec
    assert all(torch.equal(a, b) for a, b in zip(old.module.parameters(), new.module.parameters(), strict=True))


def test_the_code_is_the_end_of_the_model_called_encoder() -> None:
    made = read(FILES / "parts.h5")
    assert made.notes[0] == "the code is the output of encoder.z (6)"
    assert made.model.code_shape == (6,)


def test_the_command_writes_spec_and_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec, weights = tmp_path / "parts.cae", tmp_path / "parts.safetensors"
    assert run(["import", str(FILES / "parts.h5"), "-o", str(spec), "--weights", str(weights)]) == 0
    said = capsys.readouterr()
    assert "outputs differ from the original's by" in said.out
    assert "the code is the output of encoder.z (6)" in said.err and "the range of samples is 0..1" in said.err
    assert spec.read_text() == read(FILES / "parts.h5").spec and weights.is_file()
    assert run(["check", str(spec)]) == 0


def test_the_command_says_why_it_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "broken.keras"
    file.write_bytes((FILES / "parts.keras").read_bytes()[:3000])
    assert run(["import", str(file), "-o", str(tmp_path / "x.cae")]) == 2
    assert "broken.keras was not imported: this zip archive cannot be read" in capsys.readouterr().err
    assert not (tmp_path / "x.cae").exists()


def test_the_range_is_that_of_the_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["import", str(FILES / "parts.h5"), "--range", "real"]) == 0
    assert "input 3x8x12 in real" in capsys.readouterr().out
