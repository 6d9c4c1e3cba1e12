"""Specs of every kind and depth, generated."""

from hypothesis import strategies as st

ACTIVATIONS = st.sampled_from(["", "relu", "leaky_relu=0.125", "prelu", "sigmoid"])
EXTRAS = st.sampled_from(["", "norm=batch", "norm=instance dropout=12.5%", "dropout=10%"])
NAMES = st.sampled_from(["a", "down", "first_stage", "a_stage_with_quite_a_long_name"])
CHANNELS = st.one_of(st.integers(1, 40), st.sampled_from([64, 128, 512, 2048]))


@st.composite
def _convolutions(draw: st.DrawFn) -> str:
    kernel = draw(st.sampled_from(["", "k1", "k5x3", "k7"]))
    stride = draw(st.sampled_from(["", "", "s2"]))
    repeat = draw(st.sampled_from(["", "", "x2", "x11"]))
    return f"conv {draw(CHANNELS)} {kernel} {stride} {draw(ACTIVATIONS)} {draw(EXTRAS)} {'' if stride else repeat}"


_LAYERS = st.one_of(_convolutions(), st.sampled_from(["maxpool 2", "avgpool 2", "dropout 10%", "upsample 2 bilinear"]))


def _groups(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    bodies = st.lists(inner, min_size=1, max_size=4).map("; ".join)
    return st.one_of(
        st.builds("stage {} {{ {} }}".format, NAMES, bodies),
        st.builds("repeat {} {{ {} }}".format, st.integers(1, 4), bodies),
        st.builds("residual {} {{ conv {} relu; conv {} }}".format, ACTIVATIONS, CHANNELS, CHANNELS),
        st.builds("residual {{ residual {{ conv {} relu }}; conv {} s2 }}".format, CHANNELS, CHANNELS),
    )


_BOTTLENECKS = st.one_of(
    st.just("bottleneck"),
    st.builds("bottleneck dense {} tanh".format, st.integers(1, 100_000)),
    st.builds("bottleneck conv {}".format, CHANNELS),
)


@st.composite
def specs(draw: st.DrawFn) -> str:
    """Return the text of a spec, whose shapes need not be valid."""
    name = draw(st.sampled_from(["a", "mnist_l2", "a_model_of_which_the_name_is_longer_than_its_figure_is_wide"]))
    channels, sides = draw(st.sampled_from([1, 3, 64])), st.sampled_from([1, 8, 27, 32, 96, 1024])
    height, width = draw(sides), draw(sides)
    layers = draw(st.lists(st.recursive(_LAYERS, _groups, max_leaves=8), max_size=20))
    form = draw(st.sampled_from(["0..1", "-1..1", "real"]))
    return "\n".join(
        [
            f"autoencoder {name}",
            f"input {channels}x{height}x{width} in {form}",
            "encoder {",
            *layers,
            "}",
            draw(_BOTTLENECKS),
            draw(st.sampled_from(["decoder mirror", "decoder mirror skips=concat", "decoder mirror skips=add"])),
        ]
    )
