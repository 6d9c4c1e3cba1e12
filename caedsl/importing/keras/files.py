"""Read Keras files as data: ``.keras`` of Keras 3, and ``.h5`` of Keras 2."""

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import IO, Any

from numpy.typing import NDArray

from caedsl.importing.expansion import expands_too_much, parsed_json
from caedsl.importing.keras import registry
from caedsl.importing.keras.hdf5 import Hdf5, opened
from caedsl.importing.keras.hdf5_content import LARGEST_TEXT
from caedsl.importing.keras.problems import ModelProblem
from caedsl.importing.keras.topology import Config, KerasLayer, Topology, topology_of
from caedsl.importing.zip_damage import damage_as_bad_zip

_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_LARGEST_WEIGHTS = 8 << 30
_HDF5, _ZIP = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04"


@dataclass(frozen=True)
class SavedModel:
    """Model of a file or in memory: its layers, their weights by key, its compile configuration, and Keras's version.

    ``arrays`` is None if some layer has no translation, so that the weights are not needed.
    """

    topology: Topology
    arrays: Mapping[str, Sequence[NDArray[Any]]] | None
    training: Config
    version: str

    @property
    def legacy(self) -> bool:
        """Whether Keras 2 saved the model."""
        return self.version.startswith(("1", "2"))


def read_model(content: bytes) -> SavedModel:
    """Return the model in the bytes of a file; raise ``ModelProblem``, which says what is wrong with it."""
    if content.startswith(_HDF5):
        with opened(content) as inside:
            return _legacy(inside)
    if content.startswith(_ZIP):
        return _archive(BytesIO(content))
    raise ModelProblem("it is neither a `.keras` file, which is a zip archive, nor a `.h5` file, which is HDF5")


def _archive(file: IO[bytes]) -> SavedModel:
    try:
        with damage_as_bad_zip():
            archive = zipfile.ZipFile(file)
        with archive:
            config = _json(_member(archive, _CONFIG, LARGEST_TEXT), _CONFIG)
            metadata = _json(_member(archive, _METADATA, LARGEST_TEXT), _METADATA)
            topology = topology_of(config)
            arrays = None
            if all(map(registry.known, topology.layers)):
                with opened(_member(archive, _WEIGHTS, _LARGEST_WEIGHTS)) as inside:
                    arrays = {layer.key: _variables(inside, layer) for layer in topology.layers}
    except zipfile.BadZipFile as error:
        raise ModelProblem(f"this zip archive cannot be read: {error}") from None
    training = config.get("compile_config")
    return SavedModel(
        topology, arrays, training if isinstance(training, dict) else {}, str(metadata.get("keras_version"))
    )


def _member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """Return a member of the archive; a zip bomb is rejected before it is unpacked."""
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise ModelProblem(f"it has no `{name}`, as a `.keras` file of a whole model has") from None
    if info.file_size > limit:
        raise ModelProblem(f"its `{name}` has {info.file_size:,} bytes, more than the limit of {limit:,}")
    if expands_too_much(info.file_size, info.compress_size):
        raise ModelProblem(f"its `{name}` unpacks to {info.file_size:,} bytes from {info.compress_size:,}")
    with damage_as_bad_zip(), archive.open(info) as member:
        content = member.read(info.file_size)
        more = member.read(1)
    if len(content) != info.file_size or more:
        raise ModelProblem(f"its `{name}` does not have the size that it declares")
    return content


def _variables(inside: Hdf5, layer: KerasLayer) -> list[NDArray[Any]]:
    number = sum(registry.counts(layer))
    group = f"{layer.store}/vars"
    if number and inside.count(group) != number:
        raise ModelProblem(f"`{layer.key}` has {inside.count(group)} weights, but its configuration asks for {number}")
    return [inside.array(f"{group}/{place}") for place in range(number)]


def _legacy(inside: Hdf5) -> SavedModel:
    text = inside.text("model_config")
    if text is None:
        raise ModelProblem(
            "it has no `model_config`: it holds weights alone; save the whole model with `model.save(...)`"
        )
    topology = topology_of(_json(text.encode("utf-8", "surrogatepass"), "model_config"))
    training = inside.text("training_config")
    compiled = _json(training.encode("utf-8", "surrogatepass"), "training_config") if training is not None else {}
    if "optimizer_config" in compiled:
        compiled = {**compiled, "optimizer": compiled["optimizer_config"]}
    arrays = _legacy_arrays(inside, topology) if all(map(registry.known, topology.layers)) else None
    return SavedModel(topology, arrays, compiled, inside.text("keras_version") or "2")


def _legacy_arrays(inside: Hdf5, topology: Topology) -> dict[str, list[NDArray[Any]]]:
    """Return the weights of each layer; an inner model has its trained weights first, then the others."""
    whole: dict[str, list[KerasLayer]] = {}
    for layer in topology.layers:
        whole.setdefault(layer.path[0], []).append(layer)
    arrays: dict[str, list[NDArray[Any]]] = {layer.key: [] for layer in topology.layers}
    for top, layers in whole.items():
        owners = [layer.key for layer in layers for _ in range(_trained(layer))]
        owners += [layer.key for layer in layers for _ in range(sum(registry.counts(layer)) - _trained(layer))]
        if not owners:
            continue
        names = inside.names(f"model_weights/{top}", "weight_names")
        if len(names) != len(owners):
            raise ModelProblem(f"`{top}` has {len(names)} weights, but its configuration asks for {len(owners)}")
        for name, owner in zip(names, owners, strict=True):
            arrays[owner].append(inside.array(f"model_weights/{top}/{name}"))
    return arrays


def _trained(layer: KerasLayer) -> int:
    return registry.counts(layer).trained if layer.config.get("trainable", True) else 0


def _json(text: bytes, name: str) -> dict[str, Any]:
    try:
        found = parsed_json(text)
    except (ValueError, RecursionError) as error:
        raise ModelProblem(f"its `{name}` is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise ModelProblem(f"its `{name}` does not describe a model")
    return found
