"""Keras 3 models, saved in both formats and in memory, compared with Keras's own outputs.

Needs the extra ``referee`` (``pip install '.[referee]'``); any of Keras's backends will do.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import caedsl
from caedsl.importing.errors import ImportFailure
from caedsl.importing.imported import ImportedModel, imported
from caedsl.importing.keras.reading import network_of_file, network_of_model
from tests.importing.keras.models import MODELS, scattered

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras", reason="real Keras is an extra: pip install '.[referee]'")

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def single_precision() -> None:
    """Reset the default precision, which another test sets to 64 bits."""
    keras.config.set_floatx("float32")
    keras.utils.clear_session()


def agree(made: ImportedModel, model: Any) -> None:
    samples = np.random.default_rng(1).random((3, *model.input_shape[1:]), dtype=np.float32)
    expected = model.predict(samples, verbose=0)
    with torch.no_grad():
        ours = made.module(torch.from_numpy(first(samples).reshape(3, *made.model.input.shape).copy())).numpy()
    theirs = first(expected).reshape(ours.shape)
    assert np.abs(ours - theirs).max() < 1e-5 * max(1, np.abs(theirs).max())


def first(batch: np.ndarray) -> np.ndarray:
    """Return the samples channels first; vectors and images without channels are unchanged."""
    if batch.ndim == 2 or batch.shape[1:] == (8, 8):
        return batch if batch.shape[1:] != (72,) else batch.reshape(-1, 4, 6, 3).transpose(0, 3, 1, 2)
    return np.moveaxis(batch, -1, 1)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("name", MODELS)
def test_a_saved_model_makes_what_keras_makes(name: str, suffix: str, tmp_path: Path) -> None:
    model = scattered(MODELS[name](keras))
    file = tmp_path / f"{name}{suffix}"
    model.save(file)
    agree(imported(network_of_file(file.read_bytes(), name)), model)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_in_memory_makes_what_keras_makes(name: str) -> None:
    model = scattered(MODELS[name](keras))
    agree(imported(network_of_model(model)), model)


LAYERS: dict[str, list[Any]] = {
    "strided_valid": [
        keras.layers.Conv2D(3, (3, 5), strides=(2, 3), padding="valid"),
        keras.layers.Conv2DTranspose(2, (4, 6), strides=(2, 3), padding="valid"),
    ],
    "dilated": [
        keras.layers.Conv2D(2, 3, dilation_rate=2, padding="same"),
        keras.layers.Conv2D(2, 3, groups=2, padding="same"),
    ],
    "pools": [
        keras.layers.MaxPooling2D(3, 2, padding="same"),
        keras.layers.AveragePooling2D(2, padding="same"),
        keras.layers.UpSampling2D((4, 4)),
        keras.layers.Cropping2D((0, 1)),
        keras.layers.Conv2D(2, 1),
    ],
    "group_norm": [
        keras.layers.Conv2D(4, 3, padding="same"),
        keras.layers.GroupNormalization(2),
        keras.layers.Conv2D(2, 1),
    ],
    "no_scale": [keras.layers.BatchNormalization(scale=False), keras.layers.Conv2D(2, 1)],
    "global_pool": [
        keras.layers.Conv2D(5, 3, activation="gelu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.LayerNormalization(),
        keras.layers.Dense(12 * 18 * 2, activation="mish"),
        keras.layers.Reshape((12, 18, 2)),
    ],
    "activations": [
        keras.layers.Conv2D(2, 3, padding="same", activation="hard_sigmoid"),
        keras.layers.Conv2D(2, 3, padding="same", activation="hard_silu"),
        keras.layers.Conv2D(2, 3, padding="same", activation="leaky_relu"),
        keras.layers.ReLU(max_value=2.5),
        keras.layers.Conv2D(2, 3, padding="same", activation="relu6"),
        keras.layers.ELU(0.5),
        keras.layers.Conv2D(2, 3, padding="same", activation=keras.layers.LeakyReLU(0.3)),
    ],
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_mean_what_they_mean_in_keras(name: str) -> None:
    model = scattered(keras.Sequential([keras.Input((12, 18, 2)), *map(fresh, LAYERS[name])]))
    agree(imported(network_of_model(model)), model)


def fresh(layer: Any) -> Any:
    return layer.__class__.from_config(layer.get_config())


def test_what_check_calls_an_error_is_shown() -> None:
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Conv2D(1, 2, 2), keras.layers.Conv2DTranspose(1, 1, 2, padding="same")]
    )
    assert any("uncovered-output" in note for note in imported(network_of_model(model)).notes)


def test_a_class_with_its_own_python_is_refused() -> None:
    class Own(keras.Model):  # type: ignore[name-defined, misc]
        def call(self, x: Any) -> Any:
            return x

    with pytest.raises(ImportFailure, match=r"author's own class|cannot describe"):
        network_of_model(Own())


def test_a_custom_layer_and_a_lambda_are_refused(tmp_path: Path) -> None:
    class Sampling(keras.layers.Layer):  # type: ignore[name-defined, misc]
        def call(self, x: Any) -> Any:
            return x

    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(2), Sampling(), keras.layers.Lambda(abs), keras.layers.Dense(4)]
    )
    model.save(tmp_path / "model.keras")
    for refused in (
        lambda: network_of_model(model),
        lambda: network_of_file((tmp_path / "model.keras").read_bytes(), "m"),
    ):
        with pytest.raises(ImportFailure) as failure:
            refused()
        assert "sampling: Sampling: a class of the author's own" in str(failure.value)
        assert "bottleneck variational" in str(failure.value) and "Lambda: it holds Python code" in str(failure.value)


@pytest.mark.parametrize(
    ("optimizer", "line"),
    [
        (keras.optimizers.Adam(1e-3), "adam lr=0.001 eps_hat=1e-7"),
        (keras.optimizers.Adam(1e-3, weight_decay=0.01), "adamw lr=0.001 eps_hat=1e-7"),
        (keras.optimizers.SGD(0.1, 0.9), "sgd lr=0.1 momentum=0.9"),
        (keras.optimizers.RMSprop(), "rmsprop lr=0.001 alpha=0.9 eps=1e-7"),
        (keras.optimizers.Adadelta(), "adadelta lr=0.001 rho=0.95 eps=1e-7"),
        (keras.optimizers.Nadam(beta_1=0.8), "nadam lr=0.001 beta1=0.8 eps=1e-7"),
    ],
)
def test_the_optimizer_is_that_of_the_model(optimizer: Any, line: str) -> None:
    model = MODELS["plain_image"](keras)
    model.compile(optimizer=optimizer, loss="mae")
    assert f"train {{\n  loss      mae\n  optimizer {line}\n}}" in imported(network_of_model(model)).spec


def test_what_the_train_block_cannot_say_is_reported() -> None:
    model = MODELS["plain_image"](keras)
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 100, 0.9)
    model.compile(
        optimizer=keras.optimizers.Adam(schedule, amsgrad=True, clipnorm=1.0),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
    )
    notes = "\n".join(imported(network_of_model(model)).notes)
    assert all(word in notes for word in ("ExponentialDecay", "amsgrad", "clipnorm", "logits"))


def test_penalties_and_starts_are_kept() -> None:
    dense = keras.layers.Dense
    model = keras.Sequential(
        [
            keras.Input((16,)),
            dense(8, kernel_regularizer=keras.regularizers.L1L2(1e-4, 1e-3), kernel_initializer="he_normal"),
            dense(4, kernel_initializer=keras.initializers.TruncatedNormal(stddev=0.1)),
            dense(16),
        ]
    )
    spec = imported(network_of_model(model)).spec
    assert "dense 8 init=he l1=0.0001 l2=0.001" in spec
    assert "dense 4 init=truncated_normal std=0.1" in spec and "dense 16 init=glorot" in spec


def test_a_penalty_on_the_code_is_that_of_the_bottleneck() -> None:
    dense = keras.layers.Dense
    model = keras.Sequential([keras.Input((16,)), dense(4, activation="relu", activity_regularizer="l1"), dense(16)])
    assert "bottleneck l1=0.01" in imported(network_of_model(model)).spec
    elsewhere = keras.Sequential([keras.Input((16,)), dense(8, activity_regularizer="l1"), dense(4), dense(16)])
    with pytest.raises(ImportFailure, match="has a penalty on 8"):
        imported(network_of_model(elsewhere))


def test_a_penalty_on_the_kernel_that_makes_the_code_stays_one() -> None:
    dense = keras.layers.Dense
    model = keras.Sequential([keras.Input((16,)), dense(8), dense(4, kernel_regularizer="l1"), dense(16)])
    made = imported(network_of_model(model))
    assert "bottleneck\n" in made.spec and "dense 4 l1=0.01" in made.spec
    conv = keras.layers.Conv2D
    called = conv(2, 3, strides=2, padding="same", kernel_regularizer="l1", name="bottleneck")
    back = keras.layers.Conv2DTranspose(1, 2, strides=2)
    made = imported(network_of_model(keras.Sequential([keras.Input((8, 8, 1)), conv(4, 1), called, back])))
    assert "bottleneck\n" in made.spec and "l1=0.01" in made.spec


def test_noise_is_that_of_the_input_or_the_code() -> None:
    dense, noise = keras.layers.Dense, keras.layers.GaussianNoise
    model = keras.Sequential([keras.Input((16,)), noise(0.5), dense(8), dense(4), noise(0.1), dense(16)])
    spec = imported(network_of_model(model)).spec
    assert "corrupt gaussian=0.5" in spec and "bottleneck dense 4 noise=0.1" in spec


def test_from_keras() -> None:
    model = scattered(MODELS["blog_conv"](keras))
    made = caedsl.from_keras(model)
    assert made.difference < 1e-5 and made.model.code_shape == (2, 4, 4)
