"""``decoder mirror``: exact sizes, the pyramid of channels, and the activation of every map that is restored."""

import pytest

from caedsl.api import SpecError, check, load
from caedsl.model.autoencoder import Autoencoder
from caedsl.vocabulary.layers.stage import NAME
from caedsl.vocabulary.spelling import line


def mirrored(
    encoder: str, *, shape: str = "1x28x28", in_: str = "0..1", bottleneck: str = "", options: str = ""
) -> Autoencoder:
    return load(
        f"autoencoder m\ninput {shape} in {in_}\nencoder {{ {encoder} }}\nbottleneck {bottleneck}\ndecoder mirror {options}"
    )


def decoder_lines(model: Autoencoder) -> list[str]:
    return [line(layer) for part, layer in model.layers() if part == "decoder"]


def test_channels_run_back_and_each_twin_restores_the_activation_before_it() -> None:
    model = mirrored("conv 16 relu; maxpool 2; conv 8 tanh; maxpool 2")
    assert decoder_lines(model) == ["upsample to 14x14", "conv 16 relu", "upsample to 28x28", "conv 1 sigmoid"]


def test_odd_sizes_come_back() -> None:
    model = mirrored("conv 4 s2 relu; conv 8 k4 s3 relu; maxpool 2", shape="3x51x37")
    assert model.out_shape == (3, 51, 37)


@pytest.mark.parametrize(
    ("in_", "activation"), [("0..1", " sigmoid"), ("-1..1", " tanh"), ("real", ""), ("0..255", "")]
)
def test_the_output_reaches_the_inputs_range(in_: str, activation: str) -> None:
    assert decoder_lines(mirrored("conv 4 relu", in_=in_))[-1] == f"conv 1{activation}"


@pytest.mark.parametrize("encoder", ["conv 4 s2 channel_prelu", "conv 4 s2; channel_prelu"])
def test_slopes_of_channels_follow_the_reshape_to_a_map(encoder: str) -> None:
    model = mirrored(encoder, shape="1x8x8", bottleneck="dense 3")
    assert decoder_lines(model)[:3] == ["dense 64", "reshape 4x4x4", "channel_prelu"]
    first = next(layer for part, layer in model.layers() if part == "decoder")
    assert first.followed_by.name == "channel_prelu", "it starts as a layer with this activation does"


def test_a_dense_code_is_undone_with_the_activation_of_its_map() -> None:
    model = mirrored("conv 4 relu; maxpool 2", bottleneck="dense 10")
    assert decoder_lines(model)[:2] == ["dense 784 relu", "reshape 4x14x14"]


def test_stage_residual_and_repeat_mirror_as_groups() -> None:
    model = mirrored(
        "stage down { conv 8 relu; maxpool 2 }; residual relu { conv 8 relu; conv 8 }; repeat 2 { conv 8 relu }"
    )
    kinds = [layer.kind.name for layer in model.decoder]
    assert kinds == ["conv", "conv", "residual", "stage"]
    residual, stage = model.decoder[2:]
    assert [line(child) for child in residual.children] == ["conv 8 relu", "conv 8"]
    assert residual.activation.name == "relu"
    assert stage.options[NAME] == "down"
    assert [line(child) for child in stage.children] == ["upsample to 28x28", "conv 1 sigmoid"]


def test_an_encoder_that_begins_without_channels_gets_an_output_layer() -> None:
    model = mirrored("maxpool 2; conv 8 relu")
    assert decoder_lines(model) == ["conv 1", "upsample to 28x28", "conv 1 sigmoid"]


def test_dropout_is_left_out_and_penalties_are_kept() -> None:
    model = mirrored("conv 8 relu l2=1e-3 dropout=10%; dropout 20%; conv 4 relu")
    assert decoder_lines(model) == ["conv 8 relu", "conv 1 sigmoid l2=0.001"]


def test_options_of_the_mirror() -> None:
    encoder = "conv 8 relu; maxpool 2; conv 16 relu norm=batch; maxpool 2; conv 32 relu"
    assert decoder_lines(mirrored(encoder, options="channels=/2"))[0] == "conv 8 relu"
    assert decoder_lines(mirrored(encoder, options="norm=layer"))[0] == "conv 16 norm=layer relu"
    assert decoder_lines(mirrored(encoder, options="output=tanh"))[-1] == "conv 1 tanh"
    assert "upsample to 14x14 bilinear" in decoder_lines(mirrored(encoder, options="upsample=bilinear"))
    assert "deconv 16 k2 s2 pad=valid" in decoder_lines(mirrored(encoder, options="upsample=deconv"))
    assert "pixelshuffle 2" in decoder_lines(mirrored(encoder, options="upsample=pixelshuffle"))
    assert mirrored("conv 8 relu; maxpool 2", shape="1x9x9", options="upsample=deconv").out_shape == (1, 9, 9)


