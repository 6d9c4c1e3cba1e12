"""Rules about codes with a loss of their own, at their thresholds."""

import re

import pytest

from tests.rules.fragments import fixed, found, place, the

VAE = """input {shape}
data {data}
encoder {{ conv 16 k4 s2 relu }}
bottleneck variational 8{more}
train {{ loss {loss}; epochs 20 }}
"""
DIGITS = 0.149 * 0.0733 * 64
"""The largest eigenvalue of the covariance of digits: its share of the variance times all of it."""


def vae(more: str = "", loss: str = "mse", shape: str = "1x8x8", data: str = "digits") -> str:
    return VAE.format(more=more, loss=loss, shape=shape, data=data)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(("factor", "fires"), [(0.98, False), (1.02, True)])
def test_the_border_is_the_largest_eigenvalue(reduction: str, factor: float, fires: bool) -> None:
    spec = vae(f" beta={2 * DIGITS * factor:.4f}", f"mse reduction={reduction}")
    assert bool(found(spec, "strong-divergence")) is fires


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(("beta", "fires"), [("3.3", False), ("3.4", True)])
def test_the_border_of_a_cross_entropy(reduction: str, beta: str, fires: bool) -> None:
    assert bool(found(vae(f" beta={beta}", f"bce reduction={reduction}"), "strong-divergence")) is fires
    assert bool(found(vae(f" beta={2 * float(beta):g}", f"2 bce reduction={reduction}"), "strong-divergence")) is fires


def test_the_weight_of_the_loss_and_the_range_of_the_images_count() -> None:
    assert not found(vae(" beta=4", "3 mse"), "strong-divergence")
    assert found(vae(" beta=4", "2 mse"), "strong-divergence")
    assert not found(vae(" beta=4", shape="1x8x8 in -1..1"), "strong-divergence")
    assert found(vae("", "0.5 mse"), "strong-divergence")


@pytest.mark.parametrize(
    "spec",
    [
        vae(" beta=50", "huber"),
        vae(" beta=50", "bce + mse"),
        vae(" beta=50 free_bits=0.1"),
        vae(" beta=50 free_nats=0.1"),
        vae(" beta=50 capacity=5"),
        vae(" beta=50", shape="1x28x28", data='folder "x/"'),
    ],
)
def test_nothing_is_reported_where_nothing_is_proved(spec: str) -> None:
    assert not found(spec, "strong-divergence")


@pytest.mark.parametrize(("more", "loss"), [(" beta=4", "mse"), ("", "0.5 mse"), (" beta=4", "bce"), ("", "0.2 bce")])
def test_the_fix_lowers_beta(more: str, loss: str) -> None:
    assert " beta=0." in fixed(vae(more, loss), "strong-divergence")


def codebook(size: str, batch: int = 64) -> str:
    return f"""input 1x8x8
data digits
encoder {{ conv 16 k4 s2 relu; conv 16 k4 s2 relu }}
bottleneck quantized {size}
train {{ batch {batch}; epochs 20 }}
"""


@pytest.mark.parametrize(
    ("size", "batch", "severity"),
    [
        ("165x8", 64, None),
        ("166x8", 64, "info"),
        ("6468x8", 400, "info"),
        ("6469x8", 400, "warning"),
        ("5120x8", 64, "info"),
        ("5121x8", 64, "warning"),
    ],
)
def test_vectors_are_held_against_places(size: str, batch: int, severity: str | None) -> None:
    findings = found(codebook(size, batch), "oversized-codebook")
    assert [finding.severity.value for finding in findings] == ([severity] if severity else [])


def test_the_fix_takes_fewer_vectors() -> None:
    assert "quantized 128x8" in fixed(codebook("8192x8"), "oversized-codebook")


@pytest.mark.parametrize("loss", ["mse", "mse reduction=sum", "2 mse"])
@pytest.mark.parametrize("beta", ["50", "5000", "5M"])
def test_the_loss_in_the_help_also_cures_the_finding(loss: str, beta: str) -> None:
    (finding,) = found(vae(f" beta={beta}", loss), "strong-divergence")
    advised = finding.help.split("`loss ")[1].rstrip("`")
    assert not found(vae(f" beta={beta}", advised), "strong-divergence")
    assert not re.search(r"e\+", finding.explanation)
    assert ("reduction=sum" in advised) == ("reduction=sum" in loss)


class TestInactiveCodeTerm:
    @pytest.mark.parametrize(
        ("bottleneck", "where"),
        [
            ("variational 8 beta=0", "beta=0"),
            ("variational conv 2 beta=0 warmup=10%", "beta=0"),
            ("variational 8 free_bits=10", "free_bits=10"),
            ("variational 8 free_bits=1e9", "free_bits=1e9"),
            ("variational 8 free_nats=80", "free_nats=80"),
            ("variational conv 2 free_nats=3920", "free_nats=3920"),
            ("variational 8 capacity=80", "capacity=80"),
            ("variational conv 2 capacity=1e6", "capacity=1e6"),
            ("quantized 64x8 commit=0", "commit=0"),
            ("quantized 64 commit=0 update=gradient", "commit=0"),
            ("dense 8 sigmoid sparsity=5% sparsity_weight=0", "sparsity_weight=0"),
        ],
    )
    def test_a_term_without_effect_is_found_at_its_weight(self, bottleneck: str, where: str) -> None:
        fragment = f"encoder {{ conv 8 k4 s2 relu }}\nbottleneck {bottleneck}"
        assert place(fragment, the(fragment, "inactive-code-term")) == where

    @pytest.mark.parametrize(
        "bottleneck",
        [
            "dense 8",
            "dense 8 l1=0 noise=0",
            "variational 8 beta=0.001 free_bits=8",
            "variational 8 free_nats=79",
            "variational 8 capacity=79",
            "variational 10 capacity=25",
            "variational 8 beta=0.001",
            "quantized 64x8 commit=0.01",
            "dense 8 sigmoid sparsity=5%",
        ],
    )
    def test_a_weak_term_is_not(self, bottleneck: str) -> None:
        assert not found(f"encoder {{ conv 8 k4 s2 relu }}\nbottleneck {bottleneck}", "inactive-code-term")
