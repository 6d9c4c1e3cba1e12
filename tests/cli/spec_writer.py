"""Specs from the grammar and the whole vocabulary, most of whose values are plausible."""

from collections.abc import Callable, Mapping, Sequence
from random import Random

from caedsl.resolve.reading.lines import options_of
from caedsl.resolve.settings_table import SETTINGS
from caedsl.vocabulary.activations import FUNCTIONS
from caedsl.vocabulary.bottlenecks import FORMS
from caedsl.vocabulary.initialisations import INITIALISATIONS
from caedsl.vocabulary.initialisations import OPTIONS as INITIALISATION_OPTIONS
from caedsl.vocabulary.layers import KINDS
from caedsl.vocabulary.losses import LOSSES
from caedsl.vocabulary.norms import BELONGS_TO, NORMS
from caedsl.vocabulary.option import REQUIRED, Option, Type, Written
from caedsl.vocabulary.preprocessings import PREPROCESSINGS
from caedsl.vocabulary.sources import SOURCES

ODD = (
    "0",
    "-1",
    "1e300",
    "1e-300",
    "99999999999999999999",
    "auto",
    "real",
    "1..0",
    "3x3x3x3",
    '"\u202e"',
    "width",
    "100%",
    "/0",
)
NAMES = ("body", "down", "width", "fine")
INPUTS = (
    "1x8x8",
    "1x8x8",
    "3x32x32",
    "1x288",
    "2x64",
    "1x16x16x16",
    "1x1x1",
    "4x7x5",
    "1x8x8 in -1..1",
    "3x12x12 in real",
)
VALUES: Mapping[Type, Sequence[str]] = {
    Type.COUNT: ("1", "2", "3", "4", "8", "16", "width", "2*width", "64"),
    Type.NUMBER: ("0.1", "0.5", "1", "2", "1e-3", "0"),
    Type.SHARE: ("10%", "0.5", "90%", "0"),
    Type.PER_AXIS: ("1", "2", "3", "5", "2x3", "3x3x3"),
    Type.SIZE: ("8x8", "4x4", "7", "4x4x4"),
    Type.SHAPE: ("4x4x4", "1x8x8", "8x2x2", "16"),
    Type.SWITCH: ("on", "off"),
    Type.PADDING: ("same", "valid", "reflect", "circular", "0", "1", "1x2"),
    Type.SIDES: ("1", "0..1", "1x2", "2..2"),
    Type.RANGE: ("0..1", "-1..1", "real", "0..255"),
    Type.ENDS: ("0..1", "-1..2", "0.2..0.2"),
    Type.DURATION: ("1s", "90s", "30min", "2h"),
    Type.NAME: NAMES,
    Type.FIELD: (*NAMES, '"../x"'),
    Type.PATH: ('"x.npy"', '"."', '"/dev/zero"'),
    Type.TEXT: ('"x"', '"a*"', '""'),
    Type.LABEL: ("1", "0", '"cat"'),
    Type.DIVISOR: ("/2", "/4"),
    Type.ACTIVATION: (*FUNCTIONS, "leaky_relu=0.1"),
}


def written_spec(random: Random) -> str:
    """Return a spec, or one with a sweep, blocks, or a base that is not there."""
    draw = _Writer(random)
    statements: list[str] = ["autoencoder " + random.choice(("a", "swept", "K1"))]
    if draw.once_in(30):
        statements[0] += ' extends "base.cae"'
    statements.append(f"input {random.choice(INPUTS)}")
    statements += draw.some(draw.data, 0, 1, 1, 1)
    statements += [f"let width = {draw.value(Type.COUNT)}"] * (not draw.once_in(20))
    statements += draw.some(draw.block, 0, 0, 1, 2)
    statements += [f"defaults {draw.layer()}"] * draw.once_in(8)
    statements += [f"target {random.choice(INPUTS)}"] * draw.once_in(10)
    statements.append(f"encoder {{ {draw.layers(random.choice((1, 2, 4, 8)))} }}")
    statements.append(draw.bottleneck())
    statements.append(random.choice((draw.mirror(), f"decoder {{ {draw.layers(random.choice((1, 3, 6)))} }}")))
    statements += draw.some(draw.train, 0, 1, 1, 1)
    statements += draw.some(draw.sweep, 0, 0, 0, 1)
    statements += [random.choice(("require { parameters 1..1M }", "require { code 8 }", 'allow few-filters "why"'))] * (
        draw.once_in(8)
    )
    return "\n".join(statements) + "\n"


