import io
import json
import re
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import caedsl
from caedsl.cli.main import main
from caedsl.export import files
from caedsl.export.card import card, shared_files
from caedsl.export.files import Exported, ExportError, export
from caedsl.export.parts import PARTS, part_named
from caedsl.importing.imported import imported
from caedsl.importing.opening import network_at
from caedsl.inference.calibration import calibrate
from caedsl.inference.schema import write_calibration
from caedsl.inference.scores import read_score
from caedsl.inference.trained_run import TrainedRun
from tests.inference.conftest import GREY, write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    return caedsl.open(write_run(tmp_path_factory.mktemp("export") / "grey", GREY), device="cpu")


def images(count: int) -> np.ndarray:
    return np.random.default_rng(count).random((count, 1, 8, 8)).astype(np.float32)


def exported(run: TrainedRun, part: str, format_: str, score: str = "mse") -> Exported:
    samples = (torch.from_numpy(images(3)) * 255).round() / 255
    return export(run, part_named(part), read_score(score), format_, samples, "noise")


def onnx_outputs(content: bytes, given: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    outputs: list[np.ndarray] = session.run(None, {session.get_inputs()[0].name: given})
    return outputs


def test_onnx_runs_any_batch_and_agrees_with_the_run(run: TrainedRun) -> None:
    full = exported(run, "full", "onnx").content
    for count in (1, 2, 7):
        (made,) = onnx_outputs(full, images(count))
        assert np.allclose(made, run.reconstruct(images(count)), atol=1e-5)


def test_encoder_and_decoder_make_the_whole(run: TrainedRun) -> None:
    (codes,) = onnx_outputs(exported(run, "encoder", "onnx").content, images(4))
    assert np.allclose(codes, run.encode(images(4)), atol=1e-5)
    (made,) = onnx_outputs(exported(run, "decoder", "onnx").content, codes)
    assert np.allclose(made, run.reconstruct(images(4)), atol=1e-5)


def test_the_scorer_of_unbounded_samples_takes_them_unchanged(tmp_path: Path) -> None:
    spec = "autoencoder s; input 2x8 in real; encoder { conv 2 }; bottleneck dense 1; decoder mirror"
    run = caedsl.open(write_run(tmp_path / "run", spec), device="cpu")
    signals = np.random.default_rng(0).normal(300, 500, (5, 2, 8)).astype(np.float32)
    content = export(run, part_named("scorer"), read_score("mse"), "onnx", torch.from_numpy(signals), "noise").content
    scores, _ = onnx_outputs(content, signals)
    assert np.allclose(scores, run.score(signals), rtol=1e-4)


def test_samples_near_zero_may_differ_by_their_rounding(run: TrainedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    def off(by: float):  # type: ignore[no-untyped-def]
        return {"onnx": (files._draft_onnx, lambda _: lambda x: (torch.full((len(x), 1, 8, 8), 1e-6 + by),))}

    monkeypatch.setattr(run.module, "forward", lambda x: torch.full((len(x), 1, 8, 8), 1e-6))
    monkeypatch.setattr(files, "_draft_onnx", lambda *_: lambda _: b"")
    monkeypatch.setattr(files, "_FORMATS", off(1e-7))
    assert exported(run, "full", "onnx").content == b""
    monkeypatch.setattr(files, "_FORMATS", off(1e-5))
    with pytest.raises(ExportError, match="the exported full differs from the run"):
        exported(run, "full", "onnx")


@pytest.mark.parametrize("score", ["mse", "top=5%", "blurmax", "latent"])
def test_the_scorer_takes_bytes(run: TrainedRun, score: str) -> None:
    stored = np.random.default_rng(0).integers(0, 256, (5, 1, 8, 8), np.uint8)
    scores, maps = onnx_outputs(exported(run, "scorer", "onnx", score).content, stored)
    assert np.allclose(scores, run.score(stored, score), rtol=1e-4)
    assert maps.shape == (5, 8, 8)


@pytest.mark.filterwarnings("ignore:16-bit integers:UserWarning")
@pytest.mark.parametrize(("white", "dtype"), [(None, np.uint16), (4095, np.uint16), (None, np.float32)])
def test_the_scorer_takes_samples_as_they_are_stored(white: int | None, dtype: type, tmp_path: Path) -> None:
    """Sixteen bits that were cut to eight would get other scores than those of the calibration."""
    source = f'data npy "x.npy" white={white}; input' if white else "input"
    opened = caedsl.open(write_run(tmp_path / "run", GREY.replace("input", source, 1)), device="cpu")
    stored = (np.random.default_rng(0).random((5, 1, 8, 8)) * (white or 65535 if dtype == np.uint16 else 1)).astype(
        dtype
    )
    _, samples = next(opened.samples(stored).batches(5))
    done = export(opened, part_named("scorer"), read_score("mse"), "onnx", samples, "noise")
    assert done.about.startswith(f"integers 0..{white or 65535} in" if dtype == np.uint16 else "sample in")
    scores, _ = onnx_outputs(done.content, stored)
    assert np.allclose(scores, opened.score(stored), rtol=1e-5)


CONVOLUTIONAL = """autoencoder c
input 1x16x16
encoder { conv 4 k3 s2 relu norm=batch; conv 4 k3 s2 }
bottleneck
decoder mirror
"""
LINKED = CONVOLUTIONAL.replace("conv 4 k3 s2 }", "conv 4 k3 s2 relu; conv 2 }").replace("mirror", "mirror skips=concat")
AXES = {"batch", *(f"{axis}{ending}" for axis in ("length", "height", "width") for ending in ("", "_steps"))}
VALID = "autoencoder v\ninput 1x17x17\nencoder { conv 3 k3 s2 pad=0 relu }\nbottleneck\ndecoder mirror\n"
SIGNAL = "autoencoder s\ninput 2x64\nencoder { conv 4 k4 s4 relu }\nbottleneck\ndecoder mirror\n"


@pytest.mark.parametrize(
    ("spec", "part", "sizes"),
    [
        (CONVOLUTIONAL, "full", [(20, 32), (16, 16)]),
        (CONVOLUTIONAL, "encoder", [(24, 16)]),
        (CONVOLUTIONAL, "decoder", [(24, 16)]),
        (CONVOLUTIONAL, "scorer", [(28, 16)]),
        (CONVOLUTIONAL.replace("input", "data digits normalize=gcn\ninput"), "scorer", [(28, 16)]),
        (LINKED, "full", [(20, 32)]),
        (VALID, "full", [(19, 25)]),
        (SIGNAL, "full", [(68,), (256,)]),
    ],
)
def test_a_convolutional_model_keeps_its_sizes_free(
    spec: str, part: str, sizes: list[tuple[int, ...]], tmp_path: Path
) -> None:
    opened = caedsl.open(write_run(tmp_path / "run", spec), device="cpu")
    draw = torch.Generator().manual_seed(0)
    shape = opened.model.input.shape
    own = torch.randint(256, (3, *shape), generator=draw) / 255
    chosen = part_named(part)
    done = export(opened, chosen, read_score("mse"), "onnx", own, "noise")
    proto = onnx.load_from_string(done.content)
    stored = {entry.key: entry.value for entry in proto.metadata_props}
    assert stored["sizes"] == done.sizes
    assert done.sizes.startswith("any size in steps of ")
    named = {axis.dim_param for value in (*proto.graph.input, *proto.graph.output) for axis in _axes(value)} - {""}
    assert {word for name in named for word in re.findall(r"[a-z]\w*", name)} <= AXES
    for size in sizes:
        given = chosen.example(opened, torch.rand(2, shape[0], *size, generator=draw))
        expected = chosen.make(opened, read_score("mse"))(given)
        outputs = onnx_outputs(done.content, given.numpy())
        for output, wanted in zip(outputs, expected if isinstance(expected, tuple) else (expected,), strict=True):
            np.testing.assert_allclose(output, wanted.detach().numpy(), atol=1e-5)


def _axes(value: onnx.ValueInfoProto) -> list[onnx.TensorShapeProto.Dimension]:
    return list(value.type.tensor_type.shape.dim)


@pytest.mark.parametrize(("spec", "sizes"), [(CONVOLUTIONAL, [(20, 32), (16, 16)]), (SIGNAL, [(68,), (256,)])])
def test_torch_export_keeps_sizes_free(spec: str, sizes: list[tuple[int, ...]], tmp_path: Path) -> None:
    opened = caedsl.open(write_run(tmp_path / "run", spec), device="cpu")
    shape = opened.model.input.shape
    done = export(opened, part_named("full"), read_score("mse"), "pt2", torch.rand(3, *shape), "noise")
    module = torch.export.load(io.BytesIO(done.content)).module()
    for number, size in enumerate(sizes, 1):
        given = torch.rand(number, shape[0], *size)
        with torch.no_grad():
            np.testing.assert_allclose(module(given).numpy(), opened.module(given).numpy(), atol=1e-5)


@pytest.mark.parametrize("format_", ["onnx", "pt2"])
@pytest.mark.parametrize("spec", [CONVOLUTIONAL, LINKED, VALID, SIGNAL])
def test_files_that_keep_sizes_free_are_imported(spec: str, format_: str, tmp_path: Path) -> None:
    opened = caedsl.open(write_run(tmp_path / "run", spec), device="cpu")
    shape = opened.model.input.shape
    path = tmp_path / f"model.{format_}"
    path.write_bytes(
        export(opened, part_named("full"), read_score("mse"), format_, torch.rand(3, *shape), "noise").content
    )
    made = imported(network_at(str(path), None, None))
    assert made.model.input.shape == shape
    assert made.model.code_shape == opened.model.code_shape


def test_a_model_with_dense_layers_has_one_size(run: TrainedRun) -> None:
    assert exported(run, "full", "onnx").sizes == "1x8x8"


def test_the_file_says_what_it_is_and_how_far_it_is_off(run: TrainedRun) -> None:
    done = exported(run, "scorer", "onnx", "top=2%")
    stored = {entry.key: entry.value for entry in onnx.load_from_string(done.content).metadata_props}
    assert stored["spec"] == GREY
    assert (stored["part"], stored["score"]) == ("scorer", "top=2%")
    parity = json.loads(stored["parity"])
    assert parity["measured_on"] == "noise"
    assert parity["largest"] == done.parity.largest < 1e-5


def test_torch_export_round_trip(run: TrainedRun) -> None:
    extra = {"caedsl.json": ""}
    program = torch.export.load(io.BytesIO(exported(run, "full", "pt2").content), extra_files=extra)
    with torch.no_grad():
        made = program.module()(torch.from_numpy(images(6)))
    assert np.allclose(made.numpy(), run.reconstruct(images(6)), atol=1e-6)
    assert json.loads(extra["caedsl.json"])["model"] == "grey"


def test_a_file_that_computes_something_else_is_refused(run: TrainedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    draft, load = files._FORMATS["pt2"]
    wrong = {**files._FORMATS, "pt2": (draft, lambda content: lambda x: (load(content)(x)[0] + 0.01,))}
    monkeypatch.setattr(files, "_FORMATS", wrong)
    with pytest.raises(ExportError, match=r"differs from the run by 0\.01 .* nothing was written"):
        exported(run, "full", "pt2")


def test_every_part_has_an_example_of_its_input(run: TrainedRun) -> None:
    for part in PARTS:
        outputs = part.make(run, read_score("mse"))(part.example(run, torch.from_numpy(images(2))))
        assert len(outputs if isinstance(outputs, tuple) else (outputs,)) == len(part.outputs)


def test_a_shared_folder_opens_and_has_a_card(run: TrainedRun, tmp_path: Path) -> None:
    for name, content in shared_files(run).items():
        (tmp_path / name).write_bytes(content)
    again = caedsl.open(tmp_path, device="cpu")
    assert np.array_equal(again.encode(images(2)), run.encode(images(2)))
    assert "1x8x8 in 0..1, with a code of 6 numbers, 10.67× smaller than the input; 192 bits." in card(run)
    assert "run.predict" not in card(run)


def test_the_threshold_is_shared_with_the_model(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "grey", GREY)
    write_calibration(folder, calibrate([0.1, 0.2, 0.3], 0.5, "mse"))
    (tmp_path / "shared").mkdir()
    for name, content in shared_files(caedsl.open(folder, device="cpu")).items():
        (tmp_path / "shared" / name).write_bytes(content)
    shared = caedsl.open(tmp_path / "shared", device="cpu")
    assert len(shared.predict(images(2))) == 2
    assert "anomalous = run.predict(images)" in card(shared)


def test_the_code_of_a_card_runs(tmp_path: Path) -> None:
    """A decoder with skips decodes no code alone."""
    folder = write_run(tmp_path / "linked", LINKED)
    text = card(caedsl.open(folder, device="cpu"))
    assert "with the outputs around it 1.125× larger than the input" in text
    code = re.search("```python\n(.*?)```", text, re.DOTALL)
    assert code is not None
    exec(code[1].replace("PATH/TO/THIS/FOLDER", str(folder)), {"images": np.zeros((2, 16, 16), np.uint8)})


def test_commands_that_need_the_data_of_a_shared_model_say_so(grey: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["calibrate"], ["evaluate"], ["encode"]):
        assert main([*command, str(grey)]) == 2
        assert "only its model is here, for samples that you name; for its data" in capsys.readouterr().err


def test_a_card_shows_all_of_a_spec_and_of_its_metrics_as_text(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "grey", f"# ```\n# ````\n# <script>\n# \x1b[2J \u202e\n{GREY}")
    score = {"mse": 0.1, "psnr": 10.0, "ssim": None}
    metrics = {"images": 3, "evaluated_on": "<script>\n# a | b", "scores": {"a|b\n<script>": score}}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    text = card(caedsl.open(folder, device="cpu"))
    assert text.endswith("\n`````\n")
    assert text.count("`````") == 2
    above = text.partition("`````cae")[0]
    assert above.count("<script>") == above.count(r"\<script>") == 2
    assert r"| a\|b \<script> | 0.1 |" in above
    assert "\n# ␛[2J \ufffd\n" in text


def test_the_command(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(trained), "-o", str(tmp_path / "full.pt2")]) == 0
    assert "32 samples of the run's own validation data" in capsys.readouterr().out
    assert main(["export", str(trained), "-o", str(tmp_path / "full.pt2")]) == 2
    assert main(["export", str(trained), "-o", str(tmp_path / "shared")]) == 0
    assert "| model |" in (tmp_path / "shared" / "README.md").read_text("utf-8")


def test_the_shared_folder_is_pushed(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed: dict[str, list[str]] = {}

    class Hub:
        def create_repo(self, name: str, *, exist_ok: bool) -> None:
            if (name in pushed and not exist_ok) or "/" not in name:
                raise ValueError(f"{name} is no repository\nsee the documentation")
            pushed.setdefault(name, [])

        def upload_folder(self, *, repo_id: str, folder_path: Path) -> None:
            pushed[repo_id] = sorted(path.name for path in folder_path.iterdir())

    monkeypatch.setattr("huggingface_hub.HfApi", Hub)
    command = ["export", str(trained), "-o", str(tmp_path / "shared"), "--overwrite", "--push"]
    assert main([*command, "me/digits"]) == main([*command, "me/digits"]) == 0
    assert pushed == {"me/digits": ["README.md", "metrics.json", "spec.cae", "weights.safetensors"]}
    assert capsys.readouterr().out.endswith("uploaded to me/digits\n")
    assert main([*command, "digits"]) == 2
    said = capsys.readouterr().err
    assert said.endswith(f"digits is no repository; the folder {tmp_path / 'shared'} is complete\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "x.foo"], r"end it in .onnx or .pt2"),
        (["-o", "x.onnx", "--part", "half"], 'no part "half"'),
        (["-o", "x.onnx", "--push", "a/b"], "--push uploads a folder"),
    ],
)
def test_bad_usage(trained: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    assert main(["export", str(trained), *arguments]) == 2
    assert said in capsys.readouterr().err


def test_without_data_real_samples_are_asked_for(grey: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(grey), "-o", str(grey / "x.onnx")]) == 2
    assert "--samples PATH" in capsys.readouterr().err


def test_a_decoder_that_reads_the_encoder_is_not_exported_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "unet.cae"
    spec.write_text(
        "autoencoder unet\ninput 1x8x8\ndata digits limit=60\nencoder { conv 4 relu; maxpool 2 }\nbottleneck conv 1\n"
        "decoder mirror skips=concat\ntrain { epochs 1; batch 16 }\n"
    )
    assert main(["train", str(spec), "--out", str(tmp_path / "run"), "--quiet"]) == 0
    assert main(["export", str(tmp_path / "run"), "--part", "decoder", "-o", str(tmp_path / "d.pt2")]) == 2
    assert not (tmp_path / "d.pt2").exists()
    np.save(tmp_path / "codes.npy", np.zeros((2, 1, 4, 4), np.float32))
    capsys.readouterr()
    assert main(["decode", str(tmp_path / "run"), str(tmp_path / "codes.npy"), "-o", str(tmp_path / "made")]) == 2
    assert "run cannot decode codes: its decoder reads `skip" in capsys.readouterr().err
    assert not (tmp_path / "made").exists()
