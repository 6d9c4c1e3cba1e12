"""The activation rules: what the output can reach, what saturates or dies, and informational findings."""

import pytest

from caedsl.diagnostics import Applicability, Severity
from tests.rules.fragments import checked, fixed, found, place, the

DECODER = "decoder { conv 8 relu; upsample 2; conv 1 %s }"


def with_range(limits: str, output: str, data: str = "") -> str:
    return f"input 1x28x28 in {limits}\n{data}\n{DECODER % output}"


class TestOutputRange:
    @pytest.mark.parametrize(
        ("limits", "output"), [("-1..1", "sigmoid"), ("-1..1", "relu"), ("0..255", "sigmoid"), ("-2..2", "tanh")]
    )
    def test_an_output_that_cannot_reach_the_range(self, limits: str, output: str) -> None:
        finding = the(with_range(limits, output), "output-range")
        assert finding.severity is Severity.ERROR
        assert place(with_range(limits, output), finding) == output

    def test_the_arithmetic_of_a_measured_set(self) -> None:
        finding = the(with_range("-1..1", "sigmoid", "data mnist"), "output-range")
        assert "3.1 times" in finding.message
        assert "the pixels of mnist" in finding.notes[0]

    def test_standardised_values_are_an_assumption(self) -> None:
        fragment = with_range("real", "sigmoid", 'data npy "x.npy"')
        assert the(fragment, "output-range").severity is Severity.WARNING
        assert "conv 1 linear" in fixed(fragment, "output-range")

    def test_the_mirror_is_given_the_output_of_its_range(self) -> None:
        fragment = "input 1x28x28 in -1..1\ndecoder mirror output=sigmoid"
        assert place(fragment, the(fragment, "output-range")) == "output=sigmoid"
        assert "decoder mirror output=tanh" in fixed(fragment, "output-range", Applicability.SAFE)

    def test_the_last_layer_is_changed(self) -> None:
        assert "conv 1 tanh" in fixed(with_range("-1..1", "sigmoid"), "output-range", Applicability.SAFE)
        assert "conv 1 linear" in fixed(with_range("0..255", "sigmoid"), "output-range", Applicability.SAFE)

    def test_the_other_output_has_a_rate_that_suits(self) -> None:
        settings = "train { loss mse; optimizer sgd lr=1 momentum=0.9; batch 64; epochs 10 }"
        text = fixed(f"{with_range('-1..1', 'sigmoid', 'data mnist')}\n{settings}", "output-range")
        assert "conv 1 tanh" in text
        assert "optimizer adam lr=1e-3" in text

    def test_an_activation_from_the_defaults_is_overruled(self) -> None:
        fragment = "input 1x28x28 in -1..1\ndefaults conv relu\ndecoder { conv 8; upsample 2; conv 1 }"
        assert "conv 1 tanh" in fixed(fragment, "output-range", Applicability.SAFE)

    def test_what_only_passes_values_on_is_looked_through(self) -> None:
        fragment = "input 1x28x28 in -1..1\ndecoder { stage end { conv 4 sigmoid }; pixelshuffle 2 }"
        assert place(fragment, the(fragment, "output-range")) == "sigmoid"

    @pytest.mark.parametrize(
        ("end", "bounds", "instead"),
        [
            ("conv 1 relu; sigmoid", "sigmoid after relu returns 0.5..1", "conv 1; sigmoid"),
            ("conv 1; relu; sigmoid", "sigmoid after relu returns 0.5..1", "conv 1; sigmoid"),
            ("conv 1 sigmoid; sigmoid", "sigmoid after sigmoid returns 0.5..0.731059", "conv 1; sigmoid"),
            ("conv 1 tanh; reshape 1x28x28 sigmoid", "returns 0.268941..0.731059", "conv 1; reshape 1x28x28 sigmoid"),
        ],
    )
    def test_an_activation_before_the_last_narrows_its_range(self, end: str, bounds: str, instead: str) -> None:
        for rest in ("data mnist", "data mnist\ntrain { loss bce }"):
            fragment = f"input 1x28x28\n{rest}\ndecoder {{ conv 8 relu; upsample 2; {end} }}"
            finding = the(fragment, "output-range")
            assert bounds in finding.message
            assert "before it" in finding.help
            assert f"upsample 2; {instead} }}" in fixed(fragment, "output-range", Applicability.SAFE)

    def test_a_default_that_narrows_the_range_is_overruled(self) -> None:
        fragment = "defaults conv relu\ndecoder { conv 8; upsample 2; conv 1; sigmoid }"
        assert "conv 1 linear; sigmoid" in fixed(fragment, "output-range", Applicability.SAFE)

    @pytest.mark.parametrize(
        "end", ["conv 1 tanh; norm batch; sigmoid", "conv 1 sigmoid; clip 0..1", "conv 1 sigmoid; relu"]
    )
    def test_an_activation_that_leaves_the_whole_range_is_not(self, end: str) -> None:
        fragment = f"data mnist\ndecoder {{ conv 8 relu; upsample 2; {end} }}"
        assert not found(fragment, "output-range")
        assert not found(fragment, "final-relu")

    @pytest.mark.parametrize(
        "fragment",
        [
            with_range("0..1", "sigmoid"),
            with_range("0..1", "relu"),
            with_range("-1..1", "tanh"),
            with_range("-1..1", "leaky_relu"),
            with_range("-1..1", "elu"),
            with_range("0..1.02", "sigmoid"),
            with_range("real", "sigmoid", "data mnist"),
            with_range("real", "", ""),
            "input 1x28x28 in -1..1\ndecoder { residual { conv 8 sigmoid }; upsample 2; residual { conv 8 sigmoid } }",
        ],
    )
    def test_silent(self, fragment: str) -> None:
        assert not found(fragment, "output-range")

    def test_a_cross_entropy_is_the_nearer_cause(self) -> None:
        names = {f.name for f in checked(with_range("-1..1", "sigmoid", "data mnist\ntrain { loss bce }")).findings}
        assert names & {"bce-range", "output-range"} == {"bce-range"}