class _Writer:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.depth = 0

    def once_in(self, times: int) -> bool:
        return self.random.randrange(times) == 0

    def some(self, write: Callable[[], str], *counts: int) -> list[str]:
        return [write() for _ in range(self.random.choice(counts))]

    def value(self, type_: Type, choices: Sequence[str] = ()) -> str:
        if self.once_in(25):
            return self.random.choice(ODD)
        return self.random.choice(choices or VALUES.get(type_, ODD))

    def option(self, option: Option) -> str:
        value = self.value(option.type, option.choices)
        if option.type is Type.FLAG:
            return option.name
        match option.written:
            case Written.FIRST | Written.BARE:
                return value
            case Written.SHORT:
                return f"{option.short}{value}"
            case Written.WORDED:
                return f"{option.name} {value}"
            case Written.REST:
                return f"{value} {value}"
            case _:
                return f"{option.name}={value}"

    def line(self, word: str, options: Sequence[Option], of: int = 6) -> str:
        """Return a line with its required options and about one in ``of`` of the others."""
        given = [option for option in options if option.default is REQUIRED or self.once_in(of)]
        given.sort(key=lambda option: option.written is not Written.FIRST)
        return " ".join([word, *map(self.option, given)])

    def layer(self) -> str:
        name = self.random.choice(("conv", "conv", "conv", "maxpool", "relu", *KINDS, *NAMES[:2]))
        kind = KINDS.get(name)
        if kind is None:
            return name
        if not self.once_in(3):
            return kind.example
        own = [
            option
            for option in options_of(kind)
            if option.name not in BELONGS_TO and option not in INITIALISATION_OPTIONS
        ]
        text = self.line(name, own, 20)
        if self.once_in(6):
            text += f" {self.activation()}"
        if self.once_in(10):
            norm = self.random.choice(list(NORMS.values()))
            text = self.line(f"{text} norm={norm.name}", norm.own, 3)
        if self.once_in(20):
            start = self.random.choice(list(INITIALISATIONS.values()))
            text = self.line(f"{text} init={start.name}", start.own, 3)
        return f"{text} {{ {self.layers(2)} }}" if kind.block and not self.once_in(20) else text

    def activation(self) -> str:
        function = self.random.choice(list(FUNCTIONS.values()))
        value = function.option and self.value(function.option.type)
        return f"{function.name}={value}" if value else function.name

    def layers(self, count: int) -> str:
        self.depth += 1
        lines = [self.layer() for _ in range(count)] if self.depth < 5 else ["conv 4"]
        self.depth -= 1
        return "; ".join(lines)

    def block(self) -> str:
        return f"block {self.random.choice(NAMES)}{self.random.choice(('', ' n', ' n=4'))} {{ {self.layers(2)} }}"

    def data(self) -> str:
        kind = self.random.choice(list(SOURCES.values()))
        text = self.line(f"data {kind.name}", kind.options, 8)
        return f"{text} normalize={self.random.choice(list(PREPROCESSINGS))}" if self.once_in(8) else text

    def bottleneck(self) -> str:
        form = self.random.choice(FORMS)
        if self.once_in(5):
            return self.random.choice(("bottleneck", f"bottleneck {{ {self.layers(3)} }}"))
        return self.line(form.example.partition(" {")[0], [o for o in form.options if o.default is not REQUIRED], 5)

    def mirror(self) -> str:
        return "decoder mirror" + self.random.choice(
            ("", "", " output=sigmoid", " deconv", " upsample=bilinear", " k3")
        )

    def setting(self) -> str:
        name, setting = self.random.choice(list(SETTINGS.items()))
        if name == "loss":
            terms = (self.line(kind.name, kind.own, 3) for kind in self.random.choices(list(LOSSES.values()), k=2))
            return f"loss {self.random.choice((' + ', ' + 0.2 ', ' ')).join(terms)}"
        if setting.variants:
            word = self.random.choice(list(setting.variants))
            return self.line(f"{name} {word}", setting.variants[word].options, 4)
        return self.line(name, setting.options, 2)

    def train(self) -> str:
        lines = ["epochs 1", "batch 10", *self.some(self.setting, 0, 1, 3, 6)]
        first = {line.partition(" ")[0]: line for line in lines}
        return f"train {{ {'; '.join(lines if self.once_in(20) else first.values())} }}"

    def sweep(self) -> str:
        paths = (
            "let.width",
            "train.optimizer.lr",
            "bottleneck",
            "encoder.1.filters",
            "train.loss",
            "data.limit",
            "seed",
            "train.batch",
        )
        values = (
            "8 16",
            "1e-4..1e-2 log x3",
            "0.1 0.2 0.3",
            "mse l1",
            "1..100 x3",
            "dense variational",
            "on off",
            "{ }",
        )
        lines = (
            f"{self.random.choice(paths)} {self.random.choice(values)}" for _ in range(self.random.choice((1, 2, 3)))
        )
        return f"sweep {{ {'; '.join(lines)} }}"
