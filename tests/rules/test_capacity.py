"""The capacity rules: codes too large or too small, pinches, unbalanced parts, violated bounds."""

import re

import pytest

from caedsl.diagnostics import Severity
from tests.published import SPECS
from tests.rules.fragments import checked, fixed, found, place, the

WIDE = "encoder { conv 16 relu x2; maxpool 2; conv 16 relu }\nbottleneck"
DEEP = "data %s\nencoder { conv 16 relu x2; maxpool 2; conv 16 relu; maxpool 2 }\nbottleneck dense %d"


def names(fragment: str) -> set[str]:
    return {finding.name for finding in checked(fragment).findings}


class TestNoBottleneck:
    FULL_SIZE = "encoder { conv 8 relu x2; conv 4 relu }\nbottleneck"

    def test_full_size_throughout(self) -> None:
        assert the(self.FULL_SIZE, "no-bottleneck").severity is Severity.WARNING
        assert "overcomplete" not in names(self.FULL_SIZE)

    @pytest.mark.parametrize(
        "change",
        ["bottleneck noise=0.1", "bottleneck l1=1e-4", "bottleneck\ndata mnist\ntrain { corrupt masking=50% }"],
    )
    def test_noise_and_sparsity_mute_it(self, change: str) -> None:
        assert not found(self.FULL_SIZE.replace("bottleneck", change), "no-bottleneck")

    def test_a_pinch_or_a_reduction_mutes_it(self) -> None:
        assert not found("input 3x28x28\nencoder { conv 8 relu x2; conv 1 relu }\nbottleneck", "no-bottleneck")
        assert not found(WIDE, "no-bottleneck")


class TestOvercomplete:
    @pytest.mark.parametrize(
        ("spec", "words"),
        [
            ("mnist_pitfalls", "784 numbers, exactly as many as the image has: 784"),
            ("mnist_wide", "6,272 numbers, 8 times the 784 of the image"),
            ("flagship", "6,272 numbers, 8 times the 784 of the image"),
        ],
    )
    def test_the_articles_models(self, spec: str, words: str) -> None:
        text = re.sub(r"# cae: allow.*", "", SPECS[spec])
        finding = the(text, "overcomplete")
        assert finding.severity is Severity.WARNING
        assert words in finding.message

    def test_from_half_the_image_on_it_informs(self) -> None:
        half = "encoder { conv 8 relu x2; maxpool 2; conv 8 relu; maxpool 2 }\nbottleneck"
        assert the(half, "overcomplete").severity is Severity.INFO

    def test_a_small_code_is_silent(self) -> None:
        assert not found(WIDE + " conv 1", "overcomplete")

    @pytest.mark.parametrize("change", [" l1=1e-4", " noise=0.1", "\ndata mnist\ntrain { corrupt gaussian=0.2 }"])
    def test_noise_and_sparsity_mute_it(self, change: str) -> None:
        assert not found(WIDE + change, "overcomplete")

    @pytest.mark.parametrize(
        ("bottleneck", "cured"),
        [
            ("bottleneck", "bottleneck conv 1"),
            ("bottleneck 16x14x14", "bottleneck conv 1"),
            ("bottleneck dense 900", "bottleneck dense 32"),
            ("bottleneck conv 8 tanh", "bottleneck conv 1 tanh"),
        ],
    )
    def test_the_code_is_narrowed(self, bottleneck: str, cured: str) -> None:
        assert cured in fixed(WIDE.replace("bottleneck", bottleneck), "overcomplete")


class TestCompressionExtreme:
    def test_hundreds_to_one(self) -> None:
        finding = the(
            "input 3x64x64\nencoder { conv 8 k4 s2 relu; conv 8 relu }\nbottleneck dense 16", "compression-extreme"
        )
        assert finding.severity is Severity.INFO
        assert "768 to 1" in finding.message

    @pytest.mark.parametrize(
        ("size", "code", "severity"),
        [
            ("3x64x64", 8, Severity.WARNING),
            ("3x64x64", 2, Severity.INFO),
            ("1x128x128", 8, Severity.INFO),
        ],
    )
    def test_a_thousand_to_one_blurs_photographs(self, size: str, code: int, severity: Severity) -> None:
        text = f"input {size}\nencoder {{ conv 8 k4 s2 relu; conv 8 relu }}\nbottleneck dense {code}"
        assert the(text, "compression-extreme").severity is severity

    def test_usual_codes_are_silent(self) -> None:
        assert not found("input 3x64x64\nbottleneck dense 64", "compression-extreme")

    def test_known_data_has_a_better_answer(self) -> None:
        assert names(DEEP % ("mnist", 1)) & {"compression-extreme", "code-too-small"} == {"code-too-small"}


