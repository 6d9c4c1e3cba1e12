"""Healthy specs that look faulty. Nothing may warn about them.

Each differs from one plain spec in the given lines. Those for which a pilot on MNIST and Fashion-MNIST is
quoted trained as well as the plain spec there; the others are designs in common use.
"""

import re

_PLAIN = {
    "input": "input 1x28x28 in 0..1",
    "data": "data mnist",
    "encoder": "encoder { conv 16 k4 s2 relu; conv 32 k4 s2 relu }",
    "bottleneck": "bottleneck dense 32",
    "decoder": "decoder { deconv 16 k4 s2 relu; deconv 1 k4 s2 sigmoid }",
    "loss": "loss mse",
    "optimizer": "optimizer adam lr=1e-3",
    "batch": "batch 64",
    "epochs": "epochs 20",
    "more": "",
}


def _spec(name: str, lines: dict[str, str]) -> str:
    """Return the plain spec with other lines: ``before`` before the encoder, ``more`` in the train block."""
    line = {**_PLAIN, **lines}
    settings = "\n  ".join(filter(None, (line[key] for key in ("loss", "optimizer", "batch", "epochs", "more"))))
    statements = (line[key] for key in ("input", "data", "before", "encoder", "bottleneck", "decoder") if line.get(key))
    return "\n".join([f"autoencoder {re.sub(r'[.-]', '_', name)}", *statements, f"train {{\n  {settings}\n}}", ""])


_POOLED = "encoder { conv 16 relu; maxpool 2; conv 32 relu; maxpool 2 }"
_UPSAMPLED = "decoder { conv 32 relu; upsample 2; conv 16 relu; upsample 2; conv 1 sigmoid }"
_DEEP = "encoder {{ conv 16 k4 s2 relu; conv 16 relu{options} x26; conv 16 k4 s2 relu }}"
_COLOUR = {"input": "input 3x64x64 in 0..1", "data": 'data folder "photos/" limit=20000'}

