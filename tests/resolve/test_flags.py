"""Options that are a word alone, written with a value."""

import pytest

from caedsl import check
from caedsl.rules.engine.example import whole_spec


@pytest.mark.parametrize(
    ("fragment", "help", "fixed"),
    [
        ("train { optimizer sgd momentum=0.9 nesterov=on }", "write `nesterov` alone", True),
        ("train { optimizer sgd momentum=0.9 nesterov=False }", "remove `nesterov=False`", False),
        ("train { augment flip=0.5 }", "write `flip` alone", False),
        ("encoder { conv 8 relu; maxpool 2 ceil=True }", "write `ceil` alone", True),
        ("encoder { conv 8 relu; maxpool 2 ceil=0 }", "remove `ceil=0`", False),
    ],
)
def test_a_word_alone_takes_no_value(fragment: str, help: str, fixed: bool) -> None:
    (found,) = [each for each in check(whole_spec(fragment)) if each.severity.value == "error"]
    assert found.name == "unknown-option"
    assert "takes no value" in found.message
    assert found.help == help
    assert (found.fix is not None) == fixed