class TestCodeTooSmall:
    @pytest.mark.parametrize(
        ("data", "size", "severity"),
        [
            ("mnist", 1, Severity.WARNING),
            ("mnist", 2, Severity.INFO),
            ("mnist", 8, Severity.INFO),
            ("fashion_mnist", 1, Severity.WARNING),
            ("fashion_mnist", 2, Severity.INFO),
        ],
    )
    def test_what_the_best_linear_code_loses(self, data: str, size: int, severity: Severity) -> None:
        assert the(DEEP % (data, size), "code-too-small").severity is severity

    def test_the_numbers(self) -> None:
        message = the(DEEP % ("mnist", 2), "code-too-small").message
        assert message == "the best linear code of 2 numbers keeps 18% of the variance of mnist; 32 would keep 75%"

    def test_between_two_measured_sizes_it_says_less_than(self) -> None:
        assert "less than 45%" in the(DEEP % ("mnist", 7), "code-too-small").message

    @pytest.mark.parametrize(
        ("data", "size"), [("mnist", 16), ("fashion_mnist", 4), ("cifar10 gray", 1), ("mnist only=0", 1)]
    )
    def test_silent_codes(self, data: str, size: int) -> None:
        assert not found(DEEP % (data, size), "code-too-small")

    def test_another_size_of_image_was_not_measured(self) -> None:
        assert not found("input 1x32x32\n" + DEEP % ("mnist", 1), "code-too-small")

    def test_a_larger_code_cures(self) -> None:
        assert "bottleneck dense 32" in fixed(DEEP % ("mnist", 1), "code-too-small")


class TestChannelPinch:
    THIN = "encoder { conv 16 relu; conv %s; conv 16 relu; maxpool 2 }"

    @pytest.mark.parametrize("layer", ["1 relu", "2 relu", "1 softplus"])
    def test_few_rectified_channels(self, layer: str) -> None:
        fragment = self.THIN % layer
        assert place(fragment, the(fragment, "channel-pinch")) == layer[0]
        assert "conv 16 relu; conv 16" in fixed(fragment, "channel-pinch")

    @pytest.mark.parametrize("layer", ["1", "1 leaky_relu", "4 relu", "8 relu"])
    def test_what_cannot_die_or_is_wide_enough(self, layer: str) -> None:
        assert not found(self.THIN % layer, "channel-pinch")

    def test_in_a_decoder(self) -> None:
        decoder = "decoder { conv 16 relu; conv 1 relu; upsample 2; conv 16 relu; conv 1 sigmoid }"
        assert the(decoder, "channel-pinch").severity is Severity.WARNING

    def test_before_the_output(self) -> None:
        decoder = "decoder { conv 16 relu; upsample 2; conv 1 relu; conv 1 sigmoid }"
        assert the(decoder, "channel-pinch").severity is Severity.WARNING
        assert "conv 16 relu; conv 1 sigmoid" in fixed(decoder, "channel-pinch")

    def test_a_repeated_line_is_one_pinch(self) -> None:
        assert len(found(self.THIN % "2 relu x4", "channel-pinch")) == 1

    def test_a_mirrored_layer_is_not_reported_twice(self) -> None:
        assert len(found(self.THIN % "1 relu", "channel-pinch")) == 1

    def test_the_first_and_last_layers_are_no_pinch(self) -> None:
        assert not found("encoder { conv 2 relu; conv 16 relu; maxpool 2 }\nbottleneck dense 8", "channel-pinch")

    def test_a_shortcut_goes_around(self) -> None:
        inner = "encoder { conv 16 relu; residual { conv 1 relu; conv 16 }; maxpool 2 }"
        assert not found(inner, "channel-pinch")

    def test_a_named_output_goes_around(self) -> None:
        around = "encoder { conv 16 relu as a; conv 1 relu; conv 16 relu; add a; maxpool 2 }"
        assert not found(around, "channel-pinch")
        branch = "encoder { conv 16 relu as a; conv 1 relu as b; from a; conv 16 relu; concat b; maxpool 2 }"
        assert not found(f"{branch}\ndecoder {{ upsample 2; conv 1 sigmoid }}", "channel-pinch")
        before = "encoder { conv 16 relu; conv 1 relu; conv 16 relu as a; conv 16; add a; maxpool 2 }"
        assert len(found(before, "channel-pinch")) == 1

    def test_less_than_the_code(self) -> None:
        fragment = "encoder { conv 16 k4 s2 relu; conv 1 k4 s2 leaky_relu }\nbottleneck dense 64"
        finding = the(fragment, "channel-pinch")
        assert "holds 49 numbers, fewer than the 64 of the code" in finding.message
        assert "conv 2 k4 s2" in fixed(fragment, "channel-pinch")

    def test_the_fix_leaves_room_behind_a_pool_and_no_thin_layer(self) -> None:
        for code, channels in ((128, 3), (400, 9)):
            pooled = f"encoder {{ conv 32 relu; maxpool 2; conv 1 relu; maxpool 2 }}\nbottleneck dense {code}"
            assert f"conv {channels} relu; maxpool" in fixed(pooled, "channel-pinch")
        thin = "encoder { conv 16 relu; maxpool 2; conv 1 relu; conv 16 relu }\nbottleneck dense 200"
        assert "conv 16 relu; conv 16 relu" in fixed(thin, "channel-pinch")

    def test_an_overcomplete_code_is_not_a_pinch_of_everything(self) -> None:
        assert "channel-pinch" not in names(SPECS["mnist_wide"])


