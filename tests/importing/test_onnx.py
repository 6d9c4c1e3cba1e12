"""ONNX files exported from PyTorch and from TensorFlow."""

import re
import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

import caedsl
from caedsl.importing.errors import ImportFailure
from caedsl.importing.imported import ImportedModel, imported
from caedsl.importing.opening import network_at
from tests.importing.test_public_models import MODELS, Denoiser, ResNetAe, UNet


def exported(module: nn.Module, shape: tuple[int, ...], path: Path, modern: bool = False) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module.eval(), (torch.zeros(2, *shape),), path, dynamo=modern, verbose=False)  # type: ignore[no-untyped-call]
    return path


def again(path: Path) -> ImportedModel:
    return imported(network_at(str(path), None, None))


@pytest.mark.parametrize("kind", MODELS, ids=lambda kind: kind.__name__)
def test_public_autoencoders_come_in_as_onnx(kind: type[nn.Module], tmp_path: Path) -> None:
    torch.manual_seed(0)
    shape, code = MODELS[kind]
    made = again(exported(kind(), shape, tmp_path / "model.onnx"))
    assert made.difference < 1e-5
    assert "x".join(map(str, made.model.code_shape)) == code


@pytest.mark.parametrize("kind", [UNet, ResNetAe, Denoiser], ids=lambda kind: kind.__name__)
def test_files_of_the_modern_exporter(kind: type[nn.Module], tmp_path: Path) -> None:
    torch.manual_seed(0)
    path = exported(kind(), MODELS[kind][0], tmp_path / "model.onnx", modern=True)
    assert (tmp_path / "model.onnx.data").exists()
    assert again(path).difference < 1e-5


def test_layers_have_the_names_of_the_module(tmp_path: Path) -> None:
    made = again(exported(Denoiser(), (1, 28, 28), tmp_path / "model.onnx"))
    names = [name for names in made.layers.values() for name in names]
    assert [name for name in names if name in ("enc1", "enc2", "dec1", "dec2")] == ["enc1", "enc2", "dec1", "dec2"]


def test_written_out_layers(tmp_path: Path) -> None:
    module = nn.Sequential(
        nn.Conv2d(1, 8, 3, 2, 1), nn.GroupNorm(4, 8), nn.GELU(), nn.Conv2d(8, 4, 3, 2, 1), nn.Hardsigmoid(),
        nn.ConvTranspose2d(4, 8, 4, 2, 1), nn.Hardswish(), nn.ConvTranspose2d(8, 1, 4, 2, 1), nn.Hardtanh(0, 1),
    )  # fmt: skip
    made = again(exported(module, (1, 16, 16), tmp_path / "model.onnx"))
    assert "norm=group groups=4 gelu" in made.spec
    assert "hardsigmoid" in made.spec and "hardswish" in made.spec and "clip=0..1" in made.spec


