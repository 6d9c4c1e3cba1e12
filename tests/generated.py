"""Hypothesis strategies for whole specs: most are buildable, some are not, all are text that a person could write."""

import re

from hypothesis import strategies as st

from caedsl.facts.cost import training_memory
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Train

ACTIVATIONS = [
    "",
    "relu",
    "leaky_relu=0.2",
    "tanh",
    "sigmoid",
    "gelu",
    "prelu",
    "channel_prelu",
    "elu",
    "selu",
    "silu",
    "mish",
    "softplus",
    "relu6",
    "hardswish",
    "hardsigmoid",
    "tanh=1.5",
    "softcap=2",
    "hardsigmoid=0.2",
    "clip=-1..2",
]
NORMS = [
    "",
    "",
    "norm=batch",
    "norm=instance",
    "norm=layer",
    "norm=rms",
    "norm=channel",
    "init=normal std=0.1",
    "norm=batch init=truncated_normal",
    "norm=group groups=2",
    "norm=batch affine=off eps=1e-3",
    "norm=batch momentum=0.01",
]
LINES = [
    "relu",
    "leaky_relu 0.2",
    "clip 0..2",
    "softcap 1.5",
    "prelu",
    "channel_prelu",
    "norm batch",
    "norm group groups=2 affine=off",
    "norm layer",
    "norm rms",
    "norm channel affine=off",
    "pad 1",
    "pad 0..1",
    "crop 1",
    "crop 0..1",
    "se 1",
    "attention",
    "attention heads=2",
    "gdn",
    "scale 0.5",
    "scale -1",
    "scale 0.1 learned",
    "pixelunshuffle 2",
    "pixelshuffle 2",
    "globalpool",
]
"""Lines that stand for themselves."""
NAMED_INSIDE = [
    "residual { as own#; conv 4 relu; concat own#; conv 4 }",
    "residual relu { norm batch as n#; conv 4 k1; conv 4 depthwise as gate#; from n#; conv 4 k1; multiply gate# }",
    "residual { conv 4 as a#; residual { conv 2; concat a# first }; conv 4; add a#; shortcut { as own#; conv 4; add a# } }",
    "stage s { as own#; globalpool; dense 1 sigmoid; reshape 1x1x1; multiply own# }",
]
"""Groups whose lines read what is named inside them; `#` stands for a number that keeps names apart."""
BRANCHES = [
    "conv 4 relu as trunk\nconv 2 k1 as side\nfrom trunk\nmaxpool 3 s1 pad=1\nconcat side",
    "conv 2 as trunk\nfrom input\nconv 2 k1\nupsample to 6x5\nglobalpool as means\nfrom trunk\nglobalpool\nadd means",
    "repeat 2 {\nconv 4 as trunk\nstage s as side { relu; conv 4 }\nfrom trunk\nconv 4 k5\nadd side\n}",
    "conv 4 as trunk\nglobalpool\ndense 4 sigmoid\nreshape 4x1x1 as gate\nfrom trunk\nmultiply gate",
    "dense 6 relu as trunk\ndense 4 as side\nfrom trunk\ndense 3\nconcat side first",
]
"""Lines that start from a named output and join what came before it."""


@st.composite
def window(draw: st.DrawFn, pads: list[str]) -> str:
    kernel = draw(st.sampled_from(["", "k1", "k2", "k3", "k4", "k5x3"]))
    stride = draw(st.sampled_from(["", "", "s2", "s3", "s2x1"]))
    dilation = draw(st.sampled_from(["", "", "", "d2"]))
    return " ".join(filter(None, [kernel, stride, dilation, draw(st.sampled_from(pads))]))


@st.composite
def finish(draw: st.DrawFn) -> str:
    extras = [
        "",
        "",
        "dropout=10%",
        "l2=1e-3",
        "l1=1e-4",
        "weight_norm",
        "weight_norm l2=1e-3",
        "init=orthogonal",
        "init=torch",
        "init=glorot bias_init=torch",
        "bias=off",
    ]
    words = [draw(st.sampled_from(NORMS)), draw(st.sampled_from(ACTIVATIONS)), draw(st.sampled_from(extras))]
    return " ".join(filter(None, words))


