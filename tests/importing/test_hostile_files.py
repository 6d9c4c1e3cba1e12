"""Hostile model files give one error, in bounded time and memory, and no code is run."""

import io
import json
import os
import random
import sys
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import onnx
import pytest
import torch
from google.protobuf import json_format
from torch import nn

from caedsl.importing.errors import ImportFailure
from caedsl.importing.opening import as_import_failures, network_at
from tests.cli.test_fuzzed_specs import MOST_BYTES, peak_memory, reset_peak_memory
from tests.conftest import Ran
from tests.runs.damage import forge
from tests.runs.test_damaged_run_folders import at_most

KERAS = Path(__file__).parent / "keras" / "files"


@pytest.fixture(scope="module")
def module() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64, 8),
        nn.Linear(8, 64),
        nn.Unflatten(1, (4, 4, 4)),
        nn.ReLU(inplace=True),
        nn.Upsample(scale_factor=2),
        nn.Conv2d(4, 1, 3, padding=1),
        nn.Sigmoid(),
    ).eval()


@pytest.fixture(scope="module")
def exported(module: nn.Module) -> bytes:
    content = io.BytesIO()
    torch.export.save(torch.export.export(module, (torch.zeros(2, 1, 8, 8),)), content)
    return content.getvalue()


@pytest.fixture(scope="module")
def onnx_content(module: nn.Module) -> bytes:
    content = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, (torch.zeros(2, 1, 8, 8),), content, dynamo=False)  # type: ignore[no-untyped-call]
    return content.getvalue()


@pytest.fixture(scope="module")
def whole(exported: bytes, onnx_content: bytes) -> dict[str, bytes]:
    """Return a whole file of each kind, by its name."""
    files = {path.name: path.read_bytes() for path in sorted(KERAS.iterdir()) if path.suffix in (".h5", ".keras")}
    return {"net.pt2": exported, "net.onnx": onnx_content, **files}


def members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