class Factors(nn.Module):
    """A division by a number and a negation between layers."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(1, 4, 3, 2, 1), nn.ConvTranspose2d(4, 1, 2, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(-self.up(self.down(x).relu() / 10))


class Gates(nn.Module):
    """Gates for channels and for positions, and a mask of the input."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.squeeze, self.excite = nn.Conv2d(1, 4, 3, 2, 1), nn.Conv2d(4, 2, 1), nn.Conv2d(2, 4, 1)
        self.place, self.up = nn.Conv2d(4, 1, 1), nn.ConvTranspose2d(4, 1, 2, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.down(x).relu()
        gate = self.excite(self.squeeze(h.mean((2, 3), keepdim=True)).relu()).sigmoid()
        h = h * gate
        return x * self.up(self.place(h).sigmoid() * h).sigmoid()


def test_gates_are_products(tmp_path: Path) -> None:
    made = [caedsl.from_torch(Gates(), (1, 8, 8)), again(exported(Gates(), (1, 8, 8), tmp_path / "model.onnx"))]
    assert [each.spec.count("multiply ") for each in made] == [3, 3]
    assert all(each.difference < 1e-6 for each in made)


def test_factors_are_scales(tmp_path: Path) -> None:
    made = [caedsl.from_torch(Factors(), (1, 8, 8)), again(exported(Factors(), (1, 8, 8), tmp_path / "model.onnx"))]
    assert all("scale 0.1\n" in each.spec and "scale -1\n" in each.spec for each in made)
    assert all(each.difference < 1e-6 for each in made)


class ChannelFactor(nn.Module):
    """A learned factor for each channel, which no layer of its own holds."""

    def __init__(self, *sizes: int, reshape: bool = False) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(1, 4, 3, 2, 1), nn.ConvTranspose2d(4, 1, 2, 2)
        self.gamma, self.reshape = nn.Parameter(torch.rand(sizes)), reshape

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.up((self.gamma.view(1, -1, 1, 1) if self.reshape else self.gamma) * self.down(x).relu())


@pytest.mark.parametrize("module", [ChannelFactor(4, 1, 1), ChannelFactor(4, reshape=True)])
def test_a_factor_for_each_channel(module: nn.Module, tmp_path: Path) -> None:
    for made in caedsl.from_torch(module, (1, 8, 8)), again(exported(module, (1, 8, 8), tmp_path / "model.onnx")):
        assert re.search(r"\n  scale [\d.e-]+ learned\n", made.spec)
        assert made.difference < 1e-6


def test_factors_for_something_else_than_channels() -> None:
    message = (
        "1 layer has no equivalent in a spec\n  mul: it multiplies 4x4x4 by the weight gamma of 4x4; `scale 1 learned`"
    )
    with pytest.raises(ImportFailure, match=message):
        caedsl.from_torch(ChannelFactor(4, 4), (1, 8, 8))


def test_a_slope_for_each_channel(tmp_path: Path) -> None:
    module = nn.Sequential(
        nn.Conv2d(1, 4, 3, 2, 1), nn.PReLU(4), nn.Flatten(), nn.Linear(64, 3), nn.PReLU(3), nn.Linear(3, 64),
        nn.Unflatten(1, (4, 4, 4)), nn.PReLU(4), nn.ConvTranspose2d(4, 1, 2, 2),
    )  # fmt: skip
    for part in module:
        if isinstance(part, nn.PReLU):
            nn.init.uniform_(part.weight)
    for made in caedsl.from_torch(module, (1, 8, 8)), again(exported(module, (1, 8, 8), tmp_path / "model.onnx")):
        assert made.spec.count("channel_prelu") == 3
        assert made.difference < 1e-6


@pytest.mark.parametrize(("shape", "message"), [((8,), "it has 8 slopes"), ((8, 8, 8), "it has 512 slopes")])
def test_slopes_for_something_else_than_channels(shape: tuple[int, ...], message: str, tmp_path: Path) -> None:
    path = simple(tmp_path, [CONV8, helper.make_node("PRelu", ["c", "slopes"], ["y"], name="odd")])
    model = onnx.load_model_from_string(path.read_bytes())
    model.graph.initializer.extend([numbers("w8", 8, 2, 3, 3), numbers("slopes", *shape)])
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ImportFailure, match=f"odd: {message}, which are not one for each channel; `prelu`"):
        again(path)


def numbers(name: str, *shape: int) -> TensorProto:
    values = np.random.default_rng(len(name)).normal(size=shape, scale=0.2).astype(np.float32)
    return numpy_helper.from_array(values, name)


