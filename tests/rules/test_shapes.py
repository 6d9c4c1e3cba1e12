"""The shape rules: what fires, what stays silent, and fixes that make the sizes meet."""

import pytest

from caedsl.diagnostics import Applicability, Severity
from caedsl.rules.engine.checking import check_source
from caedsl.rules.engine.example import whole_spec
from caedsl.source import Source
from caedsl.vocabulary.bottlenecks import FORMS
from caedsl.vocabulary.kind import Kind
from caedsl.vocabulary.layers import KINDS
from tests.rules.fragments import checked, fixed, found, place, the

THREE_POOLS = "encoder { conv 16 relu; maxpool 2; conv 8 relu; maxpool 2; conv 8 relu; maxpool 2 }\nbottleneck\n"
ROUNDED_UP = THREE_POOLS.replace("maxpool 2 }", "maxpool 2 ceil }")
THREE_UPS = "decoder { conv 8 relu; upsample 2; conv 8 relu; upsample 2; conv 16 relu; upsample 2; conv 1 sigmoid }"
LONE_VALID = THREE_UPS.replace("conv 16 relu", "conv 16 relu pad=valid")
TWO_STRIDES = "encoder { conv 16 k4 s2 relu; conv 8 k4 s2 relu }\nbottleneck dense 16\n"


def names(fragment: str) -> set[str]:
    return {finding.name for finding in checked(fragment).findings}


