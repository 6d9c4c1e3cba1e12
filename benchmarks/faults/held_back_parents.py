"""Small healthy specs on MNIST and Fashion-MNIST at 14x14, on which no rule and no probe was tuned.

CAEDSL_DATA names the folder that holds the two sets.
"""

_TRAIN = "train {{ loss {loss}; optimizer {optimizer}; batch {batch}; epochs {epochs} }}\n"


def _spec(name: str, data: str, body: str, *, loss: str, optimizer: str, batch: int, epochs: int) -> str:
    train = _TRAIN.format(loss=loss, optimizer=optimizer, batch=batch, epochs=epochs)
    return f"autoencoder {name}\ninput 1x14x14 in 0..1\ndata {data} limit=2500\n{body}\n{train}"


HELD_BACK = {
    "held_strided": _spec(
        "held_strided",
        "mnist",
        "encoder {\n  conv 12 s2 leaky_relu\n  conv 24 s2 leaky_relu\n}\n"
        "bottleneck dense 16\n"
        "decoder {\n  dense 392 relu\n  reshape 8x7x7\n  upsample 2\n  conv 12 leaky_relu\n  conv 1 sigmoid\n}",
        loss="bce",
        optimizer="adam lr=2e-3",
        batch=48,
        epochs=11,
    ),
    "held_pooled": _spec(
        "held_pooled",
        "fashion_mnist",
        "encoder {\n  conv 12 k5 relu\n  maxpool 2\n  conv 12 relu\n}\n"
        "bottleneck conv 3\n"
        "decoder {\n  conv 12 relu\n  upsample 2\n  conv 8 k5 relu\n  conv 1\n}",
        loss="mse",
        optimizer="adamw lr=2e-3",
        batch=48,
        epochs=11,
    ),
    "held_normed": _spec(
        "held_normed",
        "fashion_mnist",
        "encoder {\n  conv 12 s2 relu norm=batch\n  conv 24 k5 relu norm=batch\n}\n"
        "bottleneck dense 20\n"
        "decoder {\n  dense 392 relu\n  reshape 8x7x7\n  deconv 12 k4 s2 relu norm=batch\n  conv 1 sigmoid\n}",
        loss="mse",
        optimizer="adam lr=2e-3",
        batch=64,
        epochs=12,
    ),
    "held_mixed": _spec(
        "held_mixed",
        "mnist",
        "encoder {\n  conv 8 k2 s2 relu\n  dense 64 relu\n}\n"
        "bottleneck dense 18\n"
        "decoder {\n  dense 64 relu\n  dense 392 relu\n  reshape 8x7x7\n  deconv 1 k2 s2 sigmoid\n}",
        loss="mse",
        optimizer="adam lr=2e-3",
        batch=32,
        epochs=8,
    ),
    "held_deep": _spec(
        "held_deep",
        "mnist",
        "encoder {\n  conv 10 relu x3\n  maxpool 2\n  conv 16 relu x3\n}\n"
        "bottleneck dense 24\n"
        "decoder {\n  dense 784 relu\n  reshape 16x7x7\n  deconv 10 k4 s2 relu\n  conv 10 relu x2\n  conv 1 sigmoid\n}",
        loss="mse",
        optimizer="rmsprop lr=1e-3",
        batch=48,
        epochs=11,
    ),
}
"""The text of each by its name."""
