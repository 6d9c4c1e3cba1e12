"""``show``, ``graph``, ``emit``, ``train`` and ``new`` as a person uses them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from caedsl.api import load
from caedsl.cli.new import Template
from tests.conftest import ROOT, SPECS, Ran

Run = Callable[..., Ran]

TINY = """autoencoder tiny
input 1x8x8
data digits limit=200
encoder { conv 4 relu l2=1e-4; maxpool 2 }
bottleneck dense 6
decoder mirror
train { epochs 2; batch 32; optimizer adam lr=3e-3 }
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.cae"
    path.write_text(TINY)
    return path


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_show_counts_every_layer(path: Path, caedsl: Run) -> None:
    ran = caedsl("show", path)
    assert ran.code == 0
    model = load(path)
    assert f"{sum(layer.kind.parameters(layer) for _, layer in model.layers()):,}" in ran.out
    assert "optimizer" in ran.out


def test_show_golden(caedsl: Run, golden: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    golden(caedsl("show", "specs/photos.cae").out, "show_photos.txt")
    golden(caedsl("show", "--json", "specs/mnist_mirror.cae").out, "show_mnist_mirror.json")


def test_show_json_has_the_promised_keys(caedsl: Run) -> None:
    shown = json.loads(caedsl("show", "--json", ROOT / "specs" / "deep_svdd.cae").out)
    promised = [
        "name",
        "input_shape",
        "code_shape",
        "code_bits",
        "code_terms",
        "compression",
        "parameters",
        "macs",
        "receptive_field",
        "layers",
        "train",
    ]
    assert set(promised) <= set(shown)
    assert shown["parameters"] == 8472
    assert shown["input_shape"] == [1, 28, 28]
    assert shown["train"]["optimizer"]["options"]["weight_decay"] == 5e-4
    keys = {"part", "kind", "name", "out_shape", "parameters", "macs", "receptive_field", "line"}
    assert all(keys <= set(layer) for layer in shown["layers"])
    assert sum(layer["parameters"] for layer in shown["layers"]) == 8472


def test_show_with_a_changed_setting(caedsl: Run) -> None:
    ran = caedsl("show", "--json", "--set", "train.batch=64", "--set", "let.width=8", ROOT / "specs" / "photos.cae")
    shown = json.loads(ran.out)
    assert shown["train"]["batch"] == 64
    assert shown["layers"][0]["out_shape"] == [8, 64, 64]


@pytest.mark.parametrize("ending", ["svg", "png", "pdf", "dot", "mmd"])
def test_graph_writes_every_format(ending: str, tiny: Path, caedsl: Run) -> None:
    target = tiny.with_suffix(f".{ending}")
    ran = caedsl("graph", tiny, "-o", target)
    assert (ran.code, ran.out) == (0, f"drew {target}\n")
    assert target.stat().st_size > 300


def test_graph_names_its_file_after_the_model(tiny: Path, caedsl: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny.parent)
    assert caedsl("graph", "tiny.cae").code == 0
    assert (tiny.parent / "tiny.svg").read_text().startswith("<svg")


def test_graph_with_an_unknown_ending(tiny: Path, caedsl: Run) -> None:
    ran = caedsl("graph", tiny, "-o", tiny.with_suffix(".gif"))
    assert ran.code == 2
    assert ".svg" in ran.err


def test_emit_to_standard_output_and_to_a_file(tiny: Path, caedsl: Run) -> None:
    printed = caedsl("emit", tiny)
    assert printed.out.startswith('"""tiny:')
    written = caedsl("emit", tiny, "--training", "-o", tiny.with_suffix(".py"))
    assert written.code == 0
    assert "def train(" in tiny.with_suffix(".py").read_text()


def test_train_fills_the_run_folder_and_the_weights_load_into_emitted_code(
    tiny: Path, tmp_path: Path, caedsl: Run
) -> None:
    run = tmp_path / "run"
    ran = caedsl("train", tiny, "--out", run, "--seed", 3, "--set", "train.optimizer.lr=1e-2")
    assert ran.code == 0
    assert {"model", "PCA-6", "mean image"} <= {line.split("  ")[0] for line in ran.out.splitlines()}
    names = "checkpoint.safetensors history.jsonl state.json spec.cae settings.json weights.safetensors last.safetensors history.csv metrics.json environment.json trouble.jsonl validation.txt"
    pictures = ("reconstructions.png", "evolution.png", "pictures")
    assert sorted([*names.split(), *pictures]) == sorted(path.name for path in run.iterdir())
    settings = json.loads((run / "settings.json").read_text())
    assert (settings["seed"], settings["optimizer"]["lr"], settings["epochs"]) == (3, 1e-2, 2)
    assert load(run / "spec.cae").train == load(TINY, {"train.seed": 3, "train.optimizer.lr": 1e-2}).train
    assert len((run / "history.csv").read_text().splitlines()) == 3
    with Image.open(run / "reconstructions.png") as picture:
        assert picture.width > 300

    namespace: dict[str, object] = {"__name__": "emitted"}
    exec(caedsl("emit", tiny).out, namespace)
    module = namespace["Tiny"]()  # type: ignore[operator]
    module.load_state_dict(load_file(run / "weights.safetensors"))
    assert module(torch.zeros(1, 1, 8, 8)).shape == (1, 1, 8, 8)


def test_train_makes_a_fresh_folder_each_time(tiny: Path, caedsl: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny.parent)
    for _ in range(2):
        assert caedsl("train", "tiny.cae", "--epochs", 1, "--quiet") == (0, "", "")
    assert len(list((tiny.parent / "runs").iterdir())) == 2


def test_the_same_seed_gives_the_same_run(tiny: Path, tmp_path: Path, caedsl: Run) -> None:
    for name in ("a", "b"):
        caedsl("train", tiny, "--epochs", 1, "--quiet", "--out", tmp_path / name, "--device", "cpu")
    a, b = (load_file(tmp_path / name / "last.safetensors") for name in ("a", "b"))
    assert all(torch.equal(a[key], b[key]) for key in a)


@pytest.mark.parametrize("template", list(Template))
def test_new_writes_a_clean_formatted_spec(
    template: Template, tmp_path: Path, caedsl: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert caedsl("new", "mine", "--template", template.value).code == 0
    checked = caedsl("check", "--strict", "mine.cae")
    assert checked.code == 0, checked.out
    assert caedsl("fmt", "--check", "mine.cae").code == 0
    assert load("mine.cae").name == "mine"


def test_new_never_overwrites(tmp_path: Path, caedsl: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.cae").write_text("precious")
    ran = caedsl("new", "mine")
    assert ran.code == 2
    assert "already exists" in ran.err
    assert Path("mine.cae").read_text() == "precious"
    assert caedsl("new", "3d-model").code == 2


@pytest.mark.parametrize("command", ["check", "fmt", "rule", "show", "graph", "emit", "train", "new"])
def test_every_command_has_help_with_an_example(command: str, caedsl: Run) -> None:
    ran = caedsl(command, "--help")
    assert ran.code == 0
    assert f"caedsl {command}" in ran.out.lower().split("example", 1)[1]


def test_the_program_itself(caedsl: Run) -> None:
    assert caedsl("--version").out.startswith("caedsl 0.")
    listed = caedsl("--help").out
    assert "train" in listed
    assert "..." not in listed.partition("Commands:")[2], "no line about a command is cut"
    assert caedsl("-h").out == listed
    assert caedsl("nonsense").code == 2
    assert caedsl("show").code == 2
