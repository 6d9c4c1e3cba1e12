"""Checks share what they know of texts, networks and layers; no result depends on the checks before it."""

import sys
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from caedsl.resolve import network
from caedsl.rules.engine.checking import Selection, check_source, examined
from caedsl.rules.engine.compiling import compiled
from caedsl.source import Source
from caedsl.syntax import parser
from caedsl.vocabulary import layer
from tests.conftest import SPECS
from tests.mutations import mutated

ENDS = (
    "",
    "\n# a comment\n",
    "\nlet unused = 3\n",
    "\nblock idle { conv 4 }\n",
    "\ndefaults conv norm=batch\n",
    "\ndata digits\n",
    "\nrequire { parameters < 10k }\n",
    '\nallow too-few-steps "short on purpose"\n',
    "\nsweep { train.optimizer.lr = 1e-3, 1e-2 }\n",
    "\n{",
)
SELECTIONS = (Selection(), Selection(frozenset({"unused-constant"})), Selection(None, frozenset({"unused-constant"})))

Check = tuple[str, str, Selection]


@st.composite
def checks(draw: st.DrawFn) -> list[Check]:
    """Return checks of texts that begin alike, or not, in one file or several."""
    beginnings = draw(st.lists(st.sampled_from([spec.read_text("utf-8") for spec in SPECS]) | mutated(), max_size=2))
    beginnings.append(draw(st.sampled_from([*beginnings, SPECS[0].read_text("utf-8")])))
    each = st.tuples(
        st.tuples(st.sampled_from(beginnings), st.sampled_from(ENDS)).map("".join),
        st.sampled_from(("<text>", "folder/one.cae")),
        st.sampled_from(SELECTIONS),
    )
    return draw(st.lists(each, min_size=2, max_size=6))


def forget() -> None:
    for cache in (examined, compiled, network._kept, parser._recent):
        cache.cache_clear()


def result(check: Check) -> str:
    text, path, selection = check
    checked = check_source(Source(text, path), selection)
    model = checked.model
    resolved = model and (
        model.places,
        model.train,
        model.complete,
        [(each.options, each.span) for _, each in model.layers()],
    )
    return repr((checked.findings, checked.failures, checked.spec, resolved))


def alone(check: Check) -> str:
    forget()
    with mock.patch.object(layer, "_MOST_FITS", 0):
        return result(check)


@settings(max_examples=60)
@given(checks())
def test_a_check_after_others_gives_what_it_gives_alone(each: list[Check]) -> None:
    expected = [alone(check) for check in each]
    forget()
    assert [result(check) for check in each] == expected
    examined.cache_clear()
    compiled.cache_clear()
    assert [result(check) for check in reversed(each)] == expected[::-1]


@settings(max_examples=10)
@given(checks())
def test_checks_in_several_threads_give_what_each_gives_alone(each: list[Check]) -> None:
    expected = [alone(check) for check in each]
    forget()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with mock.patch.object(layer, "_MOST_FITS", 2), ThreadPoolExecutor(4) as threads:
            assert list(threads.map(result, each)) == expected
    finally:
        sys.setswitchinterval(interval)
