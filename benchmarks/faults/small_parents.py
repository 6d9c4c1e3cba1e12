"""Small healthy specs that train in seconds: the parents of the proof by training."""

_SMALL_STRIDED = """\
autoencoder small_strided
input 1x16x16 in 0..1
data digits
encoder {
  conv 8 k4 s2 relu
  conv 16 k3 relu
  conv 16 k4 s2 relu
}
bottleneck dense 16
decoder {
  deconv 16 k4 s2 relu
  conv 8 k3 relu
  deconv 1 k4 s2 sigmoid
}
train {
  loss mse
  optimizer adam lr=1e-3
  batch 32
  epochs 12
}
"""

_SMALL_POOLED = """\
autoencoder small_pooled
input 1x16x16 in 0..1
data digits
encoder {
  conv 8 relu
  maxpool 2
  conv 16 relu
  conv 16 relu
  maxpool 2
}
bottleneck conv 2
decoder {
  conv 16 relu
  upsample 2
  conv 16 relu
  conv 8 relu
  upsample 2
  conv 1 sigmoid
}
train {
  loss mse
  optimizer adam lr=1e-3
  batch 32
  epochs 12
}
"""

_SMALL_NORMED = """\
autoencoder small_normed
input 1x16x16 in 0..1
data digits
encoder {
  conv 8 relu norm=batch
  maxpool 2
  conv 16 relu norm=batch
  maxpool 2
}
bottleneck dense 16
decoder {
  conv 16 relu norm=batch
  upsample 2
  conv 8 relu norm=batch
  upsample 2
  conv 1 sigmoid
}
train {
  loss mse
  optimizer adam lr=1e-3
  batch 32
  epochs 12
}
"""

_SMALL_NATIVE = """\
autoencoder small_native
input 1x8x8 in 0..1
data digits
encoder {
  conv 16 relu
  conv 32 k4 s2 relu
}
bottleneck dense 12
decoder {
  deconv 16 k4 s2 relu
  conv 16 relu
  conv 1 sigmoid
}
train {
  loss mse
  optimizer adam lr=1e-3
  batch 32
  epochs 12
}
"""

_SMALL_DEEP = """\
autoencoder small_deep
input 1x16x16 in 0..1
data digits
encoder {
  conv 8 k4 s2 relu
  conv 8 relu x12
  conv 16 k4 s2 relu
}
bottleneck dense 16
decoder {
  deconv 8 k4 s2 relu
  deconv 1 k4 s2 sigmoid
}
train {
  loss mse
  optimizer adam lr=1e-3
  batch 32
  epochs 12
}
"""

_SMALL_NARROW = """\
autoencoder small_narrow
input 1x16x16 in 0..1
data digits
defaults conv k4 s2 relu norm=batch
encoder { conv 8; conv 16; conv 32 }
bottleneck dense 16
decoder {
  upsample 2
  conv 16 k3 s1
  upsample 2
  conv 8 k3 s1
  upsample 2
  conv 1 k3 s1 sigmoid norm=none
}
train {
  loss mse
  optimizer adam lr=1e-3
  batch 32
  epochs 12
}
"""

SMALL = {
    "small_strided": _SMALL_STRIDED,
    "small_pooled": _SMALL_POOLED,
    "small_normed": _SMALL_NORMED,
    "small_native": _SMALL_NATIVE,
    "small_deep": _SMALL_DEEP,
    "small_narrow": _SMALL_NARROW,
}
"""The text of each by its name."""
