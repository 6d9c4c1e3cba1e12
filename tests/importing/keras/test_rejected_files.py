"""Files that are refused: what is not supported, what lies about its size, and what points out of the file."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from caedsl.importing.errors import ImportFailure
from caedsl.importing.imported import imported
from caedsl.importing.keras.hdf5_content import Hdf5Content
from caedsl.importing.keras.reading import network_of_file

PARTS = (Path(__file__).parent / "files" / "parts.keras").read_bytes()

Layers = list[dict[str, Any]]


def members() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(PARTS)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(content: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, text in content.items():
            archive.writestr(name, text)
    return made.getvalue()


def with_config(change: Callable[[dict[str, Any]], None]) -> bytes:
    content = members()
    config = json.loads(content["config.json"])
    change(config)
    return packed({**content, "config.json": json.dumps(config).encode()})


def with_encoder(change: Callable[[Layers], None]) -> bytes:
    """Return the file with other layers in its model `encoder`."""

    def changed(config: dict[str, Any]) -> None:
        encoder = next(layer for layer in config["config"]["layers"] if layer["name"] == "encoder")
        change(encoder["config"]["layers"])

    return with_config(changed)


def with_layer(kind: str, **config: Any) -> bytes:
    """Return the file with another layer instead of the encoder's LeakyReLU."""

    def replaced(layers: Layers) -> None:
        layer = next(layer for layer in layers if layer["class_name"] == "LeakyReLU")
        layer["class_name"], layer["config"] = kind, {"name": layer["name"], **config}

    return with_encoder(replaced)


def refusal(content: bytes) -> str:
    with pytest.raises(ImportFailure) as refused:
        network_of_file(content, "model.keras")
    return str(refused.value)


def with_weights(change: Callable[[Any], None]) -> bytes:
    content = members()
    weights = io.BytesIO(content["model.weights.h5"])
    with h5py.File(weights, "r+") as file:
        change(file)
    return packed({**content, "model.weights.h5": weights.getvalue()})


KERNEL = "layers/functional/layers/conv2d/vars/0"


@pytest.mark.parametrize(
    ("kind", "config", "said"),
    [
        ("Lambda", {"function": {"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}}, "holds Python code"),
        ("Sampling", {}, "a class of the author's own"),
        ("LSTM", {"units": 3}, "not recurrence"),
        ("Rescaling", {"scale": 1 / 255}, "it scales the data"),
        ("Softmax", {}, "the closest is `sigmoid`"),
        ("Permute", {"dims": [2, 1, 3]}, "it moves axes"),
        ("Activation", {"activation": "exponential"}, "`exponential` is not supported"),
        ("ReLU", {"threshold": 1.0}, "the closest is `relu`"),
        ("LayerNormalization", {"axis": [3], "scale": False, "center": False}, "`norm=layer` normalises a whole map"),
        ("GlobalMaxPooling2D", {}, "it takes the maximum of a map"),
        ("UpSampling2D", {"size": [2, 2], "interpolation": "lanczos5"}, "`lanczos5` is not supported"),
        ("ZeroPadding2D", {"padding": [[0, 1], [2, 3]]}, "one pair for all axes"),
        ("MaxPooling2D", {"pool_size": [2, 2], "strides": [1, 1], "padding": "same"}, "use `valid`"),
        ("Reshape", {"target_shape": [4, 4, 6]}, "it would mix them"),
    ],
)
def test_a_layer_without_a_word_is_named_with_the_nearest(kind: str, config: dict[str, Any], said: str) -> None:
    message = refusal(with_layer(kind, **config))
    assert "encoder.leaky_re_lu" in message and kind in message and said in message


def test_every_layer_without_a_word_is_listed() -> None:
    def two(layers: Layers) -> None:
        for layer in layers:
            if layer["class_name"] in ("LeakyReLU", "Dropout"):
                layer["class_name"] = "Lambda"

    message = refusal(with_encoder(two))
    assert "encoder.leaky_re_lu" in message and "encoder.dropout" in message


def test_options_without_a_word_are_named() -> None:
    def constrained(layers: Layers) -> None:
        layers[1]["config"]["kernel_constraint"] = {"class_name": "MaxNorm", "config": {"max_value": 2}}

    assert "`kernel_constraint` is not supported" in refusal(with_encoder(constrained))


def _several_outputs(config: dict[str, Any]) -> None:
    config["config"]["output_layers"] = [["decoder", 1, 0], ["encoder", 1, 0]]


def _several_inputs(config: dict[str, Any]) -> None:
    config["config"]["input_layers"] *= 2


def _any_size(config: dict[str, Any]) -> None:
    config["config"]["layers"][0]["config"]["batch_input_shape"] = [None, None, None, 3]


def _own_class(config: dict[str, Any]) -> None:
    config.update(module="my.models", class_name="VAE", registered_name="my>VAE")


def _circle(config: dict[str, Any]) -> None:
    config["config"]["layers"][1]["inbound_nodes"] = [[["decoder", 1, 0, {}]]]


def _shared(config: dict[str, Any]) -> None:
    config["config"]["layers"][1]["inbound_nodes"] *= 2


def _no_layers(config: dict[str, Any]) -> None:
    config["config"]["layers"] = 3


def _nested(config: dict[str, Any]) -> None:
    inner = config["config"]["layers"][2]
    for _ in range(30):
        inner = {"class_name": "Sequential", "config": {"name": "s", "layers": [inner]}, "name": "decoder"}
    config["config"]["layers"][2] = {**inner, "inbound_nodes": [[["encoder", 1, 0, {}]]]}


def _half(config: dict[str, Any]) -> None:
    config["config"]["layers"].pop()
    config["config"]["output_layers"] = [["encoder", 1, 0]]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_several_outputs, "it has 2 outputs"),
        (_several_inputs, "has 2 inputs"),
        (_any_size, "its input is ?x?x3"),
        (_own_class, "`VAE` is the author's own class"),
        (_circle, "no layer computes"),
        (_shared, "used 2 times with the same weights"),
        (_no_layers, "list of layers cannot be read"),
        (_nested, "more than 20 deep"),
        (_half, "an autoencoder returns the same shape"),
    ],
)
def test_a_model_of_another_form_is_refused(change: Callable[[dict[str, Any]], None], said: str) -> None:
    assert said in refusal(with_config(change))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x80\x04\x95", "neither a `.keras` file"),
        (b"", "neither a `.keras` file"),
        (PARTS[:5000], "cannot be read"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 100, "cannot be read"),
        (packed({}), "neither a `.keras` file"),
        (packed({"a": b""}), "it has no `config.json`"),
        (packed({**members(), "config.json": b"[" * 100_000}), "not JSON"),
        (packed({**members(), "config.json": b"3"}), "does not describe a model"),
        (packed({**members(), "config.json": b"\xff\xfe"}), "not JSON"),
        (packed({**members(), "model.weights.h5": b"nothing"}), "HDF5"),
        (packed({n: c for n, c in members().items() if "weights" not in n}), "it has no `model.weights.h5`"),
        (packed({**members(), "config.json": b" " * (32 << 20)}, zipfile.ZIP_DEFLATED), "unpacks to"),
    ],
)
def test_a_file_that_is_no_model_is_one_clear_error(content: bytes, said: str) -> None:
    message = refusal(content)
    assert message.startswith("model.keras was not imported: ") and said in message


