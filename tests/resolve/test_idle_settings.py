"""Settings without effect are found, but not those that take effect at the last moment."""

import pytest

from caedsl.api import check
from caedsl.rules.engine.fixing import fix_source
from caedsl.source import Source


def idle(train: str) -> list[str]:
    text = (
        "autoencoder a\ninput 1x16x16\ndata digits\nencoder { conv 8 s2 relu }\nbottleneck conv 2\ndecoder mirror\n"
        f"train {{ {train} }}\n"
    )
    return [text[slice(*f.primary.span)] for f in check(text) if f.name == "setting-without-effect"]


@pytest.mark.parametrize(
    ("train", "place"),
    [
        ("epochs 50; schedule step at=100", "schedule step at=100"),
        ("epochs 50; schedule step at=50", "schedule step at=50"),
        ("epochs 5; schedule plateau", "schedule plateau"),
        ("epochs 5; schedule plateau patience=5", "patience=5"),
        ("epochs 5; stop patience=5", "patience=5"),
        ("epochs 50; schedule milestones 20 60", "20 60"),
        ("corrupt gaussian=0", "corrupt gaussian=0"),
        ("corrupt gaussian=0 masking=0%", "corrupt gaussian=0 masking=0%"),
        ("schedule cosine min_lr=1", "min_lr=1"),
        ("epochs 50; schedule plateau min_lr=1e-3", "min_lr=1e-3"),
        ("optimizer sgd lr=0.1; schedule step at=5 min_lr=0.1", "min_lr=0.1"),
        ("schedule constant min_lr=1e-5", "min_lr=1e-5"),
        ("batch 10 accumulate=20", "accumulate=20"),
        ("loss mse worst=100%", "worst=100%"),
        ("batch 64 accumulate=1", "accumulate=1"),
        ("corrupt mean=0.1", "mean=0.1"),
        ("corrupt gaussian=0 mean=0.1", "mean=0.1"),
        ("corrupt masking=0.2 mean=-0.1", "mean=-0.1"),
    ],
)
def test_a_setting_without_effect_is_found(train: str, place: str) -> None:
    assert idle(train) == [place]


@pytest.mark.parametrize(
    "train",
    [
        "epochs 50; schedule step at=49",
        "epochs 50; schedule step at=100 warmup=5%",
        "epochs 1; schedule cosine",
        "epochs 1; schedule onecycle",
        "epochs 3; schedule exponential gamma=0.9",
        "epochs 6; schedule plateau",
        "epochs 6; stop patience=5 after=1h",
        "corrupt gaussian=0 masking=10%",
        "schedule constant",
        "epochs 50; schedule milestones 20 49",
        "schedule cosine min_lr=1e-4",
        "schedule constant warmup=10% min_lr=1e-4",
        "optimizer adam lr=auto; schedule cosine min_lr=1",
        "batch 10 accumulate=10",
        "corrupt gaussian=0.1 mean=0.1",
        "corrupt awgn=0.1..0.2 mean=0.1",
        "corrupt mean=-0.1..0.1",
        "batch auto accumulate=2",
        "epochs 50",
        "batch 64",
        "loss mse worst=99%",
    ],
)
def test_a_setting_with_an_effect_is_none(train: str) -> None:
    assert idle(train) == []


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ("digits else mnist", "mnist"),
        ("mnist else digits else kmnist", "kmnist"),
        ('folder "p/" else folder "p/"', 'folder "p/"'),
        ("mnist else digits", ""),
        ('folder "p/" else folder "p/" limit=5', ""),
    ],
)
def test_a_source_that_is_never_tried_is_found(data: str, place: str) -> None:
    text = f"autoencoder a\ninput 1x8x8\ndata {data}\nencoder {{ conv 2 k4 s2 relu }}\nbottleneck\ndecoder mirror\n"
    assert [text[slice(*f.primary.span)] for f in check(text) if f.name == "setting-without-effect"] == [place] * bool(
        place
    )


SPEC = """autoencoder a
input 1x16x16
data digits
encoder { conv 8 k4 s2 relu; conv 8 k4 s2 relu }
bottleneck dense 8
decoder mirror
train { loss mse worst=25%; batch 64 }
"""


@pytest.mark.parametrize(
    ("lines", "places"),
    [
        ("sweep { train.batch 32 }", ["train.batch"]),
        ("sweep { train.batch 32; train.seed 1 2 }", ["train.batch"]),
        ("sweep { train.batch 32 64 }", []),
        ("sweep { train.loss.worst 25% 100% }", []),
        ("require { }", ["require"]),
        ("require {\n  # nothing yet\n}", ["require"]),
        ("require { parameters < 1M }", []),
    ],
)
def test_a_block_that_varies_or_requires_nothing_is_found(lines: str, places: list[str]) -> None:
    text = SPEC + lines + "\n"
    found = [f for f in check(text) if f.name == "setting-without-effect"]
    assert [text[slice(*f.primary.span)] for f in found] == places


@pytest.mark.parametrize(
    ("written", "without"),
    [
        ("loss mse worst=100%;", "loss mse;"),
        ("batch 64 accumulate=1 }", "batch 64 }"),
        ("batch 64 }\nrequire { }\n", "batch 64 }\n"),
    ],
)
def test_what_only_says_nothing_is_removed(written: str, without: str) -> None:
    plain = SPEC.replace(" worst=25%", "")
    assert fix_source(Source(plain.replace(without, written))).source.text == plain