class TestOutputShape:
    def test_the_headline_and_the_columns(self) -> None:
        finding = the(THREE_POOLS + THREE_UPS, "output-shape")
        assert finding.severity is Severity.ERROR
        assert finding.message == "the decoder returns 24x24, but the input is 28x28"
        assert finding.notes == (
            "height and width: encoder 28 → 14 → 7 → 3 (floor(7/2)); decoder 3 → 6 → 12 → 24, but the input side was 28",
        )

    def test_neighbours_on_a_line_are_left_out_together(self) -> None:
        broken = "input 4x7x5\nencoder { prelu }\nbottleneck quantized 64x4\ndecoder { conv 4; upsample 2; upsample 2 }"
        assert "decoder { conv 4 }" in fixed(broken, "output-shape")

    def test_sides_that_differ_have_a_column_each(self) -> None:
        finding = the("input 1x50x60\n" + ROUNDED_UP + THREE_UPS, "output-shape")
        assert [note.partition(":")[0] for note in finding.notes] == ["height", "width"]

    def test_a_side_that_fits_is_not_mentioned(self) -> None:
        (note,) = the("input 1x50x64\n" + ROUNDED_UP + THREE_UPS, "output-shape").notes
        assert note.startswith("height:")

    @pytest.mark.parametrize(
        ("broken", "change"),
        [
            (THREE_POOLS + THREE_UPS, "upsample to 7x7"),
            (ROUNDED_UP + THREE_UPS, "upsample to 7x7"),
            (THREE_POOLS + LONE_VALID, "maxpool 2 ceil"),
            (
                TWO_STRIDES + "decoder { deconv 8 k4 s2 relu; conv 8 pad=valid relu; deconv 1 k4 s2 sigmoid }",
                "pad=same",
            ),
            (TWO_STRIDES + "decoder { deconv 8 k4 s2 pad=1 relu; deconv 1 k4 s2 pad=0 sigmoid }", "pad=1 sigmoid"),
            (
                TWO_STRIDES + "decoder { deconv 8 k3 s2 pad=1 relu; conv 8 relu; deconv 1 k4 s2 sigmoid }",
                "deconv 8 k4 s2",
            ),
            (
                TWO_STRIDES + "decoder { conv 8 relu; upsample 3; conv 8 relu; upsample 2; conv 1 sigmoid }",
                "upsample 2; conv 8",
            ),
            (TWO_STRIDES + "decoder { deconv 8 k4 s2 relu; deconv 1 k4 s1 sigmoid }", "deconv 1 k4 s2"),
            (TWO_STRIDES + "decoder { conv 8 relu; upsample 2; conv 1 sigmoid }", "upsample"),
            (
                TWO_STRIDES
                + "decoder { conv 8 relu; upsample 2; conv 8 relu; upsample 2; upsample 2; conv 1 sigmoid }",
                "upsample 2; conv 1",
            ),
        ],
    )
    def test_a_change_to_one_line_is_found(self, broken: str, change: str) -> None:
        assert change in fixed(broken, "output-shape")

    def test_odd_strides_return_by_their_padding(self) -> None:
        text = fixed(
            "input 3x50x64\nencoder { conv 16 k4 s2 relu x3 }\n"
            "decoder { deconv 16 k4 s2 relu; deconv 16 k4 s2 relu; deconv 3 k4 s2 sigmoid }",
            "output-shape",
        )
        assert text.count("pad=") >= 2

    def test_sizes_that_are_named_follow_the_input(self) -> None:
        named = "decoder { conv 8 relu; upsample to 14x14; conv 8 relu; upsample to 28x28; conv 1 sigmoid }"
        text = fixed(f"input 1x30x26\n{TWO_STRIDES}{named}", "output-shape")
        assert "upsample to 15x13" in text
        assert "upsample to 30x26" in text

    def test_two_faults_are_cured_together(self) -> None:
        broken = "input 1x27x27\n" + TWO_STRIDES + "decoder { upsample 2; conv 8 relu; upsample 3; conv 1 sigmoid }"
        text = fixed(broken, "output-shape")
        assert "upsample to 27x27" in text or "upsample to 14x14" in text

    def test_the_text_around_is_kept(self) -> None:
        broken = whole_spec(
            THREE_POOLS + THREE_UPS.replace("; upsample 2; conv 16", "\n  # back up\n  upsample 2 # to 14\n  conv 16")
        )
        text = fixed(broken, "output-shape")
        assert "# back up" in text
        assert "upsample 2 # to 14" in text

    def test_an_asserted_code_keeps_the_encoder_as_it_is(self) -> None:
        text = fixed(THREE_POOLS.replace("bottleneck", "bottleneck 8x3x3") + THREE_UPS, "output-shape")
        assert "bottleneck 8x3x3" in text
        assert "ceil" not in text

    def test_a_code_that_is_not_the_asserted_one_is_the_cause(self) -> None:
        disputed = THREE_POOLS.replace("bottleneck", "bottleneck 8x4x4") + THREE_UPS
        assert names(disputed) & {"output-shape", "code-shape-mismatch"} == {"code-shape-mismatch"}

    def test_where_no_change_helps_the_help_says_so(self) -> None:
        finding = the(
            "encoder { conv 8 relu s4 k4 }\ndecoder { conv 8 pad=valid k5 relu; conv 1 k2 pad=valid sigmoid }",
            "output-shape",
        )
        assert finding.fix is None
        assert "decoder mirror" in finding.help

    def test_a_vector_needs_a_reshape(self) -> None:
        text = fixed("decoder { dense 784 sigmoid }", "output-shape", Applicability.SAFE)
        assert "dense 784 sigmoid; reshape 1x28x28" in text

    def test_a_vector_of_another_length_has_no_fix(self) -> None:
        finding = the("decoder { dense 100 sigmoid }", "output-shape")
        assert finding.fix is None
        assert "dense 784" in finding.help

    @pytest.mark.parametrize("size", ["1x28x28", "1x27x45", "1x50x64", "1x33x17"])
    def test_a_mirror_always_returns(self, size: str) -> None:
        assert not found(f"input {size}\n{THREE_POOLS}", "output-shape")

    def test_the_published_lone_valid_convolution_is_left_alone(self) -> None:
        assert not found(ROUNDED_UP + LONE_VALID, "output-shape")


class TestChannelMismatch:
    COLOUR = "input 3x32x32\ndecoder { conv 8 relu; upsample 2; %s }"

    def test_an_output_layer_gets_the_right_number(self) -> None:
        assert "conv 3 sigmoid" in fixed(self.COLOUR % "conv 1 sigmoid", "channel-mismatch")

    def test_a_hidden_layer_gets_an_output_layer(self) -> None:
        assert "conv 16 relu; conv 3 sigmoid" in fixed(self.COLOUR % "conv 16 relu", "channel-mismatch")

    def test_the_output_layer_fits_the_range(self) -> None:
        assert "conv 3 tanh" in fixed(
            (self.COLOUR % "conv 16 relu").replace("32x32", "32x32 in -1..1"), "channel-mismatch"
        )

    def test_the_number_is_pointed_at(self) -> None:
        fragment = self.COLOUR % "conv 7 sigmoid"
        finding = the(fragment, "channel-mismatch")
        assert place(fragment, finding) == "7"
        assert finding.message == "the decoder returns 7 channels, but the image has 3"

    def test_matching_channels_are_silent(self) -> None:
        assert not found(self.COLOUR % "conv 3 sigmoid", "channel-mismatch")


