"""Weight normalisation: the same network at the start, with the lengths of its kernels as parameters of their own."""

import pytest
import torch

from caedsl import check
from caedsl.backends.torch.fast import fast_form
from caedsl.backends.torch.instantiate import ConvolutionalAutoencoder, build
from caedsl.backends.torch.lower import lower
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.example import whole_spec
from caedsl.training.objective import weight_penalty
from tests.resolve.written import model


def pair(encoder: str) -> list[tuple[Autoencoder, ConvolutionalAutoencoder]]:
    """Return the encoder without and with ``weight_norm`` in place of ``*``, from the same random numbers."""
    specs = [model(f"encoder {{ {encoder.replace('*', word)} }}") for word in ("", "weight_norm")]
    made = []
    for spec in specs:
        torch.manual_seed(0)
        made.append((spec, build(spec)))
    return made


@pytest.mark.parametrize(
    "line", ["conv 6 *", "conv 6 g2 *", "deconv 6 k4 s2 *", "conv 6 init=torch *", "dense 6 *; reshape 1x2x3"]
)
def test_it_starts_where_the_plain_layer_starts(line: str) -> None:
    (plain, original), (normed, built) = pair(f"conv 4; {line}; maxpool 2")
    x = torch.rand(2, *plain.input.shape)
    torch.testing.assert_close(built.encoder(x), original.encoder(x))
    lengths = [value for name, value in built.encoder.state_dict().items() if name.endswith("original0")]
    layers = zip(plain.encoder, normed.encoder, strict=True)
    more = [b.kind.parameters(b) - a.kind.parameters(a) for a, b in layers]
    assert [number for number in more if number] == [length.numel() for length in lengths]


def test_its_l2_is_that_of_the_plain_kernel() -> None:
    penalties = [
        weight_penalty(built, lower(spec).penalties) for spec, built in pair("conv 4 relu l2=0.1 *; maxpool 2")
    ]
    torch.testing.assert_close(*penalties)
    assert penalties[0] > 0


def test_its_l1_is_refused() -> None:
    found = check(whole_spec("encoder { conv 8 relu weight_norm l1=1e-4; maxpool 2 }"))
    (error,) = [finding for finding in found if finding.severity.value == "error"]
    assert error.name == "contradicting-options"
    assert error.help == "use `l2=`, which shrinks the lengths, or remove `weight_norm`"


def test_the_fast_form_takes_the_same_step() -> None:
    spec, built = pair("conv 48 relu *; maxpool 2; conv 32 k4 s2 relu *")[1]
    x = torch.rand(2, *spec.input.shape)
    fast_form(built, spec.input.shape)(x).square().sum().backward()
    found = [parameter.grad for parameter in built.parameters()]
    built.zero_grad()
    built(x).square().sum().backward()
    for gradient, parameter in zip(found, built.parameters(), strict=True):
        torch.testing.assert_close(gradient, parameter.grad, rtol=1e-3, atol=1e-5)
