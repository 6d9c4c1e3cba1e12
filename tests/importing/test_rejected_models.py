"""Models and files that are refused, each with one clear error."""

import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

import caedsl
from caedsl.cli.main import main
from caedsl.importing.errors import ImportFailure
from caedsl.importing.opening import network_at


class Made(nn.Module):
    """A module whose forward is a function of its layers."""

    def __init__(self, forward: Callable[..., Any], **layers: nn.Module) -> None:
        super().__init__()
        self.step = forward
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, *x: Tensor) -> Any:
        return self.step(self, *x)


def conv(a: int = 1, b: int = 4, **options: Any) -> nn.Conv2d:
    return nn.Conv2d(a, b, 3, padding=1, **options)


def noisy(x: Tensor) -> Tensor:
    return x + 0.1 * torch.randn_like(x)


def drawn(mean: Tensor, log_variance: Tensor) -> Tensor:
    return mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)


def ladder(m: Any, x: Tensor) -> Tensor:
    x = m.down(x)
    x = drawn(m.mean(x), m.width(x))
    return m.up(drawn(m.second_mean(x), m.second_width(x)))


def pixels(a: int, b: int) -> nn.Conv2d:
    return nn.Conv2d(a, b, 1)


def tied(m: Any, x: Tensor) -> Tensor:
    return F.conv_transpose2d(torch.relu(m.a(x)), m.a.weight, padding=1)


@torch.library.custom_op("caedsl_tests::doubled", mutates_args=())
def doubled(x: Tensor) -> Tensor:
    return x * 2


@doubled.register_fake
def _(x: Tensor) -> Tensor:
    return torch.empty_like(x)