class TestCutByPooling:
    ODD = "input 1x14x14\nencoder { conv 8 relu; maxpool 2; conv 8 relu; maxpool 2%s }\nbottleneck conv 2\n"
    BACK = "decoder { conv 8 relu; upsample to 7x7; conv 8 relu; upsample 2; conv 1 sigmoid }"
    PAST = "decoder { conv 8 relu; upsample 3; conv 8 relu; upsample to 14x14; conv 1 sigmoid }"

    def test_it_informs_where_the_decoder_comes_back(self) -> None:
        finding = the(self.ODD % "" + self.BACK, "cut-by-pooling")
        assert finding.severity is Severity.INFO
        assert finding.primary.text == "13 of 49 pixels unread"

    def test_it_warns_where_the_decoder_does_not_come_back(self) -> None:
        assert the(self.ODD % "" + self.PAST, "cut-by-pooling").severity is Severity.WARNING

    def test_it_only_informs_in_a_mirror(self) -> None:
        assert the(self.ODD % "" + "decoder mirror", "cut-by-pooling").severity is Severity.INFO

    def test_rounding_up_cures(self) -> None:
        assert "maxpool 2 ceil" in fixed(self.ODD % "" + self.BACK, "cut-by-pooling")

    def test_it_is_silent_where_the_size_divides_or_is_rounded_up(self) -> None:
        assert not found(self.ODD % " ceil" + self.BACK, "cut-by-pooling")
        assert not found("encoder { conv 8 relu; maxpool 2; maxpool 2 }", "cut-by-pooling")

    def test_it_does_not_double_with_output_shape(self) -> None:
        assert names(THREE_POOLS + THREE_UPS) & {"output-shape", "cut-by-pooling", "unmatched-resolution"} == {
            "output-shape"
        }


class TestUnmatchedResolution:
    DOWN = "encoder { conv 8 relu; maxpool 2; conv 8 relu; maxpool 2 }\n"

    def test_it_lists_what_the_decoder_skips(self) -> None:
        finding = the(self.DOWN + "decoder { conv 8 relu; upsample 4; conv 1 sigmoid }", "unmatched-resolution")
        assert finding.severity is Severity.INFO
        assert "14x14" in finding.message

    def test_a_matching_decoder_is_silent(self) -> None:
        up = "decoder { upsample 2; conv 8 relu; upsample 2; conv 1 sigmoid }"
        assert not found(self.DOWN + up, "unmatched-resolution")

    def test_the_lone_valid_convolution_is_no_more_than_an_info(self) -> None:
        assert the(ROUNDED_UP + LONE_VALID, "unmatched-resolution").severity is Severity.INFO


class TestUnreadBorder:
    BACK = "\ndecoder { conv 8 relu; upsample to 28x28; conv 1 sigmoid }"

    @pytest.mark.parametrize(
        ("layer", "severity", "words"),
        [
            ("conv 8 k1 s2 relu", Severity.WARNING, "reads 1 of every 2 rows"),
            ("conv 8 k3 s2 d2 relu", Severity.WARNING, "reads 1 of every 2 rows"),
            ("conv 8 k2 s5 relu", Severity.WARNING, "reads 2 of every 5 rows"),
            ("conv 8 k3 s4 relu pad=valid", Severity.WARNING, "reads 3 of every 4"),
            ("conv 8 k5 s5 relu pad=valid", Severity.WARNING, "never reads the last 3 rows of its input"),
            ("conv 8 k3 s2 relu pad=valid", Severity.INFO, "never reads the last row of its input"),
        ],
    )
    def test_it_counts_what_is_not_read(self, layer: str, severity: Severity, words: str) -> None:
        finding = the(f"encoder {{ {layer} }}{self.BACK}", "unread-border")
        assert words in finding.message
        assert finding.severity is severity

    @pytest.mark.parametrize("back", [BACK, "\ndecoder mirror"])
    def test_a_pool_that_skips_rows_is_one_finding(self, back: str) -> None:
        encoder = "encoder { conv 8 relu; maxpool 1 s2 }"
        assert "reads 1 of every 2 rows" in the(encoder + back, "unread-border").message
        assert not found(encoder + back, "cut-by-pooling")

    @pytest.mark.parametrize(
        "layer", ["conv 8 s2 relu", "conv 8 k4 s2 pad=1 relu", "conv 8 k2 s2 relu", "conv 8 k1 relu"]
    )
    def test_it_is_silent_where_everything_is_read(self, layer: str) -> None:
        assert not found(f"encoder {{ {layer} }}{self.BACK}", "unread-border")

    def test_the_shortcut_of_a_residual_is_the_compilers(self) -> None:
        assert not found("encoder { conv 8 relu; residual { conv 16 s2 relu; conv 16 } }" + self.BACK, "unread-border")

    def test_a_larger_kernel_cures(self) -> None:
        assert "conv 8 k3 s2 relu" in fixed(f"encoder {{ conv 8 k1 s2 relu }}{self.BACK}", "unread-border")

    def test_lines_of_different_sizes_are_one_finding(self) -> None:
        encoder = "encoder { conv 8 k3 s2 relu pad=valid; upsample 2; conv 8 k3 s2 relu pad=valid }"
        assert "(in 2 places)" in the(encoder + self.BACK, "unread-border").message
        assert fixed(encoder + self.BACK, "unread-border").count("k4") == 2

    def test_a_single_row_at_the_edge_is_cured_without_another_size(self) -> None:
        assert "k4" in fixed(f"encoder {{ conv 8 k3 s2 relu pad=valid }}{self.BACK}", "unread-border")


