"""Autoencoders written as Keras users write them, for whichever Keras is given: Keras 3, or TensorFlow's Keras 2."""

from collections.abc import Callable
from typing import Any


def blog_simple(keras: Any) -> Any:
    inside = keras.Input(shape=(64,))
    code = keras.layers.Dense(8, activation="relu")(inside)
    model = keras.Model(inside, keras.layers.Dense(64, activation="sigmoid")(code))
    model.compile(optimizer="adam", loss="binary_crossentropy")
    return model


def blog_deep(keras: Any) -> Any:
    dense = keras.layers.Dense
    model = keras.Sequential([keras.Input((64,)), dense(32, "relu"), dense(16, "relu"), dense(4, "relu")])
    for units in (16, 32):
        model.add(dense(units, activation="relu"))
    model.add(dense(64, activation="sigmoid"))
    model.compile(optimizer=keras.optimizers.Adadelta(0.5), loss="binary_crossentropy")
    return model


def blog_conv(keras: Any) -> Any:
    layers = keras.layers
    x = inside = keras.Input(shape=(28, 28, 1))
    for width in (4, 2, 2):
        x = layers.Conv2D(width, (3, 3), activation="relu", padding="same")(x)
        x = layers.MaxPooling2D((2, 2), padding="same")(x)
    for width, padding in ((2, "same"), (2, "same"), (4, "valid")):
        x = layers.Conv2D(width, (3, 3), activation="relu", padding=padding)(x)
        x = layers.UpSampling2D((2, 2))(x)
    model = keras.Model(inside, layers.Conv2D(1, (3, 3), activation="sigmoid", padding="same")(x))
    model.compile(optimizer=keras.optimizers.Adam(2e-3), loss="mse")
    return model


def article(keras: Any) -> Any:
    """Return the article's first model, with an optimizer given by name: Keras's Adadelta defaults to 1e-3."""
    layers = keras.layers

    def conv(width: int, kind: str = "Conv2D", activation: str = "relu") -> Any:
        return getattr(layers, kind)(width, (3, 3), activation=activation, padding="same")

    model = keras.Sequential([keras.Input((28, 28, 1))], name="autoencoder")
    for width in (32, 16):
        model.add(conv(width))
        model.add(layers.MaxPooling2D((2, 2), padding="same"))
    for width in (16, 32):
        model.add(conv(width, "Conv2DTranspose"))
        model.add(layers.UpSampling2D((2, 2)))
    model.add(conv(1, activation="sigmoid"))
    model.compile(optimizer="adadelta", loss="mse")
    return model


def parts(keras: Any) -> Any:
    """Return nested encoder and decoder models with a dense middle, whose rows and columns must be permuted."""
    layers = keras.layers
    inside = keras.Input((8, 12, 3))
    x = layers.Conv2D(4, 3, strides=2, padding="same")(inside)
    x = layers.BatchNormalization()(x)
    x = layers.LeakyReLU(0.2)(x)
    x = layers.Flatten()(x)
    x = layers.Dropout(0.2)(x)
    encoder = keras.Model(inside, layers.Dense(6, name="z")(x), name="encoder")
    decoder = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(2 * 3 * 5, use_bias=False),
            layers.BatchNormalization(momentum=0.9, epsilon=1e-4),
            layers.ReLU(),
            layers.Reshape((2, 3, 5)),
            layers.Conv2DTranspose(4, 4, strides=2, padding="same", activation="elu"),
            layers.Conv2DTranspose(3, 3, strides=2, padding="same", activation="sigmoid"),
        ],
        name="decoder",
    )
    outside = keras.Input((8, 12, 3))
    model = keras.Model(outside, decoder(encoder(outside)), name="parts")
    model.compile(
        optimizer=keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True), loss=keras.losses.MeanSquaredError()
    )
    return model


def unet(keras: Any) -> Any:
    """Return a model that concatenates in both orders: the previous map first, and the older map first."""
    layers = keras.layers
    inside = keras.Input((8, 8, 2))
    one = layers.Conv2D(3, 3, padding="same", activation="relu")(inside)
    two = layers.Conv2D(4, 3, padding="same", activation="relu")(layers.MaxPooling2D(2)(one))
    x = layers.Conv2D(5, 3, padding="same", activation="tanh")(layers.MaxPooling2D(2)(two))
    x = layers.Concatenate()([two, layers.UpSampling2D(2, interpolation="bilinear")(x)])
    x = layers.PReLU(shared_axes=[1, 2])(layers.BatchNormalization()(x))
    x = layers.Concatenate()([layers.UpSampling2D(2)(x), one])
    return keras.Model(inside, layers.Conv2D(2, 1)(x), name="unet")


