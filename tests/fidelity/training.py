"""The training of the originals, as in their sources; None if a source has no training.

``validation`` is omitted, because each source has its own split.
"""

from collections.abc import Callable
from fractions import Fraction

from torch import nn

from caedsl.model.settings import Augment, Corrupt, Loss, LossTerm, Optimizer, Schedule, Stop, Train
from caedsl.vocabulary.code_kinds import CAPACITY, FREE_NATS
from caedsl.vocabulary.option import LayerOption


def _loss(name: str, reduction: str = "mean", weight: float = 1.0) -> Loss:
    return Loss((LossTerm(name, weight),), reduction)


KERAS_ADAM = Optimizer("adam", 1e-3, {"eps_hat": 1e-7})
"""Keras adds its epsilon before the correction of the second moment."""
CLIPPED_NOISE = {name: Corrupt({"gaussian": deviation}) for name, deviation in (("keras_io", 0.4), ("tf_denoise", 0.2))}

TRAINING: dict[str, Train | None] = {
    "keras_blog": Train(
        loss=_loss("bce"), optimizer=Optimizer("adadelta", 1.0, {"rho": 0.95, "eps": 1e-7}), batch=128, epochs=50
    ),
    "keras_io": Train(
        loss=_loss("bce"), optimizer=KERAS_ADAM, batch=128, epochs=100, corrupt=CLIPPED_NOISE["keras_io"]
    ),
    "keras_timeseries": Train(optimizer=KERAS_ADAM, batch=128, epochs=50, stop=Stop(patience=5)),
    "keras_vae": Train(loss=_loss("bce", "sum"), optimizer=KERAS_ADAM, batch=128, epochs=30),
    "tf_denoise": Train(optimizer=KERAS_ADAM, batch=32, epochs=10, corrupt=CLIPPED_NOISE["tf_denoise"]),
    "xingyu": Train(optimizer=Optimizer("adam", 1e-3, {"weight_decay": 1e-5}), batch=128, epochs=100),
    "uva_cifar": Train(
        loss=_loss("mse", "sum"),
        optimizer=Optimizer("adam", 1e-3),
        schedule=Schedule("plateau", {"factor": 0.2, "patience": 20, "min_lr": 5e-5}),
        batch=256,
        epochs=500,
    ),
    "antixk_vanilla_vae": Train(
        optimizer=Optimizer("adam", 5e-3),
        schedule=Schedule("exponential", {"gamma": 0.95}),
        batch=64,
        epochs=100,
        augment=Augment({"flip": True}),
    ),
    "antixk_capacity_vae": Train(
        optimizer=Optimizer("adam", 5e-3),
        schedule=Schedule("exponential", {"gamma": 0.95}),
        batch=64,
        epochs=10,
        augment=Augment({"flip": True}),
    ),
    "keras_mnist_denoise": Train(
        optimizer=KERAS_ADAM, batch=128, epochs=30, corrupt=Corrupt({"mean": 0.5, "gaussian": 0.5})
    ),
    "world_models": Train(
        loss=_loss("mse", "sum"), optimizer=Optimizer("adam", 1e-4, {"eps_hat": 1e-8}), batch=100, epochs=10
    ),
    "pythae_mnist": Train(loss=_loss("mse", "sum"), optimizer=Optimizer("adam", 1e-3), batch=100, epochs=100),
    "pythae_celeba_resnet": Train(loss=_loss("mse", "sum"), optimizer=Optimizer("adam", 1e-3), batch=100, epochs=50),
    "monai_ae_3d": None,
    "mvtec_ssim": Train(
        loss=_loss("ssim"),
        optimizer=Optimizer("adam", 2e-4, {"eps_hat": 1e-7}),
        schedule=Schedule("inverse", {"decay": 1e-5}),
        batch=128,
        epochs=200,
        stop=Stop(patience=20),
        augment=Augment({"flip": True, "rotate": 45.0}),
    ),
    "deep_svdd_cifar": Train(
        loss=_loss("mse", "sum"),
        optimizer=Optimizer("adam", 1e-4, {"weight_decay": 5e-7}),
        schedule=Schedule("milestones", {"epochs": (250,), "factor": 0.1}),
        batch=200,
        epochs=350,
    ),
    "bolts_resnet18": Train(optimizer=Optimizer("adam", 1e-4), batch=256, epochs=100),
    "noise2noise_unet": Train(
        loss=_loss("mae"),
        optimizer=Optimizer("adam", 1e-3, {"beta2": 0.99}),
        schedule=Schedule("plateau", {"factor": 0.5, "patience": 25}),
        batch=4,
        epochs=100,
    ),
    "autoencoder_kl": None,
    "autoencoder_tiny": None,
    "swwae": Train(optimizer=KERAS_ADAM, batch=128, epochs=5),
    "keras_vqvae": Train(
        loss=_loss("mse", weight=float(1 / Fraction("0.0949327"))), optimizer=KERAS_ADAM, batch=128, epochs=30
    ),
    "matlab_denoise": Train(
        loss=_loss("mse", "sum", 0.5),
        optimizer=Optimizer("adam", 1e-3),
        batch=500,
        epochs=50,
        corrupt=Corrupt({"saltpepper": 0.05}),
        augment=Augment({"rot90": True}),
    ),
    "dcec": Train(optimizer=KERAS_ADAM, batch=256, epochs=200),
}


WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def _glorot(module: nn.Module) -> None:
    """Initialise as Keras and MATLAB do: uniform weights scaled by both fans, and zero biases."""
    for layer in module.modules():
        if isinstance(layer, WEIGHTED):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def _glorot_convolutions(module: nn.Module) -> None:
    """Initialise convolutions before a leaky rectifier as in Deep SVDD; its dense layer keeps PyTorch's default."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.xavier_uniform_(layer.weight, nn.init.calculate_gain("leaky_relu"))


def _he(module: nn.Module) -> None:
    """Initialise every convolution as in Noise2Noise."""
    for layer in module.modules():
        if isinstance(layer, WEIGHTED):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)


def _orthogonal(module: nn.Module) -> None:
    """Initialise every kernel as in PyTorch's example of super-resolution, whose biases keep the default."""
    layers = [layer for layer in module.modules() if isinstance(layer, nn.Conv2d)]
    for layer in layers:
        nn.init.orthogonal_(layer.weight, 1.0 if layer is layers[-1] else nn.init.calculate_gain("relu"))


KERAS = "keras_blog keras_io keras_timeseries keras_vae tf_denoise mvtec_ssim dcec swwae keras_vqvae matlab_denoise"
MORE_KERAS = "keras_mnist_denoise world_models"
STARTS: dict[str, Callable[[nn.Module], None]] = {
    **dict.fromkeys(f"{KERAS} {MORE_KERAS}".split(), _glorot),
    "deep_svdd_cifar": _glorot_convolutions,
    "noise2noise_unet": _he,
    "konny_beta_vae": _he,
    "pytorch_super_resolution": _orthogonal,
}
"""How weights start, where the source does not leave that to PyTorch."""

CODE_TERMS = {
    "keras_vae": {"kl": 1.0},
    "antixk_vanilla_vae": {"kl": 2.5e-4 * 12288},
    "antixk_capacity_vae": {"kl": 10 * 2.5e-4 * 12288},
    "world_models": {"kl": 1.0},
    "autoencoder_kl": {"kl": 1e-6},
    "keras_vqvae": {"commitment": 0.25, "codebook": 1.0},
    "pythae_cifar_vae": {"kl": 1.0},
    "konny_beta_vae": {"kl": 4.0},
    "antixk_vq_vae": {"commitment": 0.25, "codebook": 1.0},
    "zalando_vq_vae": {"commitment": 0.25, "codebook": 1.0},
    "monai_var_autoencoder": {"kl": 1.0},
}
"""What the code adds to the loss, as weights of sums over a sample where the loss is a sum; other codes add nothing."""

CODE_OPTIONS: dict[str, tuple[tuple[LayerOption[float], float], ...]] = {
    "antixk_capacity_vae": ((CAPACITY, 25.0),),
    "world_models": ((FREE_NATS, 16.0),),
}
"""What the divergence of a code may or should be, where a source says so."""
