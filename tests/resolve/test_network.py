"""Networks of texts that begin alike: the network is resolved once, and everything else is reported as if it were not."""

from caedsl.model.autoencoder import Autoencoder
from caedsl.resolve.resolve import resolve
from caedsl.source import Source
from caedsl.syntax.parser import parse

NETWORK = """autoencoder kept
input 1x16x16
data digits
let width = 16
let rate = 1e-3
block wide { conv width relu }
defaults conv norm=batch
defaults dense norm=batch
encoder { wide; maxpool 2 }
bottleneck dense 16
decoder mirror upsample=nearest
"""


def resolved(text: str) -> tuple[Autoencoder, list[str]]:
    source = Source(text)
    model, findings = resolve(parse(source)[0], source)
    assert model is not None
    return model, [f"{finding.name}: {finding.message}" for finding in findings]


def test_texts_that_begin_alike_share_the_network_and_its_facts() -> None:
    one, _ = resolved(NETWORK + "train { optimizer adam lr=rate }")
    other, _ = resolved(NETWORK + "train { optimizer sgd lr=rate; batch 16 }\nrequire { parameters < 5M }")
    assert other.encoder is one.encoder
    assert other.decoder is one.decoder
    assert other.network_facts is one.network_facts
    assert other.train != one.train
    assert other.place("decoder.upsample") == one.place("decoder.upsample") != one.place("decoder")


def test_a_change_before_the_network_or_in_it_gives_another() -> None:
    one, _ = resolved(NETWORK)
    for old, new in (("width = 16", "width = 32"), ("16x16", "32x32"), ("maxpool", "avgpool")):
        other, _ = resolved(NETWORK.replace(old, new))
        assert other.encoder is not one.encoder, new
        assert other.network_facts is not one.network_facts, new


def test_only_the_constants_of_its_own_text_count_as_used() -> None:
    _, used = resolved(NETWORK + "train { optimizer adam lr=rate }")
    _, unused = resolved(NETWORK + "train { batch 32 }")
    _, again = resolved(NETWORK + "train { optimizer adam lr=rate }")
    assert used == again == []
    assert unused == ["unused-constant: the constant `rate` is never used"]


def test_definitions_that_the_network_does_not_use_are_reported_again() -> None:
    text = NETWORK.replace("encoder {", "block idle { conv 4 }\nencoder { conv 8 as named;")
    first, second = (resolved(f"{text}train {{ batch {size} }}")[1] for size in (16, 32))
    assert len(first) == 3
    assert second == first


def test_a_network_with_findings_is_read_again() -> None:
    text = NETWORK.replace("relu", "rellu")
    first, second = (resolved(f"{text}train {{ batch {size}; optimizer adam lr=rate }}")[1] for size in (16, 32))
    assert len(first) == 1
    assert second == first
