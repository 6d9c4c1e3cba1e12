"""Small healthy specs on scikit-learn's digits at 8x8, on which no rule and no probe was tuned, and which train in seconds."""


def _spec(name: str, body: str, *, loss: str = "mse", optimizer: str, batch: int, epochs: int) -> str:
    train = f"train {{ loss {loss}; optimizer {optimizer}; batch {batch}; epochs {epochs} }}\n"
    return f"autoencoder {name}\ninput 1x8x8 in 0..1\ndata digits\n{body}\n{train}"


DIGITS = {
    "digits_strided": _spec(
        "digits_strided",
        "encoder {\n  conv 12 s2 relu\n  conv 16 relu\n}\n"
        "bottleneck dense 10\n"
        "decoder {\n  dense 192 relu\n  reshape 12x4x4\n  upsample 2\n  conv 12 relu\n  conv 1 sigmoid\n}",
        optimizer="adam lr=2e-3",
        batch=24,
        epochs=14,
    ),
    "digits_pooled": _spec(
        "digits_pooled",
        "encoder {\n  conv 10 leaky_relu\n  maxpool 2\n  conv 20 leaky_relu\n  maxpool 2\n}\n"
        "bottleneck conv 4\n"
        "decoder {\n  conv 20 leaky_relu\n  upsample 2\n  conv 10 leaky_relu\n  upsample 2\n  conv 1\n}",
        optimizer="adamw lr=2e-3",
        batch=32,
        epochs=14,
    ),
    "digits_normed": _spec(
        "digits_normed",
        "encoder {\n  conv 12 relu norm=batch\n  conv 24 s2 relu norm=batch\n}\n"
        "bottleneck dense 14\n"
        "decoder {\n  dense 128 relu\n  reshape 8x4x4\n  deconv 12 k4 s2 relu norm=batch\n  conv 1 sigmoid\n}",
        loss="bce",
        optimizer="adam lr=1e-3",
        batch=32,
        epochs=14,
    ),
    "digits_dense": _spec(
        "digits_dense",
        "encoder {\n  conv 6 k2 s2 relu\n  dense 48 relu\n}\n"
        "bottleneck dense 10\n"
        "decoder {\n  dense 48 relu\n  dense 96 relu\n  reshape 6x4x4\n  deconv 1 k2 s2 sigmoid\n}",
        optimizer="rmsprop lr=1e-3",
        batch=24,
        epochs=16,
    ),
    "digits_deep": _spec(
        "digits_deep",
        "encoder {\n  conv 8 elu x3\n  maxpool 2\n  conv 16 elu x2\n}\n"
        "bottleneck dense 12\n"
        "decoder {\n  dense 128 elu\n  reshape 8x4x4\n  deconv 8 k4 s2 elu\n  conv 8 elu x2\n  conv 1 sigmoid\n}",
        optimizer="adam lr=1e-3",
        batch=32,
        epochs=14,
    ),
}
"""The text of each by its name."""
