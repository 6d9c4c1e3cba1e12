"""The Keras callback, in `fit` of real Keras."""

import os
from typing import Any

import pytest

from tests.training.any_loop.test_watch import digits

os.environ.setdefault("KERAS_BACKEND", "jax")
pytestmark = pytest.mark.filterwarnings("ignore")
keras = pytest.importorskip("keras", reason="real Keras is an extra: pip install '.[referee]'")


@pytest.fixture(autouse=True)
def single_precision() -> None:
    """Reset the default precision, which another test sets to 64 bits."""
    keras.config.set_floatx("float32")
    keras.utils.clear_session()
    keras.utils.set_random_seed(0)


def model(rate: float, activation: str) -> Any:
    layers = keras.layers
    made = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, padding="same", strides=2, activation=activation, name="down"),
            layers.Flatten(),
            layers.Dense(8, name="code"),
            layers.Dense(64, activation=activation),
            layers.Reshape((4, 4, 4)),
            layers.Conv2DTranspose(1, 3, strides=2, padding="same", activation="sigmoid", name="out"),
        ]
    )
    made.compile(optimizer=keras.optimizers.SGD(rate), loss="mse")
    return made


def test_a_model_that_learns_nothing_is_reported_in_the_words_of_its_layers() -> None:
    from caedsl.keras import Watch

    images = digits().numpy().transpose(0, 2, 3, 1)
    said: list[str] = []
    watch = Watch(images, say=said.append)
    model(0.01, "sigmoid").fit(images, images, batch_size=64, epochs=20, verbose=0, callbacks=[watch])
    found = {trouble.monitor: trouble for trouble in watch.troubles}
    assert "constant-output" in found
    assert found["constant-output"].layer in ("down", "code", "dense", "out")


def test_a_few_healthy_steps_say_nothing_and_the_twin_follows() -> None:
    from caedsl.keras import Watch

    images = digits().numpy().transpose(0, 2, 3, 1)
    watch = Watch(images)
    trained = model(0.5, "relu")
    trained.fit(images, images, batch_size=64, epochs=2, verbose=0, callbacks=[watch])
    assert watch.troubles == () and watch._watch is not None
    watch._watch.before_look()
    kernel = watch._watch.module.get_submodule("decoder.0").weight  # type: ignore[union-attr]
    assert kernel.shape == (64, 8)
    assert abs(float(kernel.detach().square().sum()) - float((trained.layers[3].get_weights()[0] ** 2).sum())) < 1e-3


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (digits().numpy(), "`samples` are 1x8x8 each, but the model takes 8x8x1"),
        (digits().numpy()[:, 0, :4], "`samples` are 4x8 each"),
        (digits().numpy()[:0], "must be an array of samples"),
        ("images.npy", "must be an array of samples"),
        (None, "must be an array of samples"),
        (digits().numpy() + 1j, "the type complex64"),
    ],
    ids=range(6),
)
def test_samples_of_another_shape_are_one_clear_error(samples: Any, message: str) -> None:
    from caedsl.keras import Watch

    images = digits().numpy()[:8].transpose(0, 2, 3, 1)
    with pytest.raises(ValueError, match=message):
        model(0.5, "relu").fit(images, images, verbose=0, callbacks=[Watch(samples)])


def test_models_that_no_spec_describes_are_refused_when_training_begins() -> None:
    from caedsl.importing.errors import ImportFailure
    from caedsl.keras import Watch

    inputs = [keras.Input((8, 8, 1)), keras.Input((8, 8, 1))]
    watch = Watch(digits().numpy().transpose(0, 2, 3, 1))
    watch.set_model(keras.Model(inputs, keras.layers.Add()(inputs)))
    with pytest.raises(ImportFailure, match="has 2 inputs, but an autoencoder has one"):
        watch.on_train_begin()
