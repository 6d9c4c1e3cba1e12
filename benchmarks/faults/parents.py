"""Healthy specs to inject faults into: every one must check without an error or a warning.

The grid is {28x28x1, 32x32x3, 64x64x3} x {strided convolutions, pools} x {no normalisation, batch normalisation};
in addition, there are models that do not fit into the grid, three small ones that train in seconds, and the shipped
specs.
"""

from itertools import product
from pathlib import Path

from benchmarks.faults.small_parents import SMALL

SHIPPED_FOLDER = Path(__file__).resolve().parents[2] / "specs"

_SETS = {
    "grey28": ("1x28x28", "mnist", 1, (16, 32), 32, 4),
    "colour32": ("3x32x32", "cifar10", 3, (32, 64), 128, 8),
    "colour64": ("3x64x64", 'folder "photos/" limit=20000', 3, (32, 64, 128), 256, 16),
}
"""Input, data, channels, widths of the encoder, numbers of a dense code, channels of a convolutional one."""


def _strided(name: str, norm: str) -> str:
    """Return strided convolutions, a dense code and explicit transposed convolutions."""
    shape, data, channels, widths, code, _ = _SETS[name]
    down = "; ".join(f"conv {width}" for width in widths)
    up = "\n".join(f"  deconv {width} k4 s2 relu{norm}" for width in widths[-2::-1])
    return f"""\
autoencoder {name}_strided{"_normed" if norm else ""}
input {shape} in 0..1
data {data}
defaults conv k4 s2 relu{norm}
encoder {{ {down} }}
bottleneck dense {code}
decoder {{
{up}
  deconv {channels} k4 s2 sigmoid
}}
train {{
  loss mse
  optimizer adam lr=1e-3
  batch 64
  epochs 20
}}
"""


def _pooled(name: str, norm: str) -> str:
    """Return convolutions and pools with a convolutional code, and a mirrored decoder if there is a normalisation."""
    shape, data, channels, widths, _, code = _SETS[name]
    down = "\n".join(f"  conv {width} relu{norm}\n  maxpool 2" for width in widths)
    up = "\n".join(f"  conv {width} relu\n  upsample 2" for width in widths[::-1])
    decoder = "decoder mirror" if norm else f"decoder {{\n{up}\n  conv {channels} sigmoid\n}}"
    return f"""\
autoencoder {name}_pooled{"_normed" if norm else ""}
input {shape} in 0..1
data {data}
encoder {{
{down}
}}
bottleneck conv {code}
{decoder}
train {{
  loss mse
  optimizer adam lr=1e-3
  batch 128
  epochs 20
}}
"""


def _grid() -> dict[str, str]:
    made = {}
    for name, (form, make), norm in product(_SETS, (("strided", _strided), ("pooled", _pooled)), ("", " norm=batch")):
        made[f"{name}_{form}{'_normed' if norm else ''}"] = make(name, norm)
    return made


_DCGAN = """\
autoencoder dcgan_like
input 3x64x64 in -1..1
data folder "faces/" limit=50000
defaults conv k4 s2 pad=1 leaky_relu=0.2 norm=batch
defaults deconv k4 s2 pad=1 relu norm=batch
encoder { conv 32 norm=none; conv 64; conv 128; conv 256 }
bottleneck dense 128
decoder { deconv 128; deconv 64; deconv 32; deconv 3 tanh norm=none }
train { loss mse; optimizer adam lr=2e-4 beta1=0.5; batch 128; epochs 50 }
"""

_WIDE_DENOISER = """\
autoencoder wide_denoiser
input 1x28x28 in 0..1
data fashion_mnist
encoder { conv 32 relu; maxpool 2; conv 32 relu }
bottleneck
decoder { conv 32 relu; upsample 2; conv 32 relu; conv 1 sigmoid }
train { loss mse; optimizer adam lr=1e-3; batch 128; epochs 20; corrupt gaussian=0.3 }
"""

_ODD = """\
autoencoder odd
input 1x45x60 in 0..1
data npy "scans.npy" limit=8000
encoder {
  conv 16 k3 s2 pad=1 relu
  conv 32 k3 s2 pad=1 relu
}
bottleneck conv 8
decoder {
  conv 32 relu
  upsample to 23x30
  conv 16 relu
  upsample to 45x60
  conv 1 sigmoid
}
train { loss mse; optimizer adam lr=1e-3; batch 64; epochs 30 }
"""

