"""Healthy specs by name: the shipped ones, and others that are not."""

from pathlib import Path

_SHIPPED = Path(__file__).parents[1] / "specs"

FLAGSHIP = """\
# L2-regularised convolutional autoencoder for MNIST.
autoencoder mnist_l2

input 1x28x28 in 0..1
data  mnist else digits

encoder {
  conv 64 k3 relu l2=1e-3
  conv 32 k3 relu l2=1e-3
  maxpool 2
}

bottleneck 32x14x14

decoder {
  deconv 32 k3 relu l2=1e-3
  upsample 2
  conv 64 k3 relu l2=1e-3
  conv 1 k3 sigmoid
}

train {
  loss      mse
  optimizer adam lr=1e-4
  batch     128
  epochs    200
}
"""

ODD_SIZES = """\
# An odd image, returned exactly by strided layers with their paddings written out.
autoencoder odd_sizes
input 1x45x60 in 0..1
data folder "photos/" gray
encoder {
  conv 16 k4 s2 pad=1 relu # 22x30
  conv 32 k4 s2 pad=1 relu # 11x15
  conv 8 relu
}
bottleneck dense 32
decoder {
  conv 32 relu
  deconv 16 k4 s2 pad=1 relu # 22x30
  deconv 1 k4 s2 pad=1 output_pad=1x0 sigmoid # 45x60
}
train { loss mse; optimizer adam lr=1e-3; batch 64; epochs 50 }
"""

SPECS: dict[str, str] = {
    **{path.stem: path.read_text("utf-8") for path in sorted(_SHIPPED.glob("*.cae"))},
    "flagship": FLAGSHIP,
    "odd_sizes": ODD_SIZES,
}
"""The text of every healthy spec by its name."""
