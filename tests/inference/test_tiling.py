import pytest
import torch

import caedsl
from caedsl.backends.torch.instantiate import ConvolutionalAutoencoder
from caedsl.inference.tiling import depends_on_the_whole, margin, reconstruct_tiled

NETS = {
    "pools": ("1x32x32", "conv 4 relu; maxpool 2; conv 4 k5 relu; maxpool 2"),
    "strides": ("2x32x32", "conv 4 k5 s2 relu norm=batch; conv 6 s2 relu"),
    "residual": ("1x32x32", "conv 4 relu; residual { conv 4 d2 relu; conv 4 }; avgpool 4"),
    "signal": ("1x64", "conv 4 k7 relu; maxpool 4; conv 4 relu"),
}


def net(name: str) -> ConvolutionalAutoencoder:
    shape, encoder = NETS[name]
    torch.manual_seed(1)
    return caedsl.build(f"autoencoder a; input {shape}; encoder {{ {encoder} }}; bottleneck; decoder mirror").eval()


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("tile", [16, 40, 64])
def test_tiles_have_no_seams(name: str, tile: int) -> None:
    module = net(name)
    space = (200,) if name == "signal" else (136, 200)
    x = torch.rand(1, module.sizes.own[0], *space)
    with torch.no_grad():
        whole = module(x)
    assert (reconstruct_tiled(module, x, tile) - whole).abs().max() < 1e-5


@pytest.mark.parametrize("name", NETS)
def test_the_network_looks_no_farther_than_the_margin(name: str) -> None:
    module = net(name)
    x = torch.rand(1, module.sizes.own[0], *((192,) if name == "signal" else (192, 192)), requires_grad=True)
    middle = 96
    module(x)[(0, 0, *([middle] * (x.dim() - 2)))].backward()
    assert x.grad is not None
    seen = x.grad[0].abs().sum(0).nonzero()
    assert (seen - middle).abs().max() <= margin(module)


def test_a_size_that_the_strides_do_not_divide_is_padded_and_cut() -> None:
    module = net("pools")
    x = torch.rand(1, 1, 77, 131)
    made = reconstruct_tiled(module, x, 32)
    assert made.shape == x.shape
    with torch.no_grad():
        padded = torch.nn.functional.pad(x, (0, 1, 0, 3), mode="replicate")
        assert (made - module(padded)[..., :77, :131]).abs().max() < 1e-5


def test_tiles_of_a_network_with_skip_connections_have_no_seams() -> None:
    net = "encoder { conv 4 relu; maxpool 2; conv 4 relu; maxpool 2 }; bottleneck; decoder mirror skips=concat"
    module = caedsl.build(f"autoencoder a; input 1x32x32; {net}").eval()
    x = torch.rand(1, 1, 136, 200)
    with torch.no_grad():
        assert (reconstruct_tiled(module, x, 40) - module(x)).abs().max() < 1e-5


def test_a_model_of_one_size_says_so() -> None:
    module = caedsl.build("autoencoder a; input 1x8x8; encoder { conv 4 }; bottleneck dense 4; decoder mirror").eval()
    with pytest.raises(ValueError, match="takes samples of 1x8x8"):
        reconstruct_tiled(module, torch.rand(1, 1, 20, 20))


@pytest.mark.parametrize(
    ("data", "norm"),
    [
        ("", "instance"),
        ("data digits normalize=gcn; ", "none"),
        ("data digits normalize=instance; ", "none"),
        ("defaults conv pad=circular; ", "none"),
    ],
)
def test_normalisation_over_the_sample_is_computed_on_the_whole(data: str, norm: str) -> None:
    net = f"encoder {{ conv 4 norm={norm} relu; maxpool 2 }}; bottleneck; decoder mirror"
    module = caedsl.build(f"autoencoder a; input 1x32x32; {data}{net}").eval()
    assert depends_on_the_whole(module)
    x = torch.rand(1, 1, 96, 96)
    with torch.no_grad():
        assert torch.equal(reconstruct_tiled(module, x, 32), module(x))


def test_interpolation_with_aligned_corners_depends_on_the_whole_size() -> None:
    module = caedsl.build(
        "autoencoder a; input 1x32x32; encoder { conv 4 relu; maxpool 2 }; bottleneck\n"
        "decoder { upsample 2 bilinear align_corners; conv 1 sigmoid }"
    ).eval()
    assert depends_on_the_whole(module)
