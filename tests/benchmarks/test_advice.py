"""Every piece of advice in a rule can be trained by the fault benchmark."""

import pytest

from benchmarks.faults.advice import advised
from benchmarks.faults.following import of_monitor
from caedsl.rules.engine.checking import check_source
from caedsl.source import Source


def test_every_alternative_of_advice_is_read_as_a_sound_spec() -> None:
    found = list(advised())
    assert {each.by for each in found} >= {"mismatched-sgd-rate", "low-learning-rate", "heavy-dropout"}
    assert [each.key for each in found if each.text is None] == []
    for each in found:
        assert each.text is not None and each.text != each.faulty, each.key
        assert not check_source(Source(each.text)).has_errors, each.key


@pytest.mark.parametrize(
    ("remedy", "alternatives"),
    [
        (
            "use `lr=1e-3`; up to 0.01 often works (`high-learning-rate` of `caedsl check`: adam with lr=1 moves every "
            "weight by up to 1 per step, but weights start at about 0.2)",
            ["`lr=1e-3`"],
        ),
        (
            "use `optimizer adam lr=1e-3`, or lr=10 (`mismatched-sgd-rate` of `caedsl check`: SGD with lr=50, or more)",
            ["`optimizer adam lr=1e-3`", "lr=10"],
        ),
        ("`norm=batch` or another `seed`", ["`norm=batch`", "another `seed`"]),
        ("use the images themselves as targets", []),
    ],
)
def test_what_a_monitor_repeats_of_check_is_read_as_the_advice_of_a_rule(remedy: str, alternatives: list[str]) -> None:
    assert of_monitor(remedy) == alternatives