def test_an_interpolation_of_another_rank_names_the_one_that_fits() -> None:
    (finding,) = check(
        "autoencoder a\ninput 1x8x8\nencoder { maxpool 2 x2 }\nbottleneck\ndecoder mirror upsample=linear"
    )
    assert "but this is an image" in finding.message
    assert finding.help == "write `upsample=bilinear`"


def test_options_of_a_normalisation_stay_with_it() -> None:
    encoder = "conv 8 relu; conv 16 norm=batch momentum=0.01 eps=1e-4 relu; conv 32 norm=group groups=4 eps=1e-4 relu"
    assert decoder_lines(mirrored(encoder, options="norm=layer")) == [
        "conv 16 norm=layer eps=0.0001 relu",
        "conv 8 norm=layer eps=0.0001 relu",
        "conv 1 sigmoid",
    ]


def test_a_bias_that_was_switched_off_stays_off() -> None:
    assert decoder_lines(mirrored("conv 8 relu bias=off"))[-1] == "conv 1 sigmoid bias=off"
    assert decoder_lines(mirrored("conv 8 relu norm=batch"))[-1] == "conv 1 sigmoid"


def test_an_even_kernel_that_strides_along_one_axis_comes_back() -> None:
    assert mirrored("conv 2 k2 s2x1", shape="1x4x4").out_shape == (1, 4, 4)


def test_a_layer_without_an_exact_inverse_is_an_error() -> None:
    with pytest.raises(SpecError, match="cannot invert this `deconv`"):
        mirrored("conv 2; deconv 1 d2 pad=1 output_pad=1", shape="1x4x4")


@pytest.mark.parametrize(
    ("encoder", "decoder"),
    [
        ("dense 128 relu; dense 32 relu", ["dense 128 relu", "dense 784 sigmoid", "reshape 1x28x28"]),
        ("reshape 784; dense 32 relu", ["dense 784 sigmoid", "reshape 1x28x28"]),
        ("dropout 10%; conv 4 relu", ["conv 1 sigmoid"]),
        ("stage s { dropout 10%; dense 32 relu }", ["dense 784 sigmoid", "reshape 1x28x28"]),
    ],
)
def test_the_first_layer_with_weights_ends_the_decoder(encoder: str, decoder: list[str]) -> None:
    lines = [line for line in decoder_lines(mirrored(encoder)) if not line.startswith("stage")]
    assert lines == decoder


def test_an_activation_survives_a_reshape() -> None:
    model = mirrored("conv 8 k4 s4 relu; reshape 392; dense 32 tanh; reshape 8x2x2; conv 4 relu")
    assert decoder_lines(model) == [
        "conv 8 tanh",
        "reshape 32",
        "dense 392 relu",
        "reshape 8x7x7",
        "deconv 1 k4 s4 pad=0 sigmoid",
    ]


def test_the_mirrors_options_reach_the_inverse_of_the_code() -> None:
    encoder = "conv 8 relu norm=batch; maxpool 2"
    lines = decoder_lines(mirrored(encoder, bottleneck="dense 10", options="channels=/2 norm=layer"))
    assert lines[:2] == ["dense 784 norm=layer relu", "reshape 4x14x14"]
    lines = decoder_lines(mirrored(encoder, bottleneck="dense 10 norm=batch", options="norm=none"))
    assert lines[0] == "dense 1568 relu"


def test_divided_channels_follow_a_reshape() -> None:
    model = mirrored("conv 8 k4 s4 relu; reshape 392; dense 32 tanh", options="channels=/2")
    assert decoder_lines(model)[:2] == ["dense 196 relu", "reshape 4x7x7"]


def test_the_images_channels_are_never_divided() -> None:
    assert decoder_lines(mirrored("maxpool 2; conv 8 relu", shape="3x28x28", options="channels=/2"))[0] == "conv 3"


@pytest.mark.parametrize(
    ("decoder", "inverse"),
    [
        ("dense 784 sigmoid; reshape 1x28x28", 0),
        ("dropout 10%; dense 784 sigmoid; reshape 1x28x28", 0),
        ("stage s { dense 784 sigmoid; reshape 1x28x28 }", 0),
        ("reshape 1x2x2; upsample to 28x28", 0),
        ("deconv 8 relu; upsample 2; conv 1 sigmoid", 2),
        ("upsample 2; conv 1 sigmoid", 2),
    ],
)
def test_a_decoder_that_takes_the_code_is_its_inverse(decoder: str, inverse: int) -> None:
    model = load(
        "autoencoder m\ninput 1x28x28\nencoder { conv 4 relu; maxpool 2 }\n"
        f"bottleneck dense 4\ndecoder {{ {decoder} }}"
    )
    assert len(model.bottleneck.inverse) == inverse
    assert model.out_shape == (1, 28, 28)