class TestUnbalancedParts:
    def test_a_decoder_without_capacity(self) -> None:
        fragment = "encoder { conv 32 relu; conv 64 relu; maxpool 4; conv 8 relu }\nbottleneck\ndecoder { upsample 4; conv 1 sigmoid }"
        finding = the(fragment, "unbalanced-parts")
        assert finding.severity is Severity.INFO
        assert finding.message.startswith("the decoder has 73 parameters")

    def test_a_decoder_without_parameters(self) -> None:
        assert the("encoder { conv 8 relu; conv 1 s2 }\nbottleneck\ndecoder { upsample 2 }", "unbalanced-parts")

    def test_a_mirror_is_balanced(self) -> None:
        assert not found(WIDE, "unbalanced-parts")


class TestRequireViolated:
    @pytest.mark.parametrize(
        ("bound", "words"),
        [
            ("parameters < 1k", "parameters, but the spec requires `parameters < 1k`"),
            ("compression 60..64", "the compression is 49"),
            ("receptive_field <= 10", "the receptive field of the code is 28"),
            ("macs < 10", "multiply-accumulates"),
            ("memory < 1M", "MB"),
        ],
    )
    def test_the_value_and_the_bound(self, bound: str, words: str) -> None:
        fragment = f"require {{ {bound} }}"
        finding = the(fragment, "require-violated")
        assert finding.severity is Severity.ERROR
        assert words in finding.message
        assert place(fragment, finding) == bound

    @pytest.mark.parametrize(
        "bound", ["compression 49..49", "compression > 48.9", "receptive_field >= 28", "memory < 1G"]
    )
    def test_bounds_that_hold(self, bound: str) -> None:
        assert not found(f"require {{ {bound} }}", "require-violated")

    def test_a_bound_replaces_a_heuristic(self) -> None:
        assert not found(WIDE + "\nrequire { compression >= 0.25 }", "overcomplete")
        violated = names(WIDE + "\nrequire { compression >= 2 }")
        assert violated & {"overcomplete", "require-violated"} == {"require-violated"}

    @pytest.mark.parametrize("bound", ["compression < 49", "compression > 49"])
    def test_an_open_end_leaves_the_bound_out(self, bound: str) -> None:
        assert found(f"require {{ {bound} }}", "require-violated")


@pytest.mark.parametrize("decoder", ["mirror", "{ upsample 2; conv 1 sigmoid }"])
def test_a_map_that_is_read_inside_the_bottleneck_goes_around_the_code(decoder: str) -> None:
    code = "bottleneck { conv 4 as wide; conv 2; conv 4; add wide }"
    fragment = f"encoder {{ conv 8 relu; maxpool 2 }}\n{code}\ndecoder {decoder}"
    assert place(fragment, the(fragment, "skip-bypasses-code")) == "add wide"