def _linked(link: Any) -> Callable[[Any], None]:
    def change(file: Any) -> None:
        del file[KERNEL]
        file[KERNEL] = link

    return change


def _outside(file: Any) -> None:
    del file[KERNEL]
    file.create_dataset(KERNEL, (3, 3, 3, 4), "f4", external=[("secret.bin", 0, 432)])


def _virtual(file: Any) -> None:
    del file[KERNEL]
    layout = h5py.VirtualLayout((3, 3, 3, 4), "f4")
    layout[...] = h5py.VirtualSource("secret.h5", "x", (3, 3, 3, 4))
    file.create_virtual_dataset(KERNEL, layout)


def _huge(file: Any) -> None:
    del file[KERNEL]
    file.create_dataset(KERNEL, (1 << 12, 1 << 12, 1 << 10), "f4", chunks=True)


def _sparse(file: Any) -> None:
    del file[KERNEL]
    file.create_dataset(KERNEL, (1 << 10, 1 << 13), "f4", chunks=True)


def _text(file: Any) -> None:
    del file[KERNEL]
    file[KERNEL] = "no numbers"


def _other_shape(file: Any) -> None:
    del file[KERNEL]
    file[KERNEL] = np.zeros((3, 3, 3, 5), np.float32)


def _missing(file: Any) -> None:
    del file[KERNEL]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_linked(h5py.ExternalLink("secret.h5", "/x")), "a link to another place"),
        (_linked(h5py.SoftLink("/layers")), "a link to another place"),
        (_outside, "in another file, which is not opened"),
        (_virtual, "in another file, which is not opened"),
        (_huge, "more than"),
        (_sparse, "weights do not compress that well"),
        (_text, "not numbers"),
        (_other_shape, "its configuration asks for (3, 3, 3, 4)"),
        (_missing, "its configuration asks for 2"),
    ],
)
def test_weights_that_are_not_there_are_refused(change: Callable[[Any], None], said: str) -> None:
    assert said in refusal(with_weights(change))


def test_a_file_of_weights_alone_is_refused() -> None:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file.attrs["layer_names"] = ["dense"]
    assert "it holds weights alone" in refusal(content.getvalue())


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*path, key)
        yield from _places(each, (*path, key))


@contextmanager
def _in_this_process(content: bytes) -> Iterator[Hdf5Content]:
    yield Hdf5Content(content)


@pytest.mark.parametrize("value", [None, "x", -1, 10**12, 0.5, [], {}, [[1, "y"]], True], ids=repr)
def test_no_value_in_a_configuration_raises_anything_else(value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("caedsl.importing.keras.files.opened", _in_this_process)
    content = members()
    text = content["config.json"]
    for path in list(_places(json.loads(text)))[:: 1 if value == "x" else 5]:
        config = json.loads(text)
        inside = config
        for key in path[:-1]:
            inside = inside[key]
        inside[path[-1]] = value
        with suppress(ImportFailure):
            imported(network_of_file(packed({**content, "config.json": json.dumps(config).encode()}), "model.keras"))


def test_layers_that_are_not_trained_are_reported_and_stay_frozen() -> None:
    def frozen(layers: Layers) -> None:
        for layer in layers:
            layer["config"]["trainable"] = layer["class_name"] != "Conv2D"

    made = imported(network_of_file(with_encoder(frozen), "model.keras"))
    assert "not trained in the original: encoder.conv2d; a spec trains every weight" in made.notes
    kept = [name for name, weight in made.module.named_parameters() if not weight.requires_grad]
    assert len(kept) == 2 and all(name.endswith(("weight", "bias")) for name in kept)


def test_the_hard_sigmoid_of_keras_2_has_its_own_slope() -> None:
    made = imported(network_of_file(with_layer("Activation", activation="hard_sigmoid"), "model.keras"))
    assert "hardsigmoid=0.2" in made.spec