_LINES: dict[str, dict[str, str]] = {
    # Outputs, ranges and losses.
    "tanh_on_unit_range": {"decoder": "decoder { deconv 16 k4 s2 relu; deconv 1 k4 s2 tanh }"},
    "bce_on_grey_images": {"loss": "loss bce"},
    "mae": {"loss": "loss mae"},
    "huber_plus_ssim": {"loss": "loss huber + 0.2 ssim"},
    "linear_on_unit_range": {"decoder": "decoder { deconv 16 k4 s2 relu; deconv 1 k4 s2 }"},
    "raw_pixels_linear_adam": {
        "input": "input 1x28x28 in 0..255",
        "decoder": "decoder { deconv 16 k4 s2 relu; deconv 1 k4 s2 }",
    },
    "raw_pixels_mirror": {"input": "input 1x28x28 in 0..255", "decoder": "decoder mirror"},
    "standardised_linear": {
        "input": "input 1x28x28 in real",
        "data": 'data npy "standardised.npy" limit=20000',
        "decoder": "decoder { deconv 16 k4 s2 relu; deconv 1 k4 s2 }",
    },
    "summed_loss_adam": {"loss": "loss mse reduction=sum"},
    # Learning rates, steps and batches.
    "adam_rate_0.01": {"optimizer": "optimizer adam lr=0.01"},
    "adam_rate_0.03": {"optimizer": "optimizer adam lr=0.03"},
    "onecycle_to_0.02": {"optimizer": "optimizer adam lr=0.02", "more": "schedule onecycle"},
    "adam_rate_1e-4": {"optimizer": "optimizer adam lr=1e-4", "epochs": "epochs 50"},
    "sgd_rate_10_on_a_mean": {"optimizer": "optimizer sgd lr=10"},
    "sgd_rate_1_momentum": {"optimizer": "optimizer sgd lr=1 momentum=0.9"},
    "sgd_summed_0.01": {"loss": "loss mse reduction=sum", "optimizer": "optimizer sgd lr=0.01"},
    "rmsprop": {"optimizer": "optimizer rmsprop lr=1e-3"},
    "one_epoch": {"epochs": "epochs 1"},
    "batch_512": {"batch": "batch 512"},
    "batch_8": {"batch": "batch 8"},
    "one_image_a_step": {"batch": "batch 1", "epochs": "epochs 2"},
    "warmup_and_clip": {"optimizer": "optimizer adamw lr=3e-3", "more": "schedule cosine warmup=5%\n  clip 1.0"},
    "few_images_many_epochs": {"data": "data mnist limit=500", "batch": "batch 32", "epochs": "epochs 200"},
    # Codes.
    "code_2_to_plot": {"bottleneck": "bottleneck dense 2"},
    "code_3_to_plot": {"bottleneck": "bottleneck dense 3"},
    "code_of_8": {"bottleneck": "bottleneck dense 8"},
    "rectified_code_of_64": {"bottleneck": "bottleneck dense 64 relu"},
    "sigmoid_code": {"bottleneck": "bottleneck dense 32 sigmoid"},
    "tanh_code": {"bottleneck": "bottleneck dense 32 tanh"},
    "compression_512": {
        **_COLOUR,
        "bottleneck": "bottleneck dense 24",
        "decoder": "decoder { deconv 16 k4 s2 relu; deconv 3 k4 s2 sigmoid }",
    },
    "large_code": {"bottleneck": "bottleneck dense 300"},
    "denoiser_without_bottleneck": {
        "encoder": "encoder { conv 32 relu x3 }",
        "bottleneck": "bottleneck",
        "decoder": "decoder { conv 32 relu; conv 1 sigmoid }",
        "more": "corrupt gaussian=0.2",
    },
    "sparse_overcomplete": {
        "encoder": _POOLED,
        "bottleneck": "bottleneck 32x7x7 l1=1e-4",
        "decoder": _UPSAMPLED,
    },
    # Shapes.
    "k3_s2_output_pad": {
        "encoder": "encoder { conv 16 s2 relu; conv 32 s2 relu }",
        "decoder": "decoder { deconv 16 k3 s2 pad=1 output_pad=1 relu; deconv 16 k3 s2 pad=1 output_pad=1 relu; conv 1 sigmoid }",
    },
    "lone_valid_convolution": {
        "encoder": "encoder { conv 16 relu; maxpool 2; conv 8 relu; maxpool 2; conv 8 relu; maxpool 2 ceil }",
        "bottleneck": "bottleneck 8x4x4",
        "decoder": "decoder { conv 8 relu; upsample 2; conv 8 relu; upsample 2; conv 16 relu pad=valid; upsample 2; conv 1 sigmoid }",
    },
    "light_decoder": {"encoder": _POOLED, "bottleneck": "bottleneck conv 4", "decoder": "decoder mirror channels=/4"},
    "heavier_decoder": {
        "encoder": "encoder { conv 8 k4 s2 relu; conv 8 k4 s2 relu }",
        "decoder": "decoder { conv 64 relu x2; upsample 2; conv 64 relu x2; upsample 2; conv 32 relu; conv 1 sigmoid }",
    },
    "mirrored_odd_sizes": {
        "input": "input 1x27x45 in 0..1",
        "encoder": "encoder { conv 16 relu; maxpool 2; conv 32 relu; maxpool 2 ceil }",
        "decoder": "decoder mirror",
    },
    "three_halvings_of_28": {
        "encoder": "encoder { conv 8 k4 s2 relu; conv 16 k4 s2 relu; conv 32 k4 s2 relu }",
        "decoder": "decoder mirror",
    },
    "pixelshuffle_decoder": {
        "encoder": _POOLED,
        "bottleneck": "bottleneck conv 4",
        "decoder": "decoder { conv 64 relu; pixelshuffle 2; conv 32 relu; conv 4; pixelshuffle 2; conv 1 sigmoid }",
    },
    "depthwise_separable": {
        "encoder": "encoder { conv 16 k4 s2 relu; conv 16 depthwise k4 s2; conv 32 k1 relu }",
    },
    "dilated": {"encoder": "encoder { conv 16 k4 s2 relu; conv 16 d2 relu; conv 32 k4 s2 relu }"},
    "wide_kernels": {"encoder": "encoder { conv 16 k7 s2 relu; conv 32 k5 s2 relu }"},
    "global_map_code": {
        "encoder": "encoder { conv 16 k4 s2 relu; conv 32 k4 s2 relu; conv 64 k7 pad=valid }",
        "bottleneck": "bottleneck 64x1x1",
        "decoder": "decoder { deconv 32 k7 pad=valid relu; deconv 16 k4 s2 relu; deconv 1 k4 s2 sigmoid }",
    },
    "large_dense_layer": {**_COLOUR, "decoder": "decoder mirror", "bottleneck": "bottleneck dense 256"},
    # Activations, initial weights and depth.
    "no_hidden_activation": {
        "encoder": "encoder { conv 16 k4 s2; conv 32 k4 s2 }",
        "decoder": "decoder { deconv 16 k4 s2; deconv 1 k4 s2 sigmoid }",
    },
    "one_sigmoid_layer_a_side": {
        "encoder": "encoder { conv 16 k4 s2 sigmoid; conv 32 k4 s2 relu }",
        "decoder": "decoder { deconv 16 k4 s2 sigmoid; deconv 1 k4 s2 sigmoid }",
    },
    "all_tanh": {
        "encoder": "encoder { conv 16 k4 s2 tanh; conv 32 k4 s2 tanh }",
        "decoder": "decoder { deconv 16 k4 s2 tanh; deconv 1 k4 s2 sigmoid }",
    },
    "gelu_and_silu": {
        "encoder": "encoder { conv 16 k4 s2 gelu; conv 32 k4 s2 silu }",
        "decoder": "decoder { deconv 16 k4 s2 mish; deconv 1 k4 s2 sigmoid }",
    },
    "pytorch_weights_shallow": {
        "before": "defaults conv init=torch\ndefaults deconv init=torch",
    },
    "orthogonal_weights": {"before": "defaults conv init=orthogonal"},
    "thirty_layers_he": {"encoder": _DEEP.format(options=" init=he")},
    "thirty_layers_pytorch_normalised": {"encoder": _DEEP.format(options=" init=torch norm=batch")},
    "thirty_layers_pytorch_residual": {
        "encoder": "encoder { conv 16 k4 s2 relu; repeat 13 { residual { conv 16 relu init=torch x2 } }; conv 16 k4 s2 relu }",
    },
    # Regularisation and numerics.
    "l2_1e-4": {"before": "defaults conv l2=1e-4\ndefaults deconv l2=1e-4"},
    "l2_1e-3_on_a_sum": {
        "loss": "loss mse reduction=sum",
        "optimizer": "optimizer adam lr=1e-3 weight_decay=1e-3",
    },
    "adamw_decay_0.05": {"optimizer": "optimizer adamw lr=1e-3 weight_decay=0.05"},
    "light_dropout": {"encoder": "encoder { conv 16 k4 s2 relu dropout=0.1; conv 32 k4 s2 relu dropout=0.2 }"},
    "batch_norm_of_16": {"before": "defaults conv norm=batch", "batch": "batch 16"},
    "group_norm_of_one": {
        "before": "defaults conv norm=group groups=4",
        "batch": "batch 1",
        "epochs": "epochs 2",
    },
    "bias_before_norm": {
        "encoder": "encoder { conv 16 k4 s2 relu norm=batch bias=on; conv 32 k4 s2 relu norm=batch bias=on }"
    },
    "fp16_on_unit_range": {"more": "precision fp16"},
    "heavy_corruption": {"more": "corrupt masking=0.75"},
}

CONTROLS: dict[str, str] = {name: _spec(name, lines) for name, lines in _LINES.items()}
"""The text of every control by its name."""