def archive_of(members: dict[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", packing) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return content.getvalue()


def forged(content: bytes, chance: random.Random) -> bytes:
    """Return the file with a few other values in its JSON."""
    if content.startswith(b"PK"):
        parts = members(content)
        name = chance.choice([name for name in parts if name.endswith(".json")])
        return archive_of({**parts, name: other_json(parts[name], chance)})
    if not content.startswith(b"\x89HDF"):
        return forged_onnx(content, chance)
    file = io.BytesIO(content)
    with h5py.File(file, "r+") as inside:
        name = chance.choice(["model_config", "training_config"])
        text = inside.attrs.get(name, "{}")
        inside.attrs[name] = other_json(text.encode() if isinstance(text, str) else text, chance).decode()
    return file.getvalue()


def forged_onnx(content: bytes, chance: random.Random) -> bytes:
    """Return the graph with a few other values that its format allows."""
    while True:
        model = json_format.MessageToDict(onnx.load_model_from_string(content))
        for _ in range(chance.choice((1, 1, 2, 4))):
            forge(model, chance)
        try:
            return json_format.ParseDict(model, onnx.ModelProto()).SerializeToString()
        except (json_format.ParseError, ArithmeticError, AttributeError, TypeError, ValueError):
            continue


def other_json(content: bytes, chance: random.Random) -> bytes:
    value = json.loads(content)
    for _ in range(chance.choice((1, 1, 2, 4))):
        try:
            forge(value, chance)
        except IndexError:  # nothing is left to change
            break
    return json.dumps(value).encode()


def damaged(content: bytes, chance: random.Random) -> bytes:
    if content.startswith(b"PK"):  # most errors of a decompressor need a packed member
        content = archive_of(members(content), chance.choice(PACKINGS))
    match chance.randrange(3):
        case 0:
            return content[: chance.randrange(len(content))]
        case 1:
            place = chance.randrange(len(content))
            return content[:place] + bytes([content[place] ^ (1 << chance.randrange(8))]) + content[place + 1 :]
        case _:
            place, length = chance.randrange(len(content)), chance.choice((1, 8, 1000))
            return content[:place] + chance.randbytes(length) + content[place + length :]


def held(run: Callable[..., Ran], path: Path, case: object) -> int:
    """Import a file and check the promises; return the exit code."""
    before, start = reset_peak_memory(), sum(os.times()[:4])  # that of processes which have ended, too
    ran = run("import", path)
    seconds, memory = sum(os.times()[:4]) - start, peak_memory() - before
    told = f"{case}: exit code {ran.code}, {seconds:.1f} s, {memory:,} bytes\n{ran.err[-3000:]}"
    assert ran.code in (0, 1, 2), told
    assert "\x1b" not in ran.out + ran.err, told
    assert seconds < 20 and memory < MOST_BYTES, told
    return ran.code


def test_a_text_that_claims_more_than_its_file_takes_no_memory(
    whole: dict[str, bytes], tmp_path: Path, caedsl: Callable[..., Ran]
) -> None:
    content = whole["blog_simple.h5"]
    heap = content.index(b"GCOL\x01").to_bytes(8, "little")
    first = content.index(heap)
    (tmp_path / "long.h5").write_bytes(content[: first - 4] + (1_300_000_000).to_bytes(4, "little") + content[first:])
    assert held(caedsl, tmp_path / "long.h5", "a long text") == 2


def test_forged_and_damaged_files(
    whole: dict[str, bytes], tmp_path: Path, caedsl: Callable[..., Ran], pytestconfig: pytest.Config
) -> None:
    answers: Counter[int] = Counter()
    for name, content in whole.items():
        (tmp_path / name).write_bytes(content)
        assert held(caedsl, tmp_path / name, name) == 0
    end, seed = time.monotonic() + pytestconfig.getoption("--fuzz-seconds"), pytestconfig.getoption("--fuzz-seed")
    while time.monotonic() < end or answers.total() < 10:
        chance = random.Random(f"{seed}/{answers.total()}")
        name = chance.choice(("net.pt2", "net.onnx", *whole))
        way = chance.choice((forged, forged, damaged))
        (tmp_path / name).write_bytes(way(whole[name], chance))
        answers[held(caedsl, tmp_path / name, (seed, answers.total(), name, way.__name__))] += 1
    print(f"{answers.total()} files: exit codes {dict(answers)}")


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("ending", [".keras", ".pt2", ".pt"])
def test_archives_damaged_anywhere(ending: str, packing: int, whole: dict[str, bytes], tmp_path: Path) -> None:
    """Each packing has errors of its own. The file is read without a command, which would take much longer."""
    original = min(
        (whole[name] for name in whole if name.endswith(".keras" if ending == ".keras" else ".pt2")), key=len
    )
    content, path = archive_of(members(original), packing), tmp_path / f"net{ending}"
    told = 0
    for place in (*range(0, len(content), len(content) // 12), *range(len(content) - 200, len(content), 20)):
        path.write_bytes(content[:place] + b"[[[[" + content[place + 4 :])
        try:
            with as_import_failures(str(path)):
                network_at(str(path), None, None)
        except ImportFailure:
            told += 1
    assert told > 5


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes")
@pytest.mark.parametrize("name", ["net.pt2", "net.h5", "net.keras", "net.onnx", "net.pt"])
def test_pipes_devices_and_folders_are_no_models(name: str, tmp_path: Path, caedsl: Callable[..., Ran]) -> None:
    path = tmp_path / name
    os.mkfifo(path)
    assert held(caedsl, path, "a pipe") == 2
    path.unlink()
    path.symlink_to("/dev/zero")
    assert held(caedsl, path, "a device") == 2
    path.unlink()
    path.mkdir()
    assert held(caedsl, path, "a folder") == 2
    path.rmdir()
    path.symlink_to(path)
    assert held(caedsl, path, "a link to itself") == 2


def changed(content: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """Return an exported file with another graph."""
    parts = members(content)
    name = next(name for name in parts if name.endswith("models/model.json"))
    program = json.loads(parts[name])
    change(program["graph_module"]["graph"])
    return archive_of({**parts, name: json.dumps(program).encode()})


def write_onto_itself(graph: dict[str, Any]) -> None:
    """Let an operator that works in place return the name that it reads."""
    node = next(node for node in graph["nodes"] if "relu_" in node["target"])
    node["outputs"] = [{"as_tensor": node["inputs"][0]["arg"]["as_tensor"]}]


def write_in_a_ring(graph: dict[str, Any]) -> None:
    node = next(node for node in graph["nodes"] if "relu_" in node["target"])
    back = json.loads(json.dumps(node))
    back["outputs"], back["inputs"][0]["arg"] = [node["inputs"][0]["arg"]], node["outputs"][0]
    graph["nodes"].append(back)


def write_in_a_long_chain(graph: dict[str, Any]) -> None:
    """Let very many operators change the same tensor in place."""
    place, node = next((place, node) for place, node in enumerate(graph["nodes"]) if "relu_" in node["target"])
    chain = [{**node, "outputs": [{"as_tensor": {"name": f"r{number}"}}], "metadata": {}} for number in range(40_000)]
    graph["nodes"][place + 1 : place + 1] = chain


def ask_for_all_memory(graph: dict[str, Any]) -> None:
    for value in graph["tensor_values"].values():
        value["sizes"] = [{"as_int": 10**9} for _ in value["sizes"]]


@pytest.mark.parametrize("change", [write_onto_itself, write_in_a_ring, write_in_a_long_chain, ask_for_all_memory])
def test_graphs_that_contradict_themselves(
    change: Callable[[dict[str, Any]], None], exported: bytes, tmp_path: Path, caedsl: Callable[..., Ran]
) -> None:
    (tmp_path / "net.pt2").write_bytes(changed(exported, change))
    with at_most(60):
        assert held(caedsl, tmp_path / "net.pt2", change.__name__) in (0, 1, 2)


@pytest.mark.parametrize("member", ["models/model.json", "weight_0"])
def test_bombs_in_exported_files_are_refused(
    member: str, exported: bytes, tmp_path: Path, caedsl: Callable[..., Ran]
) -> None:
    parts = members(exported)
    name = next(name for name in parts if name.endswith(member))
    (tmp_path / "net.pt2").write_bytes(archive_of({**parts, name: b" " * 300_000_000}))
    assert held(caedsl, tmp_path / "net.pt2", member) == 2


def test_weights_of_no_bytes_are_refused(exported: bytes, tmp_path: Path, caedsl: Callable[..., Ran]) -> None:
    """With a stride of 0, a single number becomes a tensor of any size."""
    parts = members(exported)
    name = next(name for name in parts if name.endswith("model_weights_config.json"))
    weights = json.loads(parts[name])
    for entry in weights["config"].values():
        meta = entry["tensor_meta"]
        meta["strides"] = [{"as_int": 0} for _ in meta["strides"]]
        meta["sizes"] = [{"as_int": 10**6} for _ in meta["sizes"]]
    (tmp_path / "net.pt2").write_bytes(archive_of({**parts, name: json.dumps(weights).encode()}))
    assert held(caedsl, tmp_path / "net.pt2", "strides of 0") == 2


def test_weights_that_share_their_bytes_are_refused(
    exported: bytes, tmp_path: Path, caedsl: Callable[..., Ran]
) -> None:
    parts = members(exported)
    program, zeros = (next(name for name in parts if name.endswith(end)) for end in ("model.json", "weight_0"))
    described = json.loads(parts[program])
    specs = described["graph_module"]["signature"]["input_specs"]
    shared = next(spec for spec in specs if spec.get("parameter", {}).get("parameter_name") == "0.weight")
    specs += [shared] * 500
    others = {program: json.dumps(described).encode(), zeros: bytes(16 << 20)}
    (tmp_path / "net.pt2").write_bytes(archive_of({**parts, **others}))
    assert held(caedsl, tmp_path / "net.pt2", "shared bytes") == 2


MANY_LISTS = b'{"a":[' + b"[]," * 5_000_000 + b"[]]}"


@pytest.mark.parametrize("name", ["net.pt2", "net.keras"])
def test_a_short_text_with_very_many_values_is_not_parsed(
    name: str, exported: bytes, tmp_path: Path, caedsl: Callable[..., Ran]
) -> None:
    parts = members(exported) if name == "net.pt2" else {"config.json": b""}
    member = next(name for name in parts if name.endswith(("models/model.json", "config.json")))
    (tmp_path / name).write_bytes(archive_of({**parts, member: MANY_LISTS}))
    before = reset_peak_memory()
    assert held(caedsl, tmp_path / name, "many lists") == 2
    assert peak_memory() - before < 10 * len(MANY_LISTS)


@pytest.mark.parametrize("count", [9_000, 50_000])
def test_layers_in_the_reverse_order(count: int, tmp_path: Path, caedsl: Callable[..., Ran]) -> None:
    """They are sorted in time that grows with their number, not with its square."""
    layers: list[dict[str, Any]] = [{"class_name": "InputLayer", "config": {"name": "0", "batch_shape": [None, 8, 1]}}]
    for number in range(1, count):
        tensor = {"class_name": "__keras_tensor__", "config": {"keras_history": [str(number - 1), 0, 0]}}
        nodes = [{"args": [tensor], "kwargs": {}}]
        layers.append({"class_name": "ReLU", "config": {"name": str(number)}, "inbound_nodes": nodes})
    config = {"layers": layers[::-1], "input_layers": [["0", 0, 0]], "output_layers": [[str(count - 1), 0, 0]]}
    text = json.dumps({"class_name": "Functional", "config": config}).encode()
    parts = {"config.json": text, "metadata.json": b"{}", "model.weights.h5": b""}
    (tmp_path / "net.keras").write_bytes(archive_of(parts))
    with at_most(60):
        assert held(caedsl, tmp_path / "net.keras", "reversed") == 2


def test_a_graph_of_very_many_operators_is_refused(tmp_path: Path, caedsl: Callable[..., Ran]) -> None:
    names = ["x", *(f"t{number}" for number in range(20_001))]
    nodes = [onnx.helper.make_node("Relu", [before], [after]) for before, after in pairwise(names)]
    ends = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 1, 8, 8]) for name in names[::20_001]]
    model = onnx.helper.make_model(onnx.helper.make_graph(nodes, "g", ends[:1], ends[1:]))
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    assert held(caedsl, tmp_path / "net.onnx", "many operators") == 2
