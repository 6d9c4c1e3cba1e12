"""The article's three models against real Keras: same weights, same batches, the same weights after 20 steps.

Needs the extra ``referee`` (``pip install '.[referee]'``); any of Keras's backends will do. Both sides compute in 64 bits:
in 32 bits, the two sum in different orders, and ReLU and Adam amplify the rounding of small gradients.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from caedsl.api import load
from caedsl.backends.torch.instantiate import build
from caedsl.backends.torch.lower import lower
from caedsl.data.sample import Sample
from caedsl.model.autoencoder import Autoencoder
from caedsl.training.prepare import prepare
from caedsl.vocabulary.activations import ACTIVATION
from caedsl.vocabulary.convolution import CHANNELS
from caedsl.vocabulary.kernel_options import L2
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers.upsample import FACTOR
from caedsl.vocabulary.window import KERNEL
from tests.conftest import ROOT

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras", reason="real Keras is an extra: pip install '.[referee]'")

STEPS, BATCH = 20, 8


def keras_layers(model: Autoencoder) -> Iterator[Any]:
    """Yield the article's layers as Keras itself names them."""
    for _, layer in model.layers():
        yield keras_layer(layer)


def keras_layer(layer: Layer) -> Any:
    options = layer.options
    if layer.kind.name == "maxpool":
        return keras.layers.MaxPooling2D(options[KERNEL], padding="same")
    if layer.kind.name == "upsample":
        return keras.layers.UpSampling2D(options[FACTOR])
    make = {"conv": keras.layers.Conv2D, "deconv": keras.layers.Conv2DTranspose}[layer.kind.name]
    return make(
        options[CHANNELS],
        options[KERNEL],
        padding="same",
        activation=options[ACTIVATION].name,
        kernel_regularizer=keras.regularizers.L2(options[L2]) if options[L2] else None,
    )


def to_keras(weight: torch.Tensor) -> np.ndarray:
    """Convert (out, in, h, w) to (h, w, in, out); for transposed convolutions, in and out are swapped on both sides."""
    return weight.detach().permute(2, 3, 1, 0).numpy()


def ours_after_steps(model: Autoencoder, module: torch.nn.Module, batches: np.ndarray) -> None:
    assert model.train is not None
    training = prepare(
        module,
        torch.from_numpy(batches[0]),
        model.train,
        input_range=model.input.range,
        penalties=lower(model).penalties,
        device=torch.device("cpu"),
    )
    for batch in batches:
        training.take_step(Sample.of(torch.from_numpy(batch)))


@pytest.fixture
def _in_64_bits() -> Iterator[None]:
    """Compute in 64 bits with the backend that the tests of this process share."""
    with ExitStack() as stack:
        if keras.backend.backend() == "jax":
            stack.enter_context(pytest.importorskip("jax").enable_x64(True))
        stack.callback(keras.config.set_floatx, keras.config.floatx())
        stack.callback(keras.config.set_dtype_policy, keras.config.dtype_policy())
        keras.config.set_floatx("float64")
        keras.config.set_dtype_policy("float64")
        yield


@pytest.mark.usefixtures("_in_64_bits")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", ["mnist_pitfalls", "mnist_wide", "mnist_l2"])
def test_twenty_steps_agree_with_keras(name: str) -> None:
    model = load(ROOT / "specs" / f"{name}.cae", {"train.precision": "fp32", "train.validation": 0})
    assert model.train is not None
    torch.manual_seed(0)
    module = build(model).double()
    reference = keras.Sequential([keras.Input((28, 28, 1)), *keras_layers(model)])
    parameters = list(module.parameters())
    reference.set_weights([to_keras(p) if p.ndim == 4 else p.detach().numpy() for p in parameters])
    reference.compile(keras.optimizers.Adam(model.train.optimizer.lr), loss="mse")
    assert reference.count_params() == sum(p.numel() for p in parameters)

    digits = torch.from_numpy(load_digits().images[: STEPS * BATCH, None] / 16)
    batches = torch.nn.functional.interpolate(digits, size=(28, 28)).view(STEPS, BATCH, 1, 28, 28).numpy()
    for batch in batches:
        channels_last = batch.transpose(0, 2, 3, 1)
        reference.train_on_batch(channels_last, channels_last)
    ours_after_steps(model, module, batches)
    for mine, theirs in zip(parameters, reference.get_weights(), strict=True):
        ours = to_keras(mine) if mine.ndim == 4 else mine.detach().numpy()
        assert np.abs(ours - theirs).max() < 1e-4