class TestCollapsedMap:
    def test_it_counts_the_idle_weights(self) -> None:
        finding = the("input 1x8x8\nencoder { conv 8 s2 relu x3; conv 8 relu }", "collapsed-map")
        assert "8 of the 9 weights" in finding.message
        assert finding.related

    def test_one_side_may_collapse_alone(self) -> None:
        finding = the("input 1x8x4\nencoder { conv 8 k4 s2 relu x2; conv 8 relu }", "collapsed-map")
        assert "6 of the 9 weights" in finding.message

    def test_the_last_reduction_to_one_pixel_is_no_fault(self) -> None:
        assert not found("input 1x8x8\nencoder { conv 8 k4 s2 relu x3; conv 8 k1 relu }", "collapsed-map")

    def test_many_layers_give_one_finding(self) -> None:
        assert (
            "and 3 more"
            in the("input 1x8x8\nencoder { conv 8 k4 s2 relu x3; conv 8 relu x4 }", "collapsed-map").message
        )

    @pytest.mark.parametrize(
        ("size", "lower"),
        [("1x288x1", "1x288"), ("1x1x288", "1x288"), ("1x16x16x1", "1x16x16"), ("2x288x1x1", "2x288")],
    )
    def test_an_input_with_an_axis_of_one_is_better_written_without_it(self, size: str, lower: str) -> None:
        assert f"`input {lower}`" in the(f"input {size}\nencoder {{ conv 8 relu }}", "collapsed-map").help
        assert f"`input {lower}`" in the(f"input {size}\nencoder {{ maxpool 2 }}", "kernel-too-large").help


class TestCheckerboardKernel:
    DOWN = "encoder { conv 8 k4 s2 relu }\n"

    def test_it_warns_at_the_output(self) -> None:
        assert the(self.DOWN + "decoder { deconv 1 k3 s2 sigmoid }", "checkerboard-kernel").severity is Severity.WARNING

    def test_it_informs_where_a_convolution_smooths(self) -> None:
        smoothed = self.DOWN + "decoder { deconv 8 k3 s2 relu; conv 1 sigmoid }"
        assert the(smoothed, "checkerboard-kernel").severity is Severity.INFO

    def test_a_pointwise_convolution_smooths_nothing(self) -> None:
        pointwise = self.DOWN + "decoder { deconv 8 k3 s2 relu; conv 1 k1 sigmoid }"
        assert the(pointwise, "checkerboard-kernel").severity is Severity.WARNING

    @pytest.mark.parametrize(
        "layer", ["deconv 1 k4 s2 sigmoid", "deconv 1 k2 s2 sigmoid", "deconv 1 k3 sigmoid; upsample 2"]
    )
    def test_divisible_kernels_are_silent(self, layer: str) -> None:
        assert not found(self.DOWN + f"decoder {{ {layer} }}", "checkerboard-kernel")

    @pytest.mark.parametrize(
        ("layer", "cured"),
        [
            ("deconv 1 k3 s2 sigmoid", "k4 s2"),
            ("deconv 1 s2 sigmoid", "k4"),
            ("deconv 1 k3 s2 pad=1 output_pad=1 sigmoid", "k4 s2 pad=1 sigmoid"),
            ("deconv 1 k5 s2 pad=2 output_pad=1 sigmoid", "k6 s2 pad=2 sigmoid"),
        ],
    )
    def test_the_next_multiple_keeps_the_size(self, layer: str, cured: str) -> None:
        assert cured in fixed(self.DOWN + f"decoder {{ {layer} }}", "checkerboard-kernel")

    def test_in_a_mirror_the_encoder_is_changed(self) -> None:
        fragment = "encoder { conv 8 s2 relu }"
        assert place(fragment, the(fragment, "checkerboard-kernel")) == "conv 8 s2 relu"
        assert "conv 8 s2 relu k4" in fixed(fragment, "checkerboard-kernel")