def channels_last(folder: Path) -> Path:
    """Return a file as TensorFlow's exporters write them: channels last, transposes around every convolution."""
    node = helper.make_node
    nodes = [
        node("Transpose", ["x"], ["t1"], perm=[0, 3, 1, 2], name="ae/conv2d/transpose"),
        node("Conv", ["t1", "k1", "b1"], ["c1"], kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER", name="ae/conv2d/Conv2D"),
        node("Relu", ["c1"], ["r1"], name="ae/conv2d/Relu"),
        node("Transpose", ["r1"], ["l1"], perm=[0, 2, 3, 1]),
        node("Reshape", ["l1", "flat"], ["f1"], name="ae/flatten/Reshape"),
        node("MatMul", ["f1", "w1"], ["m1"], name="ae/code/MatMul"),
        node("Add", ["m1", "a1"], ["z"], name="ae/code/BiasAdd"),
        node("MatMul", ["z", "w2"], ["m2"], name="ae/dense/MatMul"),
        node("Add", ["m2", "a2"], ["d2"], name="ae/dense/BiasAdd"),
        node("Relu", ["d2"], ["r2"], name="ae/dense/Relu"),
        node("Reshape", ["r2", "map"], ["l2"], name="ae/reshape/Reshape"),
        node("Transpose", ["l2"], ["t2"], perm=[0, 3, 1, 2]),
        node("ConvTranspose", ["t2", "k2", "b2"], ["c2"], kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1], name="ae/conv2d_transpose/conv2d_transpose"),
        node("Sigmoid", ["c2"], ["s2"]),
        node("Transpose", ["s2"], ["y"], perm=[0, 2, 3, 1]),
    ]  # fmt: skip
    weights = [
        numbers("k1", 6, 1, 3, 3), numbers("b1", 6), numbers("w1", 4 * 5 * 6, 3), numbers("a1", 3), numbers("w2", 3, 4 * 5 * 6),
        numbers("a2", 4 * 5 * 6), numbers("k2", 6, 1, 3, 3), numbers("b2", 1),
        numpy_helper.from_array(np.array([-1, 120]), "flat"), numpy_helper.from_array(np.array([-1, 4, 5, 6]), "map"),
    ]  # fmt: skip
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 8, 10, 1])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 8, 10, 1])
    return saved(helper.make_graph(nodes, "ae", [x], [y], weights), folder)


def saved(graph: onnx.GraphProto, folder: Path) -> Path:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = folder / "made.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def test_channels_last_become_first(tmp_path: Path) -> None:
    made = again(channels_last(tmp_path))
    assert made.model.input.shape == (1, 8, 10)
    assert "conv 6 s2 pad=same_upper relu" in made.spec
    assert "bottleneck dense 3" in made.spec
    assert "deconv 1 s2 pad=same_upper sigmoid" in made.spec
    assert ("code",) in made.layers.values()


FILES = Path(__file__).parent / "keras" / "files"


def test_the_article_exported_by_keras_comes_back() -> None:
    made = again(FILES / "article.onnx")
    from_keras = imported(network_at(str(FILES / "article.keras"), None, None))
    layers = [line for line in from_keras.spec.partition("encoder {")[2].partition("train {")[0].split("\n") if line]
    assert [line for line in made.spec.partition("encoder {")[2].split("\n") if line] == layers
    assert made.model.input.shape == (1, 28, 28)
    assert not any("outputs" in note for note in made.notes)


def test_normalisation_exported_as_a_product_and_a_sum() -> None:
    made = again(FILES / "strided.onnx")
    assert "conv 4 s2 pad=same_upper bias=on norm=batch leaky_relu=0.2" in made.spec
    assert "norm batch\n  upsample 2\n  deconv 1 sigmoid" in made.spec
    assert any("running statistics are 0 and 1" in note for note in made.notes)


def tiled(folder: Path, repeats: list[int]) -> Path:
    """Return a file that repeats numbers as TensorFlow's exporters do, the last repeat as one wants."""
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1], name="first"),
        node("Unsqueeze", ["c", "axis"], ["u"]),
        node("Tile", ["u", "repeats"], ["t"], name="tile"),
        node("Reshape", ["t", "shape"], ["r"]),
        node("Conv", ["r", "v"], ["y"], pads=[1, 1, 1, 1], strides=[2, 1]),
    ]
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    given = [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 2, 8, 8))]
    numbered = {"axis": [3], "repeats": repeats, "shape": [1, 2, 16, 8]}
    weights = [
        numbers("w", 2, 2, 3, 3),
        numbers("v", 2, 2, 3, 3),
        *(numpy_helper.from_array(np.array(value), name) for name, value in numbered.items()),
    ]
    return saved(helper.make_graph(nodes, "g", given, [y], weights), folder)


def test_tiles_are_an_upsampling_only_if_each_number_is_repeated_in_place(tmp_path: Path) -> None:
    assert "upsample 2x1" in again(tiled(tmp_path, [1, 1, 1, 2, 1])).spec
    with pytest.raises(ImportFailure, match="tile: `Tile` is not supported"):
        again(tiled(tmp_path, [1, 1, 2, 1, 1]))


