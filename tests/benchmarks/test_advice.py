"""Every piece of advice in a rule can be trained by the fault benchmark."""

from benchmarks.faults.advice import advised
from caedsl.rules.engine.checking import check_source
from caedsl.source import Source


def test_every_alternative_of_advice_is_read_as_a_sound_spec() -> None:
    found = list(advised())
    assert {each.by for each in found} >= {"mismatched-sgd-rate", "low-learning-rate", "heavy-dropout"}
    assert [each.key for each in found if each.text is None] == []
    for each in found:
        assert each.text is not None and each.text != each.faulty, each.key
        assert not check_source(Source(each.text)).has_errors, each.key