def test_a_normalisation_that_does_not_fit_is_refused_in_the_mirrors_own_words() -> None:
    with pytest.raises(SpecError, match="choose another normalisation") as error:
        mirrored("conv 16 relu; conv 12 relu; conv 32 relu", options="norm=group")
    assert "groups=6" not in str(error.value)


def test_no_skip_follows_the_output_layer() -> None:
    """A map that is not smaller than the input, such as one after dropout, is not read after the last layer."""
    spec = "autoencoder a\ninput 1x4x4\nencoder { dropout 20%; conv 1 s2; conv 1 }\nbottleneck\ndecoder mirror skips=concat"
    assert load(spec).out_shape == (1, 4, 4)


def test_no_skip_follows_the_cropped_output() -> None:
    lines = decoder_lines(mirrored("dropout 10% as d; pad 2; conv 8 s2 as c; conv 8 s2", options="skips=concat"))
    assert [line for line in lines if line.startswith("concat")] == ["concat c"]


def test_a_normalisation_behind_a_residual_is_kept() -> None:
    model = mirrored("conv 8 relu; residual { conv 8 relu; conv 8 }; norm batch; tanh; maxpool 2; conv 4 relu")
    kinds = [line(layer) for layer in model.decoder]
    assert kinds == ["conv 8 tanh", "upsample to 28x28", "residual", "norm batch", "relu", "conv 1 sigmoid"]
    other = mirrored("conv 8 relu; residual { conv 8 }; norm batch; maxpool 2; conv 4 relu", options="norm=layer")
    assert [line(layer) for layer in other.decoder][2:] == ["residual", "norm layer", "conv 1 sigmoid"]
    none = mirrored("norm batch; relu; conv 8; residual { conv 8 }; norm batch; maxpool 2", options="norm=none")
    assert not [layer for layer in none.decoder if layer.kind.name == "norm"]


@pytest.mark.parametrize(
    ("encoder", "decoder"),
    [
        ("conv 8; maxpool 2; norm batch; relu; conv 16", "conv 8, norm batch, relu, upsample to 28x28"),
        ("conv 8; dropout 10%; norm batch; relu; conv 16", "conv 8, norm batch, relu"),
        ("conv 8; stage a { maxpool 2 }; norm batch; relu; conv 16", "conv 8, norm batch, relu, upsample to 28x28"),
        ("conv 4; stage a { conv 8 }; norm batch; relu; conv 16", "conv 8 relu, conv 4 norm=batch"),
        ("dense 9; reshape 1x3x3; norm batch; conv 2", "conv 1, norm batch, reshape 9"),
        ("conv 8; maxpool 2; norm batch", "upsample to 28x28"),  # the code itself has had it
    ],
)
def test_lines_behind_a_layer_without_weights_restore_their_map(encoder: str, decoder: str) -> None:
    wanted = decoder.split(", ")
    made = [text for text in decoder_lines(mirrored(encoder)) if not text.startswith("stage")]
    assert made[: len(wanted)] == wanted
    assert len([text for text in made if "norm" in text]) == len([text for text in wanted if "norm" in text])


@pytest.mark.parametrize(
    ("encoder", "ending"),
    [
        ("norm batch; conv 8 k4 s2 relu", "deconv 1 k4 s2 pad=1 sigmoid"),
        ("norm group groups=1; conv 7 relu", "conv 1 sigmoid"),
        ("stage a { norm batch; conv 8 relu }", "conv 1 sigmoid"),
        ("pad 2; conv 8 k4 s2 relu", "deconv 1 k4 s2 pad=1 sigmoid, crop 2"),
        ("pixelunshuffle 2; conv 8 relu", "conv 4 sigmoid, pixelshuffle 2"),
        ("norm batch; relu; conv 8", "norm batch, relu, conv 1, conv 1 sigmoid"),
        ("crop 2; conv 8 relu", "conv 1, pad 2, conv 1 sigmoid"),
        ("norm batch; pad 1; conv 8 relu", "conv 1, norm batch, crop 1, conv 1 sigmoid"),
    ],
)
def test_the_mirror_of_the_first_convolution_is_the_output(encoder: str, ending: str) -> None:
    """Normalisations of the input have no twin; what only selects or reorders numbers may follow the output."""
    made = [text for text in decoder_lines(mirrored(encoder)) if not text.startswith("stage")]
    wanted = ending.split(", ")
    assert made[-len(wanted) :] == wanted