@st.composite
def layer(draw: st.DrawFn, depth: int = 0) -> str:
    kinds = ["conv", "conv", "conv", "deconv", "maxpool", "avgpool", "upsample", "dropout", "x2", "depthwise", "line"]
    kind = draw(st.sampled_from([*kinds, *(["residual", "repeat", "stage", "named"] if depth < 2 else [])]))
    channels = draw(st.sampled_from([1, 2, 4, 6, 8]))
    match kind:
        case "conv":
            pads = [
                "",
                "",
                "pad=valid",
                "pad=1",
                "pad=reflect",
                "pad=replicate",
                "pad=circular",
                "pad=2x0",
                "pad=same_upper",
                "pad=0..1",
            ]
            return f"conv {channels} {draw(window(pads))} {draw(finish())}"
        case "x2":
            return f"conv {channels} x2 {draw(finish())}"
        case "depthwise":
            return f"conv {channels} depthwise {draw(finish())}"
        case "deconv":
            return f"deconv {channels} {draw(window(['', '', 'pad=valid', 'pad=1 output_pad=1', 'pad=same_upper']))} {draw(finish())}"
        case "maxpool" | "avgpool":
            return f"{kind} {draw(st.sampled_from(['2', '2', '3', 'k3 s2 pad=1', '2 ceil', 'k3 s1']))}"
        case "upsample":
            return f"upsample {draw(st.sampled_from(['2', '2 bilinear', '1x2', 'to 9x7', '3', '2 bilinear align_corners']))}"
        case "dropout":
            return draw(st.sampled_from(["dropout 20%", "dropout 20% elementwise"]))
        case "line":
            return draw(st.sampled_from(LINES))
        case "named":
            return draw(st.sampled_from(NAMED_INSIDE)).replace("#", str(draw(st.integers(0, 999))))
    shortcut = f"; shortcut {{ conv {channels} k1 norm=batch }}" if kind == "residual" and draw(st.booleans()) else ""
    inner = "; ".join(draw(st.lists(layer(depth=depth + 1), min_size=1, max_size=2)))
    heads = {
        "residual": f"residual {draw(st.sampled_from(['', 'relu', 'prelu']))}",
        "repeat": "repeat 2",
        "stage": "stage s",
    }
    if shortcut:
        inner += f"; conv {channels}"
    return f"{heads[kind]} {{ {inner}{shortcut} }}"


@st.composite
def decoder(draw: st.DrawFn) -> str:
    if draw(st.integers(0, 3)):
        options = [
            "",
            "",
            "upsample=bilinear",
            "upsample=deconv",
            "upsample=pixelshuffle",
            "upsample=unpool",
            "upsample=unpool skips=concat",
            "channels=/2",
            "norm=batch",
            "skips=concat",
            "skips=add",
        ]
        return f"decoder mirror {draw(st.sampled_from(options))} {draw(st.sampled_from(['', 'output=linear']))}"
    lines = draw(st.lists(layer(), min_size=1, max_size=3))
    return "decoder {\n" + "\n".join(lines) + "\n}"


@st.composite
def targets(draw: st.DrawFn, channels: int, height: int, width: int) -> str:
    """Return no target line, one with another range or number of channels, or one with another size."""
    values = draw(st.sampled_from(["0..1", "-1..1", "real"]))
    match draw(st.sampled_from(["", "", "", "range", "channels", "size"])):
        case "range":
            return f"target {channels}x{height}x{width} in {values}"
        case "channels":
            return f"target {draw(st.integers(1, 4))}x{height}x{width} in {values}"
        case "size":
            return f"target {channels}x{draw(st.integers(4, 2 * height))}x{draw(st.integers(4, 2 * width))} in {values}"
    return ""


BLOCKS = [
    ("block part n { conv n k3 relu; conv n k1 }", "part 4"),
    ("block part n k=3 { residual { conv n k=k norm=batch relu; conv n } }", "conv 4\npart 4 k=1"),
    ("block part n { as own; conv n as side; from own; conv n k1; add side }", "part 4\nresidual { part 3 }"),
    ("block inner n { conv n tanh }\nblock part n=2 { inner 2*n; inner n x2 }", "part"),
]
"""Definitions of blocks, each with lines that use the block."""

_SIZES = re.compile(r"(?<!quantized )(?<![\d.])(\d+)x(\d+)(?:x(\d+))?")
_INTERPOLATIONS = {1: "linear", 2: "bilinear", 3: "trilinear"}


def of_rank(text: str, rank: int) -> str:
    """Return a spec of images as one of signals (rank 1) or volumes (rank 3), whose third axis is short."""
    if rank == 2:
        return text

    def sizes(found: re.Match[str]) -> str:
        *channels, first, second = (number for number in found.groups() if number is not None)
        axes = [first] if rank == 1 else [first, second, str(min(int(first), 4))]
        return "x".join([*channels, *axes])

    reshaped = "reshape 3x4" if rank == 1 else "reshape 3x2x2x1"
    before, word, after = text.replace("bilinear", _INTERPOLATIONS[rank]).partition("reshape 3x2x2")
    return _SIZES.sub(sizes, before) + (reshaped if word else "") + _SIZES.sub(sizes, after)


@st.composite
def spec_texts(draw: st.DrawFn) -> str:
    """Return a whole spec of images, signals or volumes, small enough to run."""
    return of_rank(draw(_image_specs()), draw(st.sampled_from([2, 2, 2, 1, 3])))