def residual(keras: Any) -> Any:
    layers = keras.layers
    inside = keras.Input((8, 8, 1))
    x = layers.Conv2D(4, 3, padding="same")(inside)
    y = layers.Conv2D(4, 3, padding="same")(layers.Activation("relu")(x))
    x = layers.Add()([x, y])
    x = layers.AveragePooling2D(2)(x)
    x = layers.SeparableConv2D(6, 3, padding="same", activation="selu")(x)
    x = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2)(x)
    x = layers.SpatialDropout2D(0.1)(x)
    x = layers.ZeroPadding2D(((0, 1), (0, 1)))(x)
    x = layers.Cropping2D(((1, 0), (1, 0)))(x)
    x = layers.Conv2D(1, 3, padding="same")(layers.PReLU(shared_axes=[1, 2, 3])(x))
    return keras.Model(inside, layers.UpSampling2D(2)(x))


def gates(keras: Any) -> Any:
    """Return a model with gates for channels and for positions, and a mask of its input."""
    layers = keras.layers
    inside = keras.Input((8, 8, 2))
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(inside)
    gate = layers.Reshape((1, 1, 4))(layers.GlobalAveragePooling2D()(x))
    gate = layers.Dense(4, activation="sigmoid")(layers.Dense(2, activation="relu")(gate))
    x = layers.MaxPooling2D(2)(layers.Multiply()([x, gate]))
    x = layers.Conv2D(3, 3, padding="same")(x)
    x = layers.Multiply()([layers.Conv2D(1, 1, activation="sigmoid")(x), x])
    x = layers.Conv2DTranspose(2, 2, strides=2, activation="sigmoid")(x)
    return keras.Model(inside, layers.Multiply()([x, inside]), name="gates")


def signal(keras: Any) -> Any:
    """Return the time series of keras.io."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((16, 1)),
            layers.Conv1D(4, 7, strides=2, padding="same", activation="relu"),
            layers.Dropout(0.2),
            layers.Conv1D(2, 7, strides=2, padding="same", activation="relu"),
            layers.Conv1DTranspose(2, 7, strides=2, padding="same", activation="relu"),
            layers.Conv1DTranspose(4, 7, strides=2, padding="same", activation="relu"),
            layers.Conv1DTranspose(1, 7, padding="same"),
        ]
    )
    model.compile(optimizer=keras.optimizers.RMSprop(1e-3), loss="mae")
    return model


def volume(keras: Any) -> Any:
    layers = keras.layers
    model = [keras.Input((4, 4, 8, 1)), layers.Conv3D(2, 3, padding="same", activation="softplus")]
    model += [layers.MaxPooling3D((2, 2, 2)), layers.Dense(3), layers.Conv3DTranspose(1, 2, strides=2)]
    return keras.Sequential(model)


def plain_image(keras: Any) -> Any:
    """Return the model of TensorFlow's tutorial, whose images have no channel axis."""
    layers = keras.layers
    model = [keras.Input((8, 8)), layers.Flatten(), layers.Dense(5, activation="relu")]
    return keras.Sequential([*model, layers.Dense(64, activation="sigmoid"), layers.Reshape((8, 8))])


def reshaped_vector(keras: Any) -> Any:
    """Return a model from vectors to colour images and back, in Keras's channel order throughout."""
    layers = keras.layers
    model = [keras.Input((4 * 6 * 3,)), layers.Reshape((4, 6, 3)), layers.Conv2D(2, 3, strides=2, padding="same")]
    return keras.Sequential([*model, layers.Flatten(), layers.Dense(4), layers.Dense(72, activation="tanh")])


MODELS: dict[str, Callable[[Any], Any]] = {
    each.__name__: each
    for each in (
        blog_simple,
        blog_deep,
        blog_conv,
        parts,
        unet,
        residual,
        gates,
        signal,
        volume,
        plain_image,
        reshaped_vector,
    )
}


def scattered(model: Any, seed: int = 0) -> Any:
    """Give a model weights that are nowhere 0 or 1, so that none can be lost unseen."""
    import numpy as np

    random = np.random.default_rng(seed)
    model.set_weights(
        [
            random.uniform(0.1, 0.6, w.shape) * random.choice([-1, 1], w.shape)
            if w.ndim > 1
            else random.uniform(0.5, 1.5, w.shape)
            for w in model.get_weights()
        ]
    )
    return model


def strided(keras: Any) -> Any:
    """What an exporter to ONNX writes apart: strides of 2, normalisation behind an activation, a dense code."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(4, 3, strides=2, padding="same"),
            layers.BatchNormalization(),
            layers.LeakyReLU(0.2),
            layers.Conv2D(6, 3, strides=2, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(4, name="code"),
            layers.Dense(7 * 7 * 4, activation="relu"),
            layers.Reshape((7, 7, 4)),
            layers.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.UpSampling2D(2),
            layers.Conv2DTranspose(1, 3, padding="same", activation="sigmoid"),
        ],
        name="strided",
    )
