"""Keras: the same layers, `compile` and `fit`; KERAS_BACKEND says on what."""

from typing import Any

import keras

from benchmarks.contenders.gate import Gate
from benchmarks.contenders.task import Task
from caedsl.vocabulary.activations import ACTIVATION
from caedsl.vocabulary.convolution import CHANNELS
from caedsl.vocabulary.kernel_options import L2
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers.upsample import FACTOR
from caedsl.vocabulary.window import KERNEL, STRIDE


class _Turns(keras.callbacks.Callback):
    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self.gate = gate

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.gate.begin()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.gate.end(logs["loss"])


def train(task: Task, gate: Gate, precision: str) -> None:
    keras.mixed_precision.set_global_policy(precision)
    keras.utils.set_random_seed(0)
    assert task.model.train is not None
    (term,) = task.model.train.loss.terms
    channels, height, width = task.model.input.shape
    layers = [_layer(layer) for _, layer in task.model.layers()]
    model = keras.Sequential([keras.Input((height, width, channels)), *layers])
    losses = {"mse": "mean_squared_error", "bce": "binary_crossentropy"}
    model.compile(optimizer=keras.optimizers.Adam(task.lr), loss=losses[term.name])
    x_bhwc = task.pixels.permute(0, 2, 3, 1).contiguous().numpy()
    model.fit(x_bhwc, x_bhwc, batch_size=task.batch, epochs=task.epochs, verbose=0, callbacks=[_Turns(gate)])


def _layer(layer: Layer) -> Any:
    options = layer.options
    if layer.kind.name == "maxpool":
        return keras.layers.MaxPooling2D(options[KERNEL])
    if layer.kind.name == "upsample":
        return keras.layers.UpSampling2D(options[FACTOR])
    make = {"conv": keras.layers.Conv2D, "deconv": keras.layers.Conv2DTranspose}[layer.kind.name]
    last = options[ACTIVATION].name == "sigmoid"
    return make(
        options[CHANNELS],
        options[KERNEL],
        strides=options[STRIDE],
        padding="same",
        activation=options[ACTIVATION].name,
        kernel_regularizer=keras.regularizers.L2(options[L2]) if options[L2] else None,
        dtype="float32" if last else None,  # as the guide to mixed precision says of the last activation
    )