_K3_S2 = """\
autoencoder k3_s2
input 1x28x28 in 0..1
data kmnist
encoder { conv 16 k3 s2 relu; conv 32 k3 s2 relu }
bottleneck conv 4
decoder { deconv 32 k3 s2 pad=1 output_pad=1 relu; deconv 16 k3 s2 pad=1 output_pad=1 relu; conv 1 sigmoid }
train { loss mse; optimizer rmsprop lr=1e-3; batch 128; epochs 10 }
"""

_RESHAPED = """\
autoencoder reshaped
input 1x28x28 in 0..1
data fashion_mnist
encoder {
  conv 16 k4 s2 relu
  conv 32 k4 s2 relu
  dense 24
}
bottleneck 24
decoder {
  dense 1568 relu
  reshape 32x7x7
  upsample 2
  conv 16 relu
  upsample 2
  conv 1 sigmoid
}
train { loss bce; optimizer adam lr=1e-3; batch 128; epochs 10 }
"""

_RESIDUAL = """\
autoencoder residual_halves
input 3x32x32 in real
data npy "standardised.npy" limit=30000
encoder {
  conv 32 relu
  maxpool 2
  residual { conv 32 relu; conv 32 }
  conv 64 relu
  maxpool 2
}
bottleneck conv 16
decoder mirror
train { loss huber; optimizer adamw lr=1e-3; schedule cosine; batch 64; epochs 20 }
"""

_MOMENTUM = """\
autoencoder momentum
input 1x28x28 in 0..1
data mnist
encoder {
  conv 16 k4 s2 relu
  conv 32 k4 s2 relu
}
bottleneck dense 32
decoder {
  deconv 16 k4 s2 relu
  deconv 1 k4 s2 sigmoid
}
train {
  loss mse
  optimizer sgd lr=1 momentum=0.9
  batch 64
  epochs 10
}
"""

_ASSERTED = """\
autoencoder asserted
input 3x32x32 in -1..1
data cifar10
encoder { conv 32 k3 relu; avgpool 2; conv 32 k3 relu; conv 12 k4 s2 }
bottleneck 12x8x8
decoder { deconv 32 k4 s2 relu; conv 32 k3 relu; upsample 2 bilinear; conv 32 relu; conv 3 tanh }
train { loss mae; optimizer adam lr=1e-3; batch 64; epochs 20 }
"""

_DEEP_GREY = """\
autoencoder deep_grey
input 1x28x28 in 0..1
data fashion_mnist
encoder { conv 16 k4 s2 relu; conv 16 relu x26; conv 32 k4 s2 relu }
bottleneck dense 32
decoder { deconv 16 k4 s2 relu; conv 16 relu; deconv 1 k4 s2 sigmoid }
train { loss mse; optimizer adam lr=1e-3; batch 64; epochs 20 }
"""

_DEEP_MIRROR = """\
autoencoder deep_mirror
input 3x32x32 in 0..1
data cifar10
encoder {
  conv 32 relu x7
  maxpool 2
  conv 48 relu x7
  maxpool 2
}
bottleneck conv 8
decoder mirror
train { loss mse; optimizer adam lr=1e-3; batch 128; epochs 20 }
"""

_SINGLE = {
    "deep_grey": _DEEP_GREY,
    "deep_mirror": _DEEP_MIRROR,
    "dcgan_like": _DCGAN,
    "wide_denoiser": _WIDE_DENOISER,
    "odd": _ODD,
    "k3_s2": _K3_S2,
    "reshaped": _RESHAPED,
    "residual_halves": _RESIDUAL,
    "momentum": _MOMENTUM,
    "asserted": _ASSERTED,
}

_OTHERS = ("ecg", "superres", "volumes")
"""Shipped specs of signals and volumes, and of another target than the input: the operators are for images alone."""

_FAULTY = {"mnist_pitfalls"}
"""The article's first model, which is shipped with its fault."""

PARENTS: dict[str, str] = {
    **_grid(),
    **SMALL,
    **_SINGLE,
    **{
        path.stem: path.read_text("utf-8")
        for path in sorted(SHIPPED_FOLDER.glob("*.cae"))
        if path.stem not in _FAULTY and path.stem not in _OTHERS
    },
}
"""The text of every parent by its name."""