@st.composite
def _image_specs(draw: st.DrawFn) -> str:
    channels, height, width = draw(st.integers(1, 3)), draw(st.integers(4, 24)), draw(st.integers(4, 24))
    bottleneck = draw(
        st.sampled_from(
            [
                "",
                "",
                "conv 4",
                "conv 2 k3 tanh",
                "conv 4 topk=5",
                "dense 5",
                "dense 8 relu norm=batch",
                "dense 8 topk=3",
                "dense 6 sigmoid sparsity=10%",
                "noise=0.1 l1=1e-4",
                "{ dense 12 relu; dense 3; dense 12 relu }",
                "{ conv 4 relu; residual { conv 4 }; conv 2 k1 as code; tanh; conv 4 }",
                "l1=1e-4 noise=0.1 { conv 3 as b; conv 3; add b; norm batch }",
                "variational 4 beta=0.5 init=glorot gain=0.7",
                "variational conv 2 free_bits=0.1",
                "variational 4 free_nats=2",
                "variational conv 2 capacity=3",
                "quantized 8x3",
                "quantized 8x3 update=gradient",
            ]
        )
    )
    lines = draw(st.lists(layer(), min_size=1, max_size=4))
    end = draw(decoder())
    definition, use = draw(st.sampled_from([("", ""), ("", ""), *BLOCKS]))
    if use:
        lines.insert(draw(st.integers(0, len(lines))), use)
    if not end.startswith("decoder mirror") and draw(st.booleans()):
        # The first layer keeps the input's size, to which the decoder returns before it reads the kept map.
        lines.insert(0, f"conv {draw(st.sampled_from([2, 4]))} relu as kept")
        read = draw(
            st.sampled_from(["concat kept", "concat kept\nconcat input", "conv 2\nadd kept", "conv 1\nmultiply kept"])
        )
        end = f"decoder {{\nupsample to {height}x{width}\n{read}\n{end.partition('{')[2]}"
    elif not end.startswith("decoder mirror") and draw(st.booleans()):
        branches = draw(st.sampled_from(BRANCHES))
        if draw(st.booleans()):
            lines.insert(draw(st.integers(0, len(lines))), branches)
        else:
            end = f"decoder {{\n{branches}\n{end.partition('{')[2]}"
    tail = draw(st.sampled_from(["", "", "dense 12 relu", "dense 12\nreshape 3x2x2"]))
    if not end.startswith("decoder mirror") and draw(st.integers(0, 3)) == 0:
        pool = draw(st.sampled_from(["2", "2 ceil", "3", "k3 s2 pad=1"]))
        bottleneck, tail = "", f"conv 4\nmaxpool {pool} as pool"
        end = f"decoder {{\nunpool pool\n{end.partition('{')[2]}"
    return "\n".join(
        [
            "autoencoder generated",
            f"input {channels}x{height}x{width} in {draw(st.sampled_from(['0..1', '-1..1', 'real']))}",
            draw(targets(channels, height, width)),
            draw(
                st.sampled_from(
                    [
                        "",
                        "",
                        "",
                        *(f'data npy "x.npy" normalize={word}' for word in ("standard", "minmax", "gcn", "instance")),
                    ]
                )
            ),
            definition,
            "encoder {",
            *lines,
            *([tail] if tail else []),
            "}",
            f"bottleneck {bottleneck}",
            end,
        ]
    )


SWEPT = {
    "let.width": ["2", "4", "width*2", "2..8 x3", "3.5", "1..9 log"],
    "train.optimizer.lr": ["1e-4", "1", "1e-4..1e-1 log x4", "10%"],
    "train.optimizer": ["adam", "sgd", "lion"],
    "train.batch": ["16", "0", "16..64 x4", "auto"],
    "train.loss": ["mse", "mae", "bce"],
    "bottleneck.noise": ["0", "0.5", "0..1 x3"],
    "train.epochs": ["1", "100", "10..1000 log x3"],
}
"""Names that a sweep may vary, and values for each: good ones, and some that a person gets wrong."""


@st.composite
def swept_texts(draw: st.DrawFn) -> str:
    """Return a whole spec with a sweep."""
    names = draw(st.lists(st.sampled_from(sorted(SWEPT)), min_size=1, max_size=3, unique=True))
    lines = []
    for name in names:
        single = [value for value in SWEPT[name] if ".." not in value]
        alone = [value for value in SWEPT[name] if ".." in value]
        several = st.lists(st.sampled_from(single), min_size=1, max_size=3, unique=True).map(" ".join)
        lines.append(f"{name} {draw(several | st.sampled_from(alone) if alone else several)}")
    train = draw(st.sampled_from(["", "train { optimizer adam lr=1e-3; epochs 40 }", "train { loss mse }"]))
    spec = draw(spec_texts()).replace("encoder {", "let width = 4\nencoder {\nconv width relu", 1)
    return "\n".join([spec, "data digits", train, f"sweep {{ {'; '.join(lines)} }}"]) + "\n"


def light(model: Autoencoder) -> bool:
    """Return whether a test may build and run the model: repeated strides can enlarge a small input to gigabytes."""
    return training_memory(model, Train(batch=3)) < 256 * 2**20