class TestUncoveredOutput:
    DOWN = "encoder { conv 8 k4 s2 relu }\n"

    def test_constant_pixels_are_an_error(self) -> None:
        finding = the(self.DOWN + "decoder { deconv 1 k1 s2 sigmoid }", "uncovered-output")
        assert finding.severity is Severity.ERROR
        assert "3 of 4 pixels" in finding.message

    def test_it_warns_where_a_convolution_fills_them(self) -> None:
        filled = self.DOWN + "decoder { deconv 8 k1 s2 relu; conv 1 sigmoid }"
        assert the(filled, "uncovered-output").severity is Severity.WARNING

    def test_a_dilated_kernel_may_miss_as_many(self) -> None:
        dilated = self.DOWN + "decoder { deconv 1 k4 s2 d2 sigmoid }"
        finding = the(dilated, "uncovered-output")
        assert finding.severity is Severity.ERROR
        assert place(dilated, finding) == "d2"
        assert "s2 d1" in fixed(dilated, "uncovered-output")

    def test_a_mirror_is_reported_once(self) -> None:
        fragment = "encoder { conv 8 relu; conv 8 k1 s2 relu }"
        assert names(fragment) & {"uncovered-output", "unread-border"} == {"uncovered-output"}

    def test_a_kernel_as_large_as_the_stride_cures(self) -> None:
        assert "k2 s2" in fixed(self.DOWN + "decoder { deconv 1 k1 s2 sigmoid }", "uncovered-output")

    def test_covering_kernels_are_silent(self) -> None:
        assert not found(self.DOWN + "decoder { deconv 1 k2 s2 sigmoid }", "uncovered-output")


class TestReceptiveFieldSmall:
    @pytest.mark.parametrize(
        ("layers", "severity"),
        [
            ("conv 8 k1 relu; conv 2 k1 relu", Severity.WARNING),
            ("conv 2 k3 s2 relu", Severity.WARNING),
            ("conv 8 k3 s2 relu", Severity.INFO),  # a code that is larger than its image
            ("conv 8 relu; conv 8 relu; maxpool 2", Severity.INFO),
            ("conv 8 k1 relu; maxpool 2; conv 8 k1 relu; maxpool 2; conv 8 k1; maxpool 2", Severity.WARNING),
        ],
    )
    def test_small_fields(self, layers: str, severity: Severity) -> None:
        assert the(f"encoder {{ {layers} }}\nbottleneck", "receptive-field-small").severity is severity

    @pytest.mark.parametrize("bottleneck", ["bottleneck dense 8", "bottleneck conv 1 k9"])
    def test_wide_fields_are_silent(self, bottleneck: str) -> None:
        assert not found(f"encoder {{ conv 8 k3 s2 relu }}\n{bottleneck}", "receptive-field-small")


