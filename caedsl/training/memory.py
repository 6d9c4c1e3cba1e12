"""Memory that is freed in one step and wanted again in the next."""

import ctypes
import platform
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST_BLOCK = 1 << 30


def keep_freed_memory() -> None:
    """Tell the C library to keep what is freed for later allocations, instead of giving it back to the system.

    Activations are large blocks of the same sizes in every step. By default glibc maps each of them anew, and the system
    clears it page by page: a fifth to a third of the time of a step (``benchmarks/training.py`` has the figures). It holds
    for the whole process; memory beyond 1 GB a block is still given back, and other C libraries are left alone.
    """
    if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(_MMAP_THRESHOLD, _LARGEST_BLOCK)
    libc.mallopt(_TRIM_THRESHOLD, ctypes.c_int(-1))
