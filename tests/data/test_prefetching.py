"""Prefetching: in order, bounded, and stopped when nothing more is needed."""

import os
import sys
import threading
from itertools import count

import pytest

from caedsl.data.stacks.prefetch import LOWEST_PRIORITY, ahead


def test_results_come_in_the_order_of_their_keys() -> None:
    first_done = threading.Event()

    def slow_at_first(key: int) -> int:
        if key == 0:
            first_done.wait(0.05)
        return key * key

    assert list(ahead(slow_at_first, range(20), most=4)) == [key * key for key in range(20)]


@pytest.mark.parametrize("most", [1, 2, 5])
def test_no_more_is_begun_than_may_wait(most: int) -> None:
    begun: list[int] = []
    results = ahead(begun.append, count(), most=most)
    for taken in range(1, 10):
        next(results)
        assert len(begun) <= taken + most - 1
    results.close()
    there = len(begun)
    assert there <= 9 + most - 1
    assert len(begun) == there


def test_an_error_comes_where_its_result_is_due() -> None:
    def fails_at_three(key: int) -> int:
        if key == 3:
            raise ValueError("three")
        return key

    results = ahead(fails_at_three, range(9), most=9)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(results)
    assert not any("ahead" in thread.name for thread in threading.enumerate())


@pytest.mark.skipif(sys.platform != "linux", reason="threads have priorities of their own on Linux")
def test_polite_threads_leave_the_processor_to_others() -> None:
    def priority(key: int) -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    own = priority(0)
    assert set(ahead(priority, range(5), most=2, polite=True)) == {LOWEST_PRIORITY}
    assert set(ahead(priority, range(5), most=2)) == {priority(0)} == {own}
