"""Models on samples of other sizes than their spec's: correct results, or an error that names a valid size."""

import pytest
import torch

import caedsl
from tests.conftest import ROOT

PLAIN = "autoencoder a; input {shape}; encoder {{ {encoder} }}; bottleneck{bottleneck}; decoder mirror"


def built(shape: str, encoder: str, bottleneck: str = "") -> torch.nn.Module:
    return caedsl.build(PLAIN.format(shape=shape, encoder=encoder, bottleneck=bottleneck)).eval()


@pytest.mark.parametrize(
    ("shape", "encoder", "other"),
    [
        ("1x28x28", "conv 4 relu; maxpool 2; conv 4 relu; maxpool 2", (1, 100, 120)),
        ("1x28x28", "conv 4 relu s2; conv 4 relu s2", (1, 100, 120)),
        ("3x32x48", "conv 4 norm=batch relu; residual { conv 4 relu }; avgpool 2", (3, 64, 34)),
        ("1x64", "conv 4 k5 relu; maxpool 4", (1, 400)),
        ("1x8x8x8", "conv 2 relu; maxpool 2", (1, 12, 8, 20)),
    ],
)
def test_a_mirrored_convolutional_model_returns_what_it_is_given(
    shape: str, encoder: str, other: tuple[int, ...]
) -> None:
    module = built(shape, encoder)
    x = torch.rand(2, *other)
    with torch.no_grad():
        assert module(x).shape == x.shape


def test_a_patch_far_from_the_edge_is_reconstructed_alike_in_a_larger_image() -> None:
    module = built("1x28x28", "conv 4 relu; maxpool 2; conv 4 relu; maxpool 2")
    x = torch.rand(1, 1, 200, 200)
    with torch.no_grad():
        assert torch.allclose(
            module(x)[..., 60:120, 60:120], module(x[..., 40:160, 40:160])[..., 20:80, 20:80], atol=1e-6
        )


@pytest.mark.parametrize(
    ("shape", "encoder", "bottleneck", "said"),
    [
        (
            "1x28x28",
            "conv 4 relu; maxpool 2",
            " dense 8",
            r"takes samples of 1x28x28, and these are 1x30x32: resize them",
        ),
        ("1x27x27", "conv 4 relu; maxpool 2", "", r"takes samples of 1x27x27, and these are 1x30x32: resize them"),
        ("1x32x32", "conv 4 relu; maxpool 8", "", r"these are 1x30x32: 1x32x32 would fit"),
        ("1x32x32", "conv 4 relu; maxpool 8", "", r"these are 3x30x32: resize them to 1x32x32"),
    ],
)
def test_a_size_that_would_not_come_back_is_refused(shape: str, encoder: str, bottleneck: str, said: str) -> None:
    module = built(shape, encoder, bottleneck)
    channels = int(said.partition("these are ")[2][0])
    with pytest.raises(ValueError, match=said):
        module.encode(torch.rand(1, channels, 30, 32))


@pytest.mark.parametrize("spec", sorted((ROOT / "specs").glob("*.cae")), ids=lambda spec: spec.stem)
def test_whatever_a_shipped_model_answers_has_the_size_of_the_question(spec) -> None:  # type: ignore[no-untyped-def]
    module = caedsl.build(spec).eval()
    channels, *space = module.sizes.own
    factors = [there // here for there, here in zip(module.sizes.target[1:], space, strict=True)]
    for grown in (1, 2, 4, 8, 16):
        x = torch.rand(1, channels, *(size + grown for size in space))
        if module.sizes.fit(tuple(x.shape[1:])):
            with torch.no_grad():
                assert list(module(x).shape[2:]) == [size * by for size, by in zip(x.shape[2:], factors, strict=True)]
        else:
            with pytest.raises(ValueError, match="this model takes samples of"):
                module(x)


def test_emitted_source_refuses_a_size_that_it_would_answer_with_its_own() -> None:
    source = caedsl.emit(PLAIN.format(shape="1x27x27", encoder="conv 4 relu; maxpool 2", bottleneck=""))
    space: dict[str, type[torch.nn.Module]] = {}
    exec(source, space)
    module = space["A"]()
    assert module(torch.rand(1, 1, 27, 27)).shape == (1, 1, 27, 27)
    with pytest.raises(ValueError, match="takes samples of 1x27x27"):
        module(torch.rand(1, 1, 31, 31))


def test_a_fixed_size_is_recognised_without_a_search() -> None:
    module = built("1x28x28", "conv 4 relu; maxpool 2", " dense 8")
    assert module.sizes.at_least((1, 30, 32)) is None
    assert module.sizes.at_least((1, 20, 28)) == (1, 28, 28)
    assert module.sizes.fit.cache_info().misses < 6