ATTENTION = nn.MultiheadAttention(4, 2, batch_first=True)
REFUSED: dict[str, tuple[nn.Module, str]] = {
    "softsign": (nn.Sequential(conv(), nn.Softsign(), conv(4, 1)), "1: Softsign is not supported; `tanh` saturates similarly"),
    "all": (nn.Sequential(conv(), nn.Softsign(), nn.CELU(), conv(4, 1)), "2 layers have no equivalent in a spec"),
    "attention": (Made(lambda m, x: m.b(m.t(m.a(x).flatten(2).mT).mT.unflatten(2, (8, 8))), a=conv(), b=conv(4, 1), t=nn.TransformerEncoderLayer(4, 2, 8)), "t: TransformerEncoderLayer is not supported|no equivalent"),
    "permuted": (Made(lambda m, x: m.b(m.d(m.c(m.a(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2))), a=conv(), b=conv(4, 1), c=nn.Linear(4, 4), d=nn.Softsign()), r"2 layers have no equivalent in a spec\n  permute: .*`conv N k1` and `norm channel`.*\n  d: Softsign"),
    "bicubic": (nn.Sequential(conv(b=4, stride=2), nn.Upsample(scale_factor=2, mode="bicubic"), conv(4, 1)), "`upsample bilinear`"),
    "gelu": (nn.Sequential(conv(), nn.GELU("tanh"), conv(4, 1)), "approximate=tanh"),
    "norm": (nn.Sequential(conv(), nn.LayerNorm([4, 8, 8]), conv(4, 1)), "1: it normalises 4x8x8 of 4x8x8, with a weight for each number"),
    "ladder": (Made(ladder, down=conv(stride=2), mean=pixels(4, 4), width=pixels(4, 4), second_mean=pixels(4, 2), second_width=pixels(4, 2), up=nn.ConvTranspose2d(2, 1, 2, 2)), r"second_mean, second_width is a `variational conv` code, but a spec has one code"),
    "noise in a residual": (Made(lambda m, x: m.c((lambda y: y + noisy(m.b(y)))(m.a(x))), a=conv(stride=2), b=conv(4, 4), c=nn.ConvTranspose2d(4, 1, 2, 2)), r"adds noise to 4x4x4, but a spec only has noise on its input"),
    "only noise before the decoder": (Made(lambda m, x: m.decoder(noisy(x)), decoder=nn.Sequential(conv(), conv(4, 1))), "it has no layer before its decoder"),
    "statistics": (nn.Sequential(conv(), nn.BatchNorm2d(4, track_running_stats=False), conv(4, 1)), "keeps no running averages"),
    "circular": (nn.Sequential(nn.CircularPad2d(1), nn.Conv2d(1, 4, 1), nn.Conv2d(4, 1, 3)), r"1: its input is wrapped around by \(\(1, 1\), \(1, 1\)\); `pad=circular`"),
    "ones": (nn.Sequential(nn.ConstantPad2d(1, 1.0), nn.Conv2d(1, 4, 3), conv(4, 1)), "pads with a number other than 0"),
    "uneven": (nn.Sequential(nn.ZeroPad2d((1, 0, 0, 1)), nn.Conv2d(1, 4, 1), nn.Conv2d(4, 1, 2)), r"1: its input is padded by \(\(0, 1\), \(1, 0\)\) zeros; `pad 1x2`"),
    "mirrored": (nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(1, 4, 1), nn.Conv2d(4, 1, 3)), r"1: its input is mirrored by \(\(1, 1\), \(1, 1\)\); `pad=reflect`"),
    "tied": (Made(tied, a=conv()), "shares a.weight with"),
    "twice": (Made(lambda m, x: m.b(m.c(m.c(m.a(x)))), a=conv(), b=conv(4, 1), c=conv(4, 4)), "shares c.weight with c"),
    "shift": (Made(lambda m, x: m.b(m.a(x) * 2 - 1), a=conv(), b=conv(4, 1)), "shift the data instead"),
    "square": (Made(lambda m, x: m.c((lambda y: y * y)(m.b(m.a(x)))), a=conv(), b=conv(4, 4), c=conv(4, 1)), "it multiplies an output by itself"),
    "table": (Made(lambda m, x: m.b(m.a(x).mean(3, keepdim=True) * m.a(x).mean(2, keepdim=True)), a=conv(), b=conv(4, 1)), "averages over some axes"),
    "outer": (Made(lambda m, x: m.b((lambda y: m.c(y) * y.mean((2, 3), keepdim=True))(m.a(x))), a=conv(), b=conv(4, 1), c=conv(4, 1)), "it multiplies 1x8x8 by 4x1x1; `multiply` takes outputs of one shape"),
    "control": (Made(lambda m, x: m.b(m.a(x)) if x.sum() > 0 else x, a=conv(), b=conv(4, 1)), "torch.export cannot follow its forward"),
    "custom": (Made(lambda m, x: m.b(doubled(m.a(x))), a=conv(), b=conv(4, 1)), "caedsl_tests.doubled.default is a custom operator"),
    "inputs": (Made(lambda m, x, y: m.b(m.a(x)) + y, a=conv(), b=conv(4, 1)), "it fails on samples of 1x8x8"),
    "outputs": (Made(lambda m, x: (m.a(x), m.b(x)), a=conv(), b=conv(1, 8)), r"of its 2 outputs \(4x8x8, 8x8x8\) none has the shape"),
    "spectral norm": (nn.Sequential(nn.utils.parametrizations.spectral_norm(conv()), conv(4, 1)), "remove_parametrizations|no word"),
    "one layer": (nn.Sequential(conv(1, 1)), "it has one layer"),
    "identity": (nn.Identity(), "does not return a tensor that it computes"),
    "lazy": (nn.Sequential(nn.LazyConv2d(4, 3, padding=1), conv(4, 1)), "call it on a batch first"),
    "batch": (Made(lambda m, x: m.b(m.a(x).view(1, -1, 8, 8)[:, :4]), a=conv(), b=conv(4, 1)), "mixes the samples of a batch|no equal"),
    "sizes": (nn.Sequential(conv(stride=2), nn.ConvTranspose2d(4, 1, 3, 2)), "output-shape"),
    "raises": (Made(lambda m, x: 1 / 0), "ZeroDivisionError"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", REFUSED)
def test_modules(name: str) -> None:
    module, message = REFUSED[name]
    with pytest.raises(ImportFailure, match=message) as failure:
        caedsl.from_torch(module, (1, 8, 8))
    assert "Traceback" not in str(failure.value) and len(str(failure.value)) < 3000


def test_the_module_stays_as_it_was() -> None:
    module = nn.Sequential(conv(), nn.BatchNorm2d(4), nn.Dropout(0.5), conv(4, 1)).double().train()
    module[1].eval()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    caedsl.from_torch(module, (1, 8, 8))
    assert module.training and not module[1].training
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())
    assert all(not each._forward_hooks for each in module.modules())


@pytest.mark.parametrize("shape", [(), (1, 8, 8, 8, 8), (1, 0), (1, 8.0, 8), 8, None, "1x8x8"])
def test_shapes_that_no_sample_has(shape: Any) -> None:
    with pytest.raises(ImportFailure, match="channels and sizes without the batch"):
        caedsl.from_torch(nn.Sequential(conv(), conv(4, 1)), shape)


def test_a_batch_in_place_of_a_shape_is_named_by_its_shape() -> None:
    batch: Any = torch.rand(2, 1, 8, 8)
    with pytest.raises(ImportFailure, match=r"a tensor of shape \(2, 1, 8, 8\), but"):
        caedsl.from_torch(nn.Sequential(conv(), conv(4, 1)), batch)


def archive(path: Path, module: nn.Module, dynamic: Any = None) -> Path:
    program = torch.export.export(module.eval(), (torch.zeros(2, 1, 8, 8),), dynamic_shapes=dynamic)
    torch.export.save(program, path)
    return path


def changed(path: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """Return the archive with every member replaced by what ``change`` returns."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            made = change(name, content)
            if made is not None:
                archive.writestr(name, made)
    return path


class Bomb:
    """An object whose unpickling creates a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def test_archives_are_read_as_data(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(conv(), nn.BatchNorm2d(4), nn.MaxPool2d(2), nn.ConvTranspose2d(4, 1, 2, 2))
    path = archive(tmp_path / "model.pt2", module, ({0: torch.export.Dim("batch")},))
    mark = tmp_path / "ran"
    bomb = pickle.dumps(Bomb(mark))
    changed(path, lambda name, content: bomb if name.endswith(".pt") else content)
    assert (
        main(["import", str(path), "-o", str(tmp_path / "made.cae"), "--weights", str(tmp_path / "w.safetensors")]) == 0
    )
    assert not mark.exists()
    assert caedsl.load(tmp_path / "made.cae").code_shape == (4, 4, 4)


def test_pickles_in_archives_are_refused(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    path = archive(tmp_path / "model.pt2", nn.Sequential(conv(), conv(4, 1)))

    def change(name: str, content: bytes) -> bytes:
        if name.endswith("weights_config.json"):
            return content.replace(b'"use_pickle": false', b'"use_pickle": true')
        return pickle.dumps(Bomb(mark)) if "/weights/weight_" in name else content

    with pytest.raises(ImportFailure, match=r"keeps 0.weight as a pickle, which could run code"):
        network_at(str(changed(path, change)), None, None)
    assert not mark.exists()


def test_expressions_in_archives_are_not_evaluated(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    path = archive(tmp_path / "model.pt2", nn.Sequential(conv(), conv(4, 1)), ({0: torch.export.Dim("batch")},))
    code = f"__import__('pathlib').Path({str(mark)!r}).touch()"

    def change(name: str, content: bytes) -> bytes:
        if not name.endswith("models/model.json"):
            return content
        text = content.decode()
        start = text.index('"expr_str": "') + len('"expr_str": "')
        expression = text[start : text.index('"', start)]
        return text.replace(expression, code).encode()

    network_at(str(changed(path, change)), None, None)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("cut", lambda name, content: content[: len(content) // 2] if name.endswith("model.json") else content, "is a damaged file of torch.export"),
        ("gone", lambda name, content: None if name.endswith("weight_0") else content, "is a damaged file"),
        ("short", lambda name, content: content[:8] if name.endswith("weight_0") else content, "is a damaged file"),
        ("empty", lambda name, content: None if name.endswith("model.json") else content, "no graph of torch.export"),
        ("newer", lambda name, content: content.replace(b'"major": 8', b'"major": 99') if name.endswith("model.json") else content, "version 99 of the format"),
        ("list", lambda name, content: b"[]" if name.endswith("model.json") else content, "is a damaged file"),
        ("deep", lambda name, content: b"[" * 100_000 if name.endswith("model.json") else content, "is a damaged file"),
        ("old", lambda name, content: content if name.endswith("version") else None, "no graph of torch.export"),
    ],
)  # fmt: skip
def test_damaged_archives(
    name: str, change: Callable[[str, bytes], bytes | None], message: str, tmp_path: Path
) -> None:
    path = archive(tmp_path / f"{name}.pt2", nn.Sequential(conv(), conv(4, 1)))
    with pytest.raises(ImportFailure, match=message):
        network_at(str(changed(path, change)), None, None)


def test_dynamic_sizes_are_those_of_the_example(tmp_path: Path) -> None:
    sizes = {2: torch.export.Dim("height", min=4, max=64), 3: torch.export.Dim("width", min=4, max=64)}
    path = archive(tmp_path / "model.pt2", nn.Sequential(conv(), nn.Upsample(scale_factor=2), conv(4, 1)), (sizes,))
    network = network_at(str(path), None, None)
    assert network.input_shape == (1, 8, 8)
    assert network.notes[0] == "the file takes several sizes; the spec states 1x8x8, of its example"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("model.keras", b"", "model.keras is empty: save the model again"),
        ("model.ONNX", b"", "is empty"),
        ("model.Safetensors", b"", "holds weights without the network"),
        ("model.pth", pickle.dumps({}), "is a pickle, which can run any code when it is read"),
        ("model.pt", b"\x80\x02.", "caedsl import model.py:Net --input 1x28x28"),
        ("model.pt2", b"not a zip", "is not a file of torch.export, or is truncated"),
        ("weights.safetensors", b"", "holds weights without the network"),
        ("model.txt", b"hello", "is not a model file"),
        ("model.py", b"class Net: pass\nclass Other: pass\n", "model.py:Net` or `.*model.py:Other`"),
    ],
)
def test_files(name: str, content: bytes, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ImportFailure, match=message):
        network_at(str(path), None, None)
    assert main(["import", str(path), "-o", str(tmp_path / "made.cae")]) == 2
    assert not (tmp_path / "made.cae").exists()
    assert capsys.readouterr().err.startswith(f"caedsl: {path}" if name != "model.pt2" else "caedsl: model.pt2")


def test_a_saved_model_of_tensorflow_is_named(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(
        ImportFailure, match=r"is a folder, a SavedModel of TensorFlow: .*model\.save\('model\.keras'\)"
    ):
        network_at(str(tmp_path), None, None)


@pytest.mark.parametrize("name", ["model.zip", "model.pt", "model"])
def test_a_model_with_another_ending_is_read_as_what_it_is(name: str, tmp_path: Path) -> None:
    keras = Path(__file__).parent / "keras" / "files" / "article.keras"
    (tmp_path / name).write_bytes(keras.read_bytes())
    assert network_at(str(tmp_path / name), None, None).input_shape == (1, 28, 28)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "None was not imported: it is not a module; give a torch.nn.Module"),
        (nn.Linear, r"give Linear\(\.\.\.\)"),
        (3, "3 was not imported"),
        ("model.py:Net", "it is not a module"),
    ],
)
def test_things_that_are_no_modules(given: Any, message: str) -> None:
    with pytest.raises(ImportFailure, match=message):
        caedsl.from_torch(given, (1, 8, 8))


@pytest.mark.parametrize("given", ["0..1", (0, 1, 2), (0, float("nan")), 3, (None, 1)])
def test_ranges_that_are_none(given: Any) -> None:
    with pytest.raises(ImportFailure, match="is not a range: give the smallest and the largest value"):
        caedsl.from_torch(nn.Sequential(conv(), conv(4, 1)), (1, 8, 8), given)


@pytest.mark.parametrize(
    ("place", "code", "message"),
    [
        ("net.py:Net", 0, ""),
        ("net.py:make", 0, ""),
        ("net.py:made", 0, ""),
        ("net.py:Missing", 2, "net.py has no Missing; it has Net, Needs"),
        ("net.py:Needs", 2, "write a function without arguments that returns the module"),
        ("net.py:number", 2, "has the type int, but only a torch.nn.Module can be imported"),
        ("net.py:", 2, "net.py has no name after its colon"),
        ("fails.py:Net", 2, "fails in line 2: RuntimeError: no"),
        ("ends.py:Net", 2, "SystemExit"),
        ("missing.py:Net", 2, "missing.py does not exist"),
    ],
)
def test_python_files(
    place: str,
    code: int,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    net = "from torch import nn\nclass Net(nn.Sequential):\n    def __init__(self):\n        super().__init__(nn.Conv2d(1, 4, 2, 2), nn.ConvTranspose2d(4, 1, 2, 2))\n"
    Path("net.py").write_text(
        net
        + "class Needs(nn.Module):\n    def __init__(self, width): ...\nmade = Net()\nnumber = 3\ndef make(): return Net()\n"
    )
    Path("fails.py").write_text("x = 1\nraise RuntimeError('no')\n")
    Path("ends.py").write_text("import sys\nsys.exit(3)\n")
    assert main(["import", place, "--input", "1x8x8", "-o", "made.cae"]) == code
    assert message in capsys.readouterr().err
    assert Path("made.cae").exists() == (code == 0)


def test_models_without_an_equal_end_with_1_and_write_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = archive(tmp_path / "model.pt2", nn.Sequential(conv(), nn.Softsign(), conv(4, 1)))
    written = [tmp_path / "made.cae", tmp_path / "made.safetensors"]
    assert main(["import", str(path), "-o", str(written[0]), "--weights", str(written[1])]) == 1
    assert not any(each.exists() for each in written)
    assert "1: Softsign is not supported" in capsys.readouterr().err
