"""Models that a figure must draw well: small, deep, in colour, dense, residual, of odd and of unequal sides."""

from caedsl.model.autoencoder import Autoencoder
from caedsl.resolve.resolve import resolve
from caedsl.source import Source
from caedsl.syntax.parser import parse


def model_of(text: str) -> Autoencoder:
    """Return the model of a spec without errors."""
    source = Source(text)
    spec, syntax = parse(source)
    model, findings = resolve(spec, source)
    assert model is not None, "no model came of the spec"
    assert model.complete, [finding.message for finding in (*syntax, *findings)]
    return model


SPECS = {
    "flagship": """
        autoencoder mnist_l2
        input 1x28x28
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
        }""",
    "mirror": """
        autoencoder mnist_mirror
        input 1x28x28
        encoder { conv 16 relu x2; maxpool 2; conv 8 relu; maxpool 2 }
        bottleneck dense 32
        decoder mirror""",
    "denoiser": """
        autoencoder denoiser
        input 1x28x28
        encoder { conv 32 relu; maxpool 2; conv 64 relu; maxpool 2 }
        bottleneck
        decoder mirror""",
    "one_layer": """
        autoencoder a
        input 1x8x8
        encoder { conv 4 s2 }
        bottleneck
        decoder { deconv 1 s2 sigmoid }""",
    "no_weights_but_the_codes": """
        autoencoder linear
        input 3x8x8 in real
        encoder { dropout 10% }
        bottleneck dense 2
        decoder { dropout 10% }""",
    "keras_blog": """
        autoencoder keras_blog
        input 1x28x28
        encoder {
          conv 16 relu; maxpool 2
          conv 8 relu; maxpool 2
          conv 8 relu; maxpool 2 ceil
        }
        bottleneck 8x4x4
        decoder {
          conv 8 relu; upsample 2
          conv 8 relu; upsample 2
          conv 16 relu pad=valid; upsample 2
          conv 1 sigmoid
        }""",
    "deep_svdd": """
        autoencoder deep_svdd
        input 1x28x28
        encoder {
          conv 8 k5 norm=batch affine=off eps=1e-4 leaky_relu bias=off
          maxpool 2
          conv 4 k5 norm=batch affine=off eps=1e-4 leaky_relu bias=off
          maxpool 2
          dense 32 bias=off
        }
        bottleneck
        decoder {
          reshape 2x4x4 leaky_relu
          upsample 2
          deconv 4 k5 norm=batch affine=off eps=1e-4 leaky_relu bias=off
          upsample 2
          deconv 8 k5 pad=3 norm=batch affine=off eps=1e-4 leaky_relu bias=off
          upsample 2
          deconv 1 k5 sigmoid bias=off
        }""",
    "residual": """
        autoencoder residual_faces
        input 3x64x64 in -1..1
        encoder {
          conv 32 k5 s2 norm=batch leaky_relu=0.2
          residual relu { conv 32 norm=batch relu; conv 32 norm=batch }
          residual relu { conv 64 s2 norm=batch relu; conv 64 norm=batch }
          repeat 3 { residual relu { conv 64 norm=batch relu; conv 64 norm=batch } }
        }
        bottleneck dense 128
        decoder mirror""",
    "stages": """
        autoencoder staged
        input 3x96x96
        encoder {
          stage shallow { conv 32 relu x2; maxpool 2 }
          stage middle { conv 64 relu x2; dropout 10%; maxpool 2 }
          stage deep { conv 128 relu x3; maxpool 2 }
        }
        bottleneck conv 16
        decoder mirror upsample=bilinear""",
    "wide_images": """
        autoencoder road_signs
        input 3x64x256
        encoder { conv 16 s2 relu; conv 32 s2 relu; conv 64 s2 relu }
        bottleneck conv 4 tanh
        decoder mirror""",
    "odd_sizes": """
        autoencoder odd
        input 1x37x51
        encoder { conv 8 relu; maxpool 2; conv 16 relu; maxpool 2; conv 32 k3 s2 relu }
        bottleneck dense 20
        decoder mirror""",
    "large": """
        autoencoder large_photos
        input 3x1024x1024
        encoder {
          conv 16 s2 relu; conv 32 s2 relu; conv 64 s2 relu; conv 128 s2 relu
          conv 256 s2 relu; conv 512 s2 relu; conv 1024 s2 relu
        }
        bottleneck dense 512
        decoder mirror""",
    "deep": """
        autoencoder forty_layers
        input 3x128x128
        encoder {
          conv 24 relu; conv 28 relu; conv 32 relu; maxpool 2
          conv 40 relu; conv 48 relu; conv 56 relu; conv 64 relu; maxpool 2
          conv 80 relu; conv 96 relu; conv 112 relu; conv 128 relu; maxpool 2
          conv 160 relu norm=batch dropout=10%; conv 192 relu; conv 224 relu; conv 256 relu; maxpool 2
        }
        bottleneck dense 256
        decoder mirror""",
    "hidden_dense": """
        autoencoder lenet_like
        input 1x32x32
        encoder { conv 6 k5 tanh; avgpool 2; conv 16 k5 tanh; avgpool 2; dense 120 tanh; dense 84 tanh; dense 10 }
        bottleneck 10
        decoder {
          dense 84 tanh; dense 120 tanh; dense 1024 tanh; reshape 16x8x8
          upsample 2; conv 6 k5 tanh; upsample 2; conv 1 k5 sigmoid
        }""",
    "unet": """
        autoencoder unet
        input 1x32x32
        encoder { conv 16 relu x2; maxpool 2; conv 32 relu x2; maxpool 2; conv 64 relu; maxpool 2 }
        bottleneck dense 16
        decoder mirror skips=concat""",
    "skips": """
        autoencoder skips
        input 1x32x32
        encoder {
          conv 16 relu as a_map_with_a_name_that_is_long
          conv 16 relu
          add a_map_with_a_name_that_is_long as b
          stage down { maxpool 2 as p; conv 32 relu as c }
          residual { conv 32 relu; conv 32 }
          maxpool 2
        }
        bottleneck conv 16
        decoder {
          upsample 2
          stage up { conv 16; add p }
          concat c
          conv 16 relu
          unpool p
          add b
          concat input
          conv 1 sigmoid
        }""",
    "branches": """
        autoencoder branches
        input 1x32x32
        block two_scales width {
          conv width relu as trunk
          conv width k1 relu as narrow
          from trunk
          conv width k5 relu
          concat narrow
        }
        encoder { two_scales 8; maxpool 2; two_scales 16; maxpool 2 }
        bottleneck conv 16
        decoder {
          upsample 2
          conv 16 as other
          from input
          avgpool 2
          conv 16
          add other
          upsample 2
          conv 1 sigmoid
        }""",
    "nested": """
        autoencoder nested
        input 1x32x32
        encoder {
          stage outer {
            residual { conv 8 relu; residual { conv 8 relu; conv 8 } }
            repeat 4 { conv 16 relu; conv 12 relu }
          }
          maxpool 4
        }
        bottleneck
        decoder { upsample 4; conv 1 sigmoid }""",
}
"""Specs by name."""