class TestChannelsLast:
    def test_the_safe_fix_puts_them_first(self) -> None:
        fragment = "input 28x28x1\nencoder { conv 8 relu; maxpool 2 }\nbottleneck dense 16"
        assert "input 1x28x28" in fixed(fragment, "channels-last", Applicability.SAFE)

    def test_sides_that_differ_might_be_meant(self) -> None:
        fragment = "input 40x28x3\nencoder { conv 8 relu x2; conv 4 relu }\nbottleneck dense 16"
        assert the(fragment, "channels-last").severity is Severity.WARNING
        assert "input 3x40x28" in fixed(fragment, "channels-last")

    def test_it_is_an_error_where_the_output_contradicts_it(self) -> None:
        found_names = names("input 28x28x1\nencoder { conv 8 relu }\ndecoder { conv 1 sigmoid }")
        assert "channels-last" in found_names
        assert not found_names & {"channel-mismatch", "output-shape"}
        finding = the("input 28x28x1\nencoder { conv 8 relu }\ndecoder { conv 1 sigmoid }", "channels-last")
        assert finding.severity is Severity.ERROR

    def test_what_does_not_fit_for_that_reason_has_no_finding_of_its_own(self) -> None:
        fragment = "input 32x32x3\nencoder { conv 8 relu; maxpool 2; conv 8 relu; maxpool 2 }"
        assert names(fragment) == {"channels-last"}
        assert the(fragment, "channels-last").severity is Severity.ERROR
        assert "input 3x32x32" in fixed(fragment, "channels-last", Applicability.SAFE)

    def test_what_does_not_fit_for_another_reason_is_reported(self) -> None:
        fragment = "input 32x32x3\nencoder { conv 8 relu; maxpool 2; conv 8 k40 pad=valid relu }"
        assert names(fragment) >= {"channels-last", "kernel-too-large"}

    @pytest.mark.parametrize("size", ["1x28x28", "3x32x32", "4x4x4", "64x64x64", "8x1x1"])
    def test_other_shapes_are_silent(self, size: str) -> None:
        assert not found(f"input {size}\nencoder {{ conv 8 k1 relu }}", "channels-last")


def test_rules_survive_parts_without_layers() -> None:
    text = "autoencoder empty\ninput 1x28x28\nencoder { dropout 10% }\nbottleneck\ndecoder { dropout 10% }\n"
    assert not check_source(Source(text)).has_errors


class TestReshapeMismatch:
    ENCODER = "encoder { conv 16 k4 s2 relu; conv 32 k4 s2 relu; dense 24 }\nbottleneck\n"
    DECODER = "decoder { dense 1568 relu; reshape %s; upsample 2; conv 16 relu; upsample 2; conv 1 sigmoid }"

    @pytest.mark.parametrize("shape", ["32x8x8", "32x6x6"])
    def test_the_map_that_returns_the_size_is_written(self, shape: str) -> None:
        text = fixed(self.ENCODER + self.DECODER % shape, "reshape-mismatch", Applicability.SAFE)
        assert "reshape 32x7x7" in text

    def test_other_channels_are_not_surely_meant(self) -> None:
        assert "reshape 32x7x7" in fixed(self.ENCODER + self.DECODER % "64x7x7", "reshape-mismatch")

    def test_of_several_maps_the_nearest(self) -> None:
        fragment = "encoder { conv 8 relu; maxpool 2; reshape 8x7x7 }"
        assert "reshape 32x7x7" in fixed(fragment, "reshape-mismatch")

    def test_where_no_map_returns_the_size_nothing_is_offered(self) -> None:
        fragment = self.ENCODER + self.DECODER.replace("1568", "1500") % "32x7x7"
        assert the(fragment, "reshape-mismatch").fix is None


class TestCodeShapeMismatch:
    POOLS = "encoder { conv 8 relu; maxpool 2; conv 8 relu; maxpool 2; maxpool 2 }\nbottleneck 8x7x7\n"

    def test_a_pool_too_many_is_left_out(self) -> None:
        for decoder in ("decoder mirror", "decoder { upsample 2; conv 8 relu; upsample 2; conv 1 sigmoid }"):
            assert "conv 8 relu; maxpool 2 }" in fixed(self.POOLS + decoder, "code-shape-mismatch")

    def test_what_else_was_meant_is_left_to_the_author(self) -> None:
        assert the(self.POOLS.replace("8x7x7", "16x7x7"), "code-shape-mismatch").fix is None


class TestNeedsAMap:
    @pytest.mark.parametrize(
        "layer", ["conv 8 norm=instance", "conv 1 norm=layer", "conv 8 norm=group groups=8", "dense 1 norm=layer"]
    )
    def test_a_mean_of_one_number_leaves_nothing(self, layer: str) -> None:
        alone = f"encoder {{ conv 4 k28 pad=valid; {layer} }}\ndecoder {{ dense 784; reshape 1x28x28 }}"
        assert "subtracts every number from itself" in the(alone, "needs-a-map").message
        beside = alone.replace("k28", "k27").replace("dense 1 ", "dense 2 ")
        assert not found(beside, "needs-a-map")


