"""Safetensors files of a stranger are measured before they are parsed."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from caedsl.backends.torch.instantiate import build
from caedsl.resolve.resolve import resolve
from caedsl.runs import tensors
from caedsl.runs.confined import LARGEST_PARSED, LARGEST_RECORD
from caedsl.runs.tensors import TensorFileError, read_tensors
from caedsl.source import Source
from caedsl.syntax.parser import parse
from caedsl.training.checkpoints import Checkpoint, CheckpointError
from caedsl.training.weights import MOST_COPIES, FileLimit, largest_file
from tests.conftest import SPECS


def file_of(header: str) -> bytes:
    return len(header).to_bytes(8, "little") + header.encode()


ENTRY = '{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'
EXCESSIVE = {
    "many tensors": "{" + ",".join(f'"t{number}":{ENTRY}' for number in range(20)) + "}",
    "escaped keys": "{" + ",".join(f'"\\u0074{number}":{ENTRY}' for number in range(20)) + "}",
    "a long text": json.dumps({"__metadata__": {"state": "x" * (2 * LARGEST_RECORD + 20_000)}}),
}


@pytest.mark.parametrize("header", EXCESSIVE.values(), ids=EXCESSIVE)
def test_a_large_header_is_not_parsed(header: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensors, "load", lambda content: pytest.fail("the file was parsed"))
    with pytest.raises(TensorFileError, match=r"its header has .* bytes|it has more than 10 tensors"):
        read_tensors(file_of(header), 10)


def test_braces_in_names_and_texts_are_no_tensors() -> None:
    given = {"{{{": torch.zeros(2), '"\\{': torch.ones(1)}
    read = read_tensors(save(given, metadata={"state": json.dumps({"a": [{}] * 9, "b": '"{\\'})}), 2)
    assert read.tensors.keys() == given.keys()
    assert json.loads(read.texts["state"])["b"] == '"{\\'


@pytest.mark.parametrize(
    "state",
    ["[" * (LARGEST_PARSED // 1000 + 1), "1," * (LARGEST_PARSED // 70 + 1), "1" * (LARGEST_RECORD + 1)],
    ids=["deep", "of many values", "long"],
)
def test_a_large_state_is_not_parsed(state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("caedsl.training.checkpoints.read_progress", lambda text: pytest.fail("the state was parsed"))
    (tmp_path / "checkpoint").write_bytes(save({"a": torch.zeros(1)}, metadata={"state": state}))
    with pytest.raises(CheckpointError, match=r"its state has .*more than .*, the limit"):
        Checkpoint.read(tmp_path, "checkpoint", FileLimit(1 << 26, 10))


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_no_model_has_more_tensors_than_its_limit(path: Path) -> None:
    source = Source(path.read_text("utf-8"), str(path))
    model, _ = resolve(parse(source)[0], source)
    assert model is not None
    with torch.device("meta"):
        assert MOST_COPIES * len(build(model).state_dict()) <= largest_file(model).tensors
