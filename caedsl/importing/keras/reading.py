"""Read a Keras model, from a file or from memory, into the description that becomes a spec."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from caedsl.importing.errors import unsupported
from caedsl.importing.keras import registry
from caedsl.importing.keras.files import SavedModel, read_model
from caedsl.importing.keras.problems import ModelProblem, named
from caedsl.importing.keras.reference import computed
from caedsl.importing.keras.settings import settings_of
from caedsl.importing.keras.topology import topology_of
from caedsl.importing.keras.translation import KerasTranslation
from caedsl.importing.network import Array, ForeignLayer, Network, with_frozen
from caedsl.model.data import InputRange
from caedsl.vocabulary.kernel_options import INIT, INITIALISATION_OPTIONS
from caedsl.vocabulary.kind import Role, written
from caedsl.vocabulary.option import Option, Options


def network_of_file(content: bytes, name: str, values: InputRange | None = None) -> Network:
    """Return the network of a ``.keras`` or ``.h5`` file; raise ``ImportFailure``, which says why there is none.

    ``values`` is the range of the samples' values; None takes the range that the last activation suggests.
    """
    with named(name):
        saved = read_model(content)
        return _network(Path(name).stem, saved, values, lambda samples: computed(saved, samples))


def network_of_model(model: Any, values: InputRange | None = None) -> Network:
    """Return the network of a Keras model in memory; raise ``ImportFailure``, which says why there is none."""
    name = str(getattr(model, "name", "model"))
    with named(name):
        saved = _saved(model)
        return _network(name, saved, values, lambda samples: np.asarray(model.predict(samples, verbose=0)))


def _saved(model: Any) -> SavedModel:
    """Return a model in memory as a file would hold it."""
    if not hasattr(model, "to_json") or not hasattr(model, "get_layer"):
        raise ModelProblem(f"it is a {type(model).__name__}, not a Keras model")
    try:
        config = json.loads(model.to_json())
    except (NotImplementedError, TypeError, ValueError) as error:
        raise ModelProblem(f"Keras cannot describe it: {str(error).splitlines()[0]}") from None
    topology = topology_of(config)
    arrays = None
    if all(map(registry.known, topology.layers)):
        arrays = {}
        for layer in topology.layers:
            found = model
            for step in layer.path:
                found = found.get_layer(step)
            arrays[layer.key] = found.get_weights() if sum(registry.counts(layer)) else []
    compiled = getattr(model, "get_compile_config", None)
    training = config.get("compile_config") or (compiled() if compiled is not None else None) or {}
    version = str(config.get("keras_version") or ("2" if type(model).__module__.startswith("tf_keras") else "3"))
    return SavedModel(topology, arrays, training, version)


def _network(name: str, saved: SavedModel, values: InputRange | None, run: Callable[[Array], Array]) -> Network:
    translation = KerasTranslation(saved.topology, registry.TRANSLATORS, saved.arrays, saved.legacy)
    end = translation.run()
    if end is None:
        raise unsupported(name, translation.unsupported)
    start, settings = translation.input, settings_of(saved.training)
    if end.ours != start.ours or len(end.flat().shape) != 1:
        raise ModelProblem(
            f"it returns {_sizes(end.shape)} for samples of {_sizes(start.shape)}, but an autoencoder returns the same "
            "shape"
        )
    code = translation.values.get(saved.topology.code)
    notes = [*translation.notes, *settings.notes]
    if values is None:
        values, how = _range(translation.layers)
        notes.append(how)
    layers, defaults = _with_defaults(translation.layers)

    def computing(samples: Array) -> Array:
        with named(name):
            return end.from_keras(run(start.to_keras(samples)))

    network = Network(
        name=name,
        input_shape=start.ours,
        layers=layers,
        run=computing,
        code=code.key if code is not None else "",
        range=values,
        train=settings.train,
        defaults=defaults,
        notes=tuple(notes),
        to_ours=start.from_keras,
    )
    return with_frozen(
        network,
        (
            layer.key
            for layer in saved.topology.layers
            if layer.config.get("trainable") is False and registry.counts(layer).trained
        ),
    )


def _sizes(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def _range(layers: list[ForeignLayer]) -> tuple[InputRange, str]:
    values, why = InputRange(), "the usual range"
    last = next((layer for layer in reversed(layers) if _changes_values(layer)), None)
    activation = last.activation if last is not None else None
    if activation is not None and activation.function.saturates:
        values = InputRange(activation.low, activation.high)
        why = f"as `{activation.name}` at the end suggests"
    return values, f"the range of samples is {values}, {why}; Keras does not record it"


def _changes_values(layer: ForeignLayer) -> bool:
    return layer.declared is not None and layer.declared.role not in (Role.PASSING, Role.RESHAPING)


def _with_defaults(layers: Sequence[ForeignLayer]) -> tuple[tuple[ForeignLayer, ...], dict[str, Options]]:
    """Return the layers without the initialisation that all layers of their kind share, and that of each kind."""
    starts: dict[str, list[Options]] = {}
    for layer in layers:
        if layer.weights:
            starts.setdefault(layer.kind, []).append(_start(layer.options))
    defaults = {
        kind: each[0] for kind, each in starts.items() if INIT in each[0] and all(start == each[0] for start in each)
    }
    return tuple(_without_start(layer) if layer.kind in defaults else layer for layer in layers), defaults


def _without_start(layer: ForeignLayer) -> ForeignLayer:
    plain: dict[Option, Any] = {option: option.default for option in INITIALISATION_OPTIONS if option in layer.options}
    return replace(layer, options=layer.options.changed(plain))


def _start(options: Options) -> Options:
    """Return the options of the initialisation alone."""
    return Options(
        written({option: options.of_any_type(option) for option in INITIALISATION_OPTIONS if option in options})
    )