class TestShortKernels:
    SIGNAL = "input 1x1024\nencoder { conv 16 %s s2 relu; conv 32 %s s2 relu }"

    def test_a_signal_seen_in_small_pieces(self) -> None:
        finding = the(self.SIGNAL % ("k3", "k3"), "short-kernels")
        assert finding.severity is Severity.INFO
        assert finding.data == {"seen": 7, "length": 1024}

    @pytest.mark.parametrize(("short", "advice", "length"), [("k3", "k16", 512), ("k3 s2", "k16 s4", 1024)])
    def test_the_advice_gives_a_sound_spec(self, short: str, advice: str, length: int) -> None:
        fragment = (self.SIGNAL % ("k3", "k3")).replace("1024", str(length))
        assert f"`{advice}`" in (the(fragment, "short-kernels").help or "")
        result = checked(fragment.replace(short, advice))
        assert not result.has_errors and "short-kernels" not in {finding.name for finding in result.findings}

    @pytest.mark.parametrize(
        "fragment",
        [
            SIGNAL % ("k31", "k31"),
            (SIGNAL % ("k3", "k3")).replace("1024", "96"),
            (SIGNAL % ("k3", "k3")) + "\nbottleneck",
            "input 1x64x64\nencoder { conv 16 k3 s2 relu }",
            "input 1x1024\nencoder { dense 64 relu }",
            (SIGNAL % ("k3", "k3")) + "\nrequire { receptive_field >= 1 }",
        ],
    )
    def test_silent(self, fragment: str) -> None:
        assert not found(fragment, "short-kernels")


@pytest.mark.parametrize("kind", [kind for name, kind in sorted(KINDS.items()) if 2 in kind.ranks])
def test_a_decoder_may_end_wrongly_with_any_kind(kind: Kind) -> None:
    """Options of the same name have different meanings for different kinds; searches for fixes must not mix them up."""
    block = " { conv 4 }" if kind.block and "{" not in kind.example else ""
    text = f"autoencoder a\ninput 4x16x16\nencoder {{ conv 4 s2 relu as fine }}\nbottleneck\ndecoder {{ conv 8; {kind.example}{block} }}\n"
    assert not check_source(Source(text)).failures


class TestLayerWithoutEffect:
    @pytest.mark.parametrize(
        "line",
        [
            *("pad 0", "pad 0..0", "crop 0", "maxpool 1", "avgpool 1", "maxpool 1 s1", "dropout 0", "upsample 1"),
            *("upsample to 28x28", "upsample 1 bilinear", "reshape 1x28x28", "pixelshuffle 1", "pixelunshuffle 1"),
        ],
    )
    def test_a_line_that_returns_its_input_is_removed(self, line: str) -> None:
        fragment = f"encoder {{ {line}; conv 8 k4 s2 relu x2 }}\nbottleneck dense 16\ndecoder mirror\n"
        assert place(fragment, the(fragment, "layer-without-effect")) == line
        assert line not in fixed(fragment, "layer-without-effect", Applicability.SAFE)

    @pytest.mark.parametrize(
        "line",
        [
            *("pad 1", "crop 1", "maxpool 2 s1 pad=1", "maxpool 1 dropout=10%", "dropout 5%", "avgpool 3 s1 pad=1"),
            *("upsample 2", "reshape 1x14x56", "pixelunshuffle 2", "norm batch", "relu", "conv 1 k1"),
        ],
    )
    def test_a_line_that_does_something_is_silent(self, line: str) -> None:
        fragment = f"encoder {{ {line}; conv 8 k4 s2 relu x2 }}\nbottleneck dense 16\ndecoder mirror\n"
        assert not found(fragment, "layer-without-effect")

    def test_a_repeated_line_is_reported_once(self) -> None:
        fragment = (
            "encoder { repeat 3 { pad 0; conv 8 relu }; conv 8 k4 s2 relu }\nbottleneck dense 16\ndecoder mirror\n"
        )
        assert len(found(fragment, "layer-without-effect")) == 1


@pytest.mark.parametrize("code", [form.example for form in FORMS])
def test_sizes_are_repaired_beside_a_code_of_several_layers(code: str) -> None:
    """The layers of such a code share its line, and the last one need not have the option that is tried."""
    result = check_source(
        Source(f"autoencoder a\ninput 1x1x1\nencoder {{ pad 1 }}\n{code}\ndecoder {{ sigmoid; dropout 0.5 }}\n")
    )
    assert not result.failures
