"""Lines with dropout."""

from caedsl.facts.dropout import drops
from tests.resolve.written import model


def test_every_line_is_listed_once_with_its_part() -> None:
    spec = model("encoder { conv 8 relu dropout=10% x3; maxpool 2; dropout 0.3 }\nbottleneck dense 8 dropout=0.2")
    listed = [(drop.part, drop.layer.kind.name, drop.rate, drop.option.name) for drop in drops(spec)]
    assert listed == [
        ("encoder", "conv", 0.1, "dropout"),
        ("encoder", "dropout", 0.3, "rate"),
        ("bottleneck", "dense", 0.2, "dropout"),
    ]


def test_no_dropout() -> None:
    assert drops(model("")) == ()