class TestHalfUsedRange:
    def test_tanh_for_images_from_zero(self) -> None:
        finding = the(with_range("0..1", "tanh"), "half-used-range")
        assert finding.severity is Severity.INFO
        assert finding.fix is None

    @pytest.mark.parametrize(
        ("limits", "output"), [("-1..1", "tanh"), ("0..1", "sigmoid"), ("-0.5..1", "tanh"), ("0..1", "relu")]
    )
    def test_silent(self, limits: str, output: str) -> None:
        assert not found(with_range(limits, output), "half-used-range")

    def test_a_cross_entropy_forbids_it_outright(self) -> None:
        assert not found(with_range("0..1", "tanh", "data mnist\ntrain { loss bce }"), "half-used-range")


class TestFinalRelu:
    def test_a_relu_at_the_output(self) -> None:
        assert the(with_range("0..1", "relu"), "final-relu").severity is Severity.WARNING

    def test_the_fix_fits_the_range(self) -> None:
        assert "conv 1 sigmoid" in fixed(with_range("0..1", "relu"), "final-relu")
        assert "conv 1 linear" in fixed(with_range("0..3", "relu"), "final-relu")

    @pytest.mark.parametrize("output", ["sigmoid", "linear", "leaky_relu", "softplus"])
    def test_silent(self, output: str) -> None:
        assert not found(with_range("0..1", output), "final-relu")

    def test_a_missing_output_layer_is_one_finding(self) -> None:
        text = with_range("0..1", "relu").replace("conv 1 relu", "conv 8 relu")
        assert "conv 8 relu" in text
        assert found(text, "channel-mismatch")
        assert not found(text, "final-relu")

    def test_data_below_zero_is_one_finding(self) -> None:
        names = {f.name for f in checked(with_range("-1..1", "relu")).findings}
        assert names & {"final-relu", "output-range"} == {"output-range"}

    def test_a_cross_entropy_is_one_finding(self) -> None:
        names = {f.name for f in checked(with_range("0..1", "relu", "data mnist\ntrain { loss bce }")).findings}
        assert names & {"final-relu", "bce-range"} == {"bce-range"}


class TestSaturatingHidden:
    SIGMOIDS = "encoder { conv 16 k4 s2 sigmoid; conv 32 k4 s2 sigmoid }"

    def test_the_mirror_doubles_them(self) -> None:
        finding = the(self.SIGMOIDS, "saturating-hidden")
        assert finding.severity is Severity.WARNING
        assert finding.message.startswith("4 hidden sigmoid layers")
        assert "1/256" in finding.message

    def test_they_become_rectifiers(self) -> None:
        assert "conv 16 k4 s2 relu; conv 32 k4 s2 relu" in fixed(self.SIGMOIDS, "saturating-hidden")

    def test_from_the_defaults_every_line_is_overruled(self) -> None:
        text = fixed("defaults conv sigmoid\nencoder { conv 16 k4 s2; conv 32 k4 s2 }", "saturating-hidden")
        assert "conv 16 k4 s2 relu; conv 32 k4 s2 relu" in text

    def test_a_code_of_numbers_becomes_linear(self) -> None:
        fragment = "encoder { conv 16 k4 s2 sigmoid }\nbottleneck dense 4 sigmoid"
        assert "bottleneck dense 4 linear" in fixed(fragment, "saturating-hidden")
        assert not found(fragment, "saturating-code")

    def test_a_fading_signal_has_the_same_cause(self) -> None:
        assert not found("encoder { conv 16 sigmoid x12; maxpool 2 }", "fading-signal")

    def test_many_tanh_layers_are_only_informed_of(self) -> None:
        finding = the("encoder { conv 16 tanh x4; maxpool 2 }", "saturating-hidden")
        assert finding.severity is Severity.INFO
        assert finding.message.startswith("8 hidden tanh layers")

    @pytest.mark.parametrize(
        "fragment",
        [
            "encoder { conv 16 k4 s2 sigmoid norm=batch; conv 32 k4 s2 sigmoid norm=batch }",
            "encoder { conv 16 k4 s2 sigmoid; conv 32 k4 s2 relu }\ndecoder { upsample 4; conv 8 relu; conv 1 sigmoid }",
            "encoder { conv 16 tanh x3; maxpool 2 }",
            "encoder { conv 16 relu x2; maxpool 2 }",
        ],
    )
    def test_silent(self, fragment: str) -> None:
        assert not found(fragment, "saturating-hidden")

    def test_two_thousand_of_them_are_counted(self) -> None:
        assert "1/4^2000" in the("encoder { conv 4 sigmoid x1000; maxpool 2 }", "saturating-hidden").message