def test_what_follows_a_refused_layer_is_not_refused(tmp_path: Path) -> None:
    nodes = [CONV, helper.make_node("Softsign", ["c"], ["s"], name="odd"), helper.make_node("Flatten", ["s"], ["f"])]
    nodes.append(helper.make_node("Reshape", ["f", "shape"], ["y"]))
    path = simple(tmp_path, nodes)
    model = onnx.load_model_from_string(path.read_bytes())
    model.graph.initializer.append(numpy_helper.from_array(np.array([1, 2, 8, 8]), "shape"))
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ImportFailure, match="1 layer has no equivalent") as failure:
        again(path)
    assert "reshape" not in str(failure.value)


def simple(
    folder: Path, nodes: list[onnx.NodeProto], shape: tuple[object, ...] = (1, 2, 8, 8), inputs: int = 1
) -> Path:
    given = [helper.make_tensor_value_info(f"x{i}" if i else "x", TensorProto.FLOAT, shape) for i in range(inputs)]
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    weights = [numbers("w", 2, 2, 3, 3)]
    return saved(helper.make_graph(nodes, "g", given, [y], weights), folder)


CONV = helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1], name="first")
CONV8 = helper.make_node("Conv", ["x", "w8"], ["c"], pads=[1, 1, 1, 1], name="first")


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([CONV, helper.make_node("Softsign", ["c"], ["y"], name="odd")], "odd: `softsign` is not supported; `tanh` saturates similarly"),
        ([CONV, helper.make_node("Erf", ["c"], ["y"], name="odd")], "odd: `Erf` is not supported"),
        ([CONV, helper.make_node("Special", ["c"], ["y"], domain="my.ops", name="odd")], "odd is a custom operator, my.ops:Special"),
    ],
)  # fmt: skip
def test_what_has_no_word_is_named(nodes: list[onnx.NodeProto], message: str, tmp_path: Path) -> None:
    with pytest.raises(ImportFailure, match=message) as failure:
        again(simple(tmp_path, nodes))
    assert failure.value.was_read


def test_inputs_that_no_spec_has(tmp_path: Path) -> None:
    relu = helper.make_node("Relu", ["c"], ["y"])
    with pytest.raises(ImportFailure, match=r"takes 2 inputs \(x, x1\), but an autoencoder takes one"):
        again(simple(tmp_path, [CONV, relu], inputs=2))
    path = simple(tmp_path, [CONV, relu], shape=("N", 2, "height", 8))
    with pytest.raises(ImportFailure, match=r"dynamic shapes: its input x is 2xheightx8, .*such as --input 2x64x8"):
        again(path)
    with pytest.raises(ImportFailure, match="takes samples of 2xheightx8, and not of 2x8x16"):
        network_at(str(path), (2, 8, 16), None)
    garbage = tmp_path / "garbage.onnx"
    garbage.write_bytes(b"\x08garbage")
    with pytest.raises(ImportFailure, match="is not an ONNX model"):
        again(garbage)


def test_open_sizes_are_those_of_a_sample(tmp_path: Path) -> None:
    path = simple(tmp_path, [CONV, helper.make_node("Relu", ["c"], ["y"])], shape=("N", 2, "height", "width"))
    made = imported(network_at(str(path), (2, 6, 10), None))
    assert made.model.input.shape == (2, 6, 10)
    assert "the file takes 2xheightxwidth; the spec states 2x6x10" in made.notes


@pytest.mark.parametrize("place", ["../secret", "/etc/hostname", "sub/../../secret"])
def test_weights_outside_of_the_folder_are_never_read(place: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(2 * 2 * 9 * 4))
    folder = tmp_path / "inside"
    folder.mkdir()
    path = simple(folder, [CONV, helper.make_node("Relu", ["c"], ["y"])])
    model = onnx.load_model_from_string(path.read_bytes())
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", place
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ImportFailure, match="outside its own folder"):
        again(path)
    entry.value = "link"
    (folder / "link").symlink_to(tmp_path / "secret")
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ImportFailure, match="outside its own folder"):
        again(path)
    entry.value = "missing"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ImportFailure, match="which does not exist"):
        again(path)
