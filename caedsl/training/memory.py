"""Memory that is freed in one step and wanted again in the next."""

import ctypes
import platform
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST_BLOCK = 1 << 30
_USUAL_BLOCK = 128 << 10


def keep_freed_memory() -> None:
    """Tell the C library to keep what is freed for later allocations, instead of giving it back to the system.

    Activations are large blocks of the same sizes in every step. By default glibc maps each of them anew, and the system
    clears it page by page: a fifth to a third of the time of a step (``benchmarks/training.py`` has the figures). It holds
    for the whole process; memory beyond 1 GB a block is still given back, and other C libraries are left alone.
    """
    if _has_glibc():
        libc = ctypes.CDLL(None)
        libc.mallopt(_MMAP_THRESHOLD, _LARGEST_BLOCK)
        libc.mallopt(_TRIM_THRESHOLD, ctypes.c_int(-1))


def give_freed_memory_back() -> None:
    """Have the C library give back what it keeps, now and for large blocks from now on, whose sizes are no longer the same."""
    if _has_glibc():
        libc = ctypes.CDLL(None)
        libc.mallopt(_MMAP_THRESHOLD, _USUAL_BLOCK)
        libc.malloc_trim(0)


def _has_glibc() -> bool:
    return sys.platform == "linux" and platform.libc_ver()[0] == "glibc"