class TestReluCode:
    def test_a_small_code(self) -> None:
        assert the("bottleneck dense 4 relu", "relu-code").severity is Severity.WARNING
        assert the("bottleneck dense 16 relu", "relu-code").severity is Severity.WARNING
        assert "bottleneck dense 4 linear" in fixed("bottleneck dense 4 relu", "relu-code")

    def test_a_larger_vector_is_informed_of(self) -> None:
        assert the("bottleneck dense 32 relu", "relu-code").severity is Severity.INFO

    def test_a_bare_bottleneck_has_the_encoders_last_activation(self) -> None:
        fragment = "encoder { conv 8 relu; maxpool 2; dense 8 relu }\nbottleneck"
        assert place(fragment, the(fragment, "relu-code")) == "relu"
        assert fixed(fragment, "relu-code").count("linear") == 1

    @pytest.mark.parametrize(
        "fragment",
        [
            "bottleneck dense 4",
            "bottleneck dense 4 leaky_relu",
            "bottleneck dense 4 relu l1=1e-4",
            "encoder { conv 8 relu; maxpool 2; conv 8 relu; maxpool 2 }\nbottleneck",
        ],
    )
    def test_silent(self, fragment: str) -> None:
        assert not found(fragment, "relu-code")


class TestSaturatingCode:
    @pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
    def test_a_bounded_code(self, activation: str) -> None:
        assert the(f"bottleneck dense 16 {activation}", "saturating-code").severity is Severity.INFO

    @pytest.mark.parametrize("activation", ["", "relu", "leaky_relu"])
    def test_silent(self, activation: str) -> None:
        assert not found(f"bottleneck dense 16 {activation}", "saturating-code")


class TestNormalisedOutput:
    @pytest.mark.parametrize("norm", ["batch", "instance", "layer"])
    def test_a_normalisation_before_the_output(self, norm: str) -> None:
        fragment = DECODER % f"norm={norm} sigmoid"
        assert the(fragment, "normalised-output").severity is Severity.WARNING
        assert "conv 1 sigmoid }" in fixed(fragment, "normalised-output")

    def test_its_options_go_with_it(self) -> None:
        fragment = DECODER % "norm=batch affine=off eps=1e-4 sigmoid"
        assert "conv 1 sigmoid }" in fixed(fragment, "normalised-output")

    def test_the_defaults_are_overruled(self) -> None:
        fragment = "defaults conv norm=batch relu\ndecoder { conv 8; upsample 2; conv 1 sigmoid }"
        assert "conv 1 sigmoid norm=none" in fixed(fragment, "normalised-output")

    def test_defaults_do_not_bring_it_back(self) -> None:
        fragment = f"defaults conv norm=batch eps=1e-4\n{DECODER % 'sigmoid norm=batch'}"
        assert "conv 1 sigmoid norm=none" in fixed(fragment, "normalised-output")

    def test_the_statistics_of_a_measured_set(self) -> None:
        (note,) = the(f"data mnist\n{DECODER % 'norm=batch sigmoid'}", "normalised-output").notes
        assert "mean 0.13, deviation 0.31" in note

    @pytest.mark.parametrize(
        "fragment", ["defaults conv norm=batch relu", "decoder { conv 8 relu norm=batch; upsample 2; conv 1 sigmoid }"]
    )
    def test_hidden_normalisations_are_silent(self, fragment: str) -> None:
        assert not found(fragment, "normalised-output")


class TestNoNonlinearity:
    LINEAR = "encoder { conv 16 k4 s2; conv 32 k4 s2 }"

    def test_a_linear_model(self) -> None:
        assert the(self.LINEAR, "no-nonlinearity").severity is Severity.INFO

    def test_what_pca_would_leave(self) -> None:
        (note,) = the(f"data mnist\n{self.LINEAR}\nbottleneck dense 32", "no-nonlinearity").notes
        assert "24.9%" in note

    @pytest.mark.parametrize(
        "fragment",
        [
            "encoder { conv 16 k4 s2 relu; conv 32 k4 s2 }",
            "encoder { conv 16; maxpool 2 }",
            "encoder { conv 16 k4 s2 norm=layer; conv 32 k4 s2 }",
        ],
    )
    def test_silent(self, fragment: str) -> None:
        assert not found(fragment, "no-nonlinearity")
