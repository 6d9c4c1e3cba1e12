"""A word of a shipped spec with two letters swapped, or a mark of another language, gives one finding."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import ROOT
from tests.resolve.one_mistake.cases import errors, faults_of_language, hold_one_finding, in_encoder, whole

SPECS = [path.read_text("utf-8") for path in sorted((ROOT / "specs").glob("*.cae"))]
DAMAGES = {"colon": "{}:", "comma": "{},", "brackets": "[{}]", "upper case": None}
BESIDE_THE_RIGHT_WORD = [
    (in_encoder("conv 8 kernel_size=3 k5 relu; conv 8 relu"), "`k3`"),
    (in_encoder("conv 8 rleu relu; conv 8 relu"), "`relu`"),
    (in_encoder("conv 8 nrom=batch norm=batch relu; conv 8 relu"), "`norm=batch`"),
    (whole(train="train { batch 8; bacth 3 }"), "`batch`"),
    (whole(train="train { bacth 3; batch 8 }"), "`batch`"),
    (whole(train="train { optimiser sgd lr=1; optimizer adam }"), "`optimizer`"),
    (whole(train="train { loss huber detla=1 delta=2 }"), "`delta`"),
    (whole(train="train { optimizer adam learning_rate=1e-4 lr=1e-3 }"), "`lr=1e-4`"),
    (whole(bottleneck="bottleneck variational 8 bata=2 beta=3"), "`beta=2`"),
]
"""A misspelt word beside the one that it means; what remains after its correction is another mistake."""


@pytest.mark.parametrize(("text", "shown"), BESIDE_THE_RIGHT_WORD)
def test_a_misspelt_word_beside_the_right_one_is_one_finding(text: str, shown: str) -> None:
    hold_one_finding(text, shown)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_misspelt_word_gives_one_error(data: st.DataObject) -> None:
    """Swapping two letters in one word of a shipped spec gives at most one error, wherever the word is."""
    text = data.draw(st.sampled_from(SPECS))
    words = [
        match
        for match in re.finditer(r"[A-Za-z_]{4,}", re.sub(r'#.*|"[^"]*"', lambda m: " " * len(m[0]), text))
        if match[0][1] != match[0][2]
    ]
    word = data.draw(st.sampled_from(words))
    swapped = word[0][0] + word[0][2] + word[0][1] + word[0][3:]
    found = errors(text[: word.start()] + swapped + text[word.end() :])
    assert len(found) <= 1, [finding.message for finding in found]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_word_with_a_mark_of_another_language_gives_one_error(data: st.DataObject) -> None:
    """A colon, a comma, brackets or capitals at one word of a shipped spec give at most one error."""
    text = data.draw(st.sampled_from(SPECS))
    words = list(re.finditer(r"[A-Za-z_]{3,}", re.sub(r'#.*|"[^"]*"', lambda m: " " * len(m[0]), text)))
    word, mark = data.draw(st.sampled_from(words)), data.draw(st.sampled_from(sorted(DAMAGES)))
    damaged = (DAMAGES[mark] or word[0].upper()).format(word[0])
    found = faults_of_language(text[: word.start()] + damaged + text[word.end() :])
    assert len(found) <= 1, found
