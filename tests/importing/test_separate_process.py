"""The process that reads a stranger's file may fail in any way, and the program reports what happened."""

import sys

import numpy as np
import pytest

from caedsl.importing.separate_process import SeparateProcess, SeparateProcessError


def served() -> SeparateProcess:
    return SeparateProcess("tests.importing.served:Served", b"abc", memory=256 << 20, seconds=1)


def test_calls_are_answered_with_values_and_arrays() -> None:
    apart = served()
    assert apart.call("size") == 3
    for shape in ((2, 3), (0, 4), ()):
        array = np.ones(shape, np.float32)
        assert np.array_equal(apart.call("doubled", arrays=[array]), 2 * array)
    apart.close()


def test_an_error_is_reported_and_the_next_call_answered() -> None:
    apart = served()
    for name, kind in (("refuse", "KeyError"), ("objects", "TypeError")):
        with pytest.raises(SeparateProcessError) as told:
            apart.call(name)
        assert told.value.kind == kind and "\n" not in str(told.value)
    assert apart.call("size") == 3


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not keep this limit")
def test_memory_is_limited() -> None:
    with pytest.raises(SeparateProcessError) as told:
        served().call("take_memory")
    assert told.value.kind == "MemoryError"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits and signals")
@pytest.mark.parametrize(("name", "kind"), [("loop", "SIGXCPU"), ("crash", "SIGABRT")])
def test_an_endless_loop_and_a_crash_end_that_process_alone(name: str, kind: str) -> None:
    apart = served()
    for _ in range(2):  # it stays ended
        with pytest.raises(SeparateProcessError) as told:
            apart.call(name)
        assert told.value.kind == kind
