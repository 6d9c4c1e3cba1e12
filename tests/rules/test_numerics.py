"""The numerics rules: signals that fade or grow with depth, and numbers beyond a format."""

import pytest

from caedsl.diagnostics import Severity
from tests.rules.fragments import fixed, found, the


class TestFadingSignal:
    DEEP = "encoder { conv 16 relu init=torch x14; maxpool 2 }"

    def test_the_default_of_torch_in_depth(self) -> None:
        finding = the(self.DEEP, "fading-signal")
        assert finding.severity is Severity.ERROR
        assert "28 layers" in finding.message

    def test_less_depth_is_a_warning(self) -> None:
        assert the("encoder { conv 16 relu init=torch x6; maxpool 2 }", "fading-signal").severity is Severity.WARNING

    def test_channels_that_stand_last_are_the_one_fault(self) -> None:
        assert not found(f"input 28x28x1\n{self.DEEP}\ndecoder mirror", "fading-signal")

    def test_without_biases_nothing_drowns_it(self) -> None:
        assert the(self.DEEP.replace("x14", "bias=off x14"), "fading-signal").severity is Severity.WARNING

    def test_the_default_initialisation_keeps_it(self) -> None:
        assert "conv 16 relu init=auto x14" in fixed(self.DEEP, "fading-signal")

    def test_from_the_defaults_every_line_is_overruled(self) -> None:
        fragment = "defaults conv relu init=torch\nencoder { conv 16 x14; maxpool 2 }"
        assert "conv 16 x14 init=auto" in fixed(fragment, "fading-signal")

    @pytest.mark.parametrize(
        "fragment",
        [
            "encoder { conv 16 relu x14; maxpool 2 }",
            "encoder { conv 16 relu init=glorot x10; maxpool 2 }",
            "encoder { conv 16 relu init=torch x4; maxpool 2 }",
            "encoder { conv 16 relu norm=batch init=torch x14; maxpool 2 }",
            "encoder { conv 16 relu; repeat 10 { residual { conv 16 relu init=torch x2 } }; maxpool 2 }",
            "encoder { conv 16 gelu x8; maxpool 2 }",
            "encoder { conv 16 tanh x10; maxpool 2 }",
        ],
    )
    def test_silent(self, fragment: str) -> None:
        assert not found(fragment, "fading-signal")


class TestExplodingSignal:
    RESIDUALS = "encoder { conv 16 relu; repeat 30 { residual { conv 16 relu; conv 16 init=he %s } }; maxpool 2 }"

    def test_residuals_that_double_it(self) -> None:
        assert the(self.RESIDUALS % "", "exploding-signal").severity is Severity.WARNING

    @pytest.mark.parametrize(
        "fragment",
        [
            RESIDUALS % "norm=batch",
            (RESIDUALS % "").replace("repeat 30", "repeat 6"),
            (RESIDUALS % "").replace("residual {", "residual tanh {"),
            "encoder { conv 16 relu x40; maxpool 2 }",
        ],
    )
    def test_silent(self, fragment: str) -> None:
        assert not found(fragment, "exploding-signal")


class TestFp16Overflow:
    HALF = 'input 1x28x28 in %s\ndata npy "x.npy"\ntrain { loss mse reduction=sum; precision %s }'

    def test_sixteen_bit_images(self) -> None:
        fragment = self.HALF % ("0..65535", "fp16")
        assert the(fragment, "fp16-overflow").severity is Severity.ERROR
        assert "precision bf16" in fixed(fragment, "fp16-overflow")

    @pytest.mark.parametrize(("limits", "precision"), [("0..255", "fp16"), ("0..65535", "bf16"), ("real", "fp16")])
    def test_silent(self, limits: str, precision: str) -> None:
        assert not found(self.HALF % (limits, precision), "fp16-overflow")
