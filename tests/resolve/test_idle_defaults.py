"""Options of ``defaults`` that no layer takes, or that have no effect on those that do, are found and removed."""

import pytest

from caedsl.api import check
from caedsl.rules.engine.fixing import fix_source
from caedsl.source import Source

SPEC = """autoencoder a
input 1x16x16
{defaults}
encoder {{ conv 8 k4 s2 relu; conv 8 k4 s2 norm=batch relu bias=off }}
bottleneck dense 8
decoder mirror
"""


@pytest.mark.parametrize(
    ("defaults", "unused", "help", "fixed"),
    [
        ("defaults conv groups=2", "defaults conv groups=2", "for a grouped convolution write `g2`", ""),
        ("defaults conv std=0.1", "defaults conv std=0.1", "add `init=normal`", ""),
        ("defaults conv k5 relu", "defaults conv k5 relu", "move the line above", ""),
        ("defaults conv l2=1e-6 relu", "", "", "defaults conv l2=1e-6 relu"),
        ("defaults conv groups=2 l2=1e-6", "groups=2", "add `norm=group`", "defaults conv l2=1e-6"),
        ("defaults conv bias=off bias_init=torch", "bias_init=torch", "add `bias=on`", "defaults conv bias=off"),
        ("defaults conv l2=0", "l2=0", "choose another", ""),
        ("defaults conv l1=0.0 l2=1e-6", "l1=0.0", "choose another", "defaults conv l2=1e-6"),
        ("defaults conv dropout=0% l2=1e-6", "dropout=0%", "choose another", "defaults conv l2=1e-6"),
        ("defaults conv l2=1e-6\ndefaults conv l2=0", "defaults conv l2=1e-6", "", ""),
        ("defaults conv momentum=0.2", "", "", "defaults conv momentum=0.2"),
        ("defaults conv init=normal std=0.1", "", "", "defaults conv init=normal std=0.1"),
    ],
)
def test_a_default_that_nothing_takes_is_found_and_removed(defaults: str, unused: str, help: str, fixed: str) -> None:
    text = SPEC.format(defaults=defaults)
    found = [finding for finding in check(text) if finding.name == "unused-default"]
    assert [text[slice(*finding.primary.span)] for finding in found] == [unused] * bool(unused)
    assert all(help in finding.help for finding in found)
    expected = SPEC.format(defaults=fixed) if fixed else SPEC.replace("{defaults}\n", "").format()
    assert fix_source(Source(text)).source.text == expected


@pytest.mark.parametrize("option", ["x3", "x=3", "as fine"])
def test_what_belongs_to_a_single_line_is_no_default(option: str) -> None:
    (finding,) = (f for f in check(SPEC.format(defaults=f"defaults conv {option} l2=1e-6")) if f.code == "CAE131")
    assert finding.message == f"`{option}` cannot be a default: it belongs to a single line"
