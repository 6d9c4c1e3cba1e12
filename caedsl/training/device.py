"""The device of a run, its memory between steps, and its choice of kernels."""

import ctypes
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from caedsl.diagnostics.text import counted
from caedsl.runs.errors import TrainingError
from caedsl.training.parallel.processes import current

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST_BLOCK = 1 << 30
_USUAL_BLOCK = 128 << 10


def choose_device(wanted: str) -> torch.device:
    """Return the device ``wanted``; ``auto`` is CUDA if available, else the CPU.

    Each of several processes that train together gets its own CUDA device. Raise ``TrainingError`` if the device is
    unknown or not available.
    """
    if wanted == "auto":
        return current().device(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    try:
        device = torch.device(wanted)
    except RuntimeError as error:
        raise TrainingError(f"unknown device `{wanted}`: use auto, cpu or cuda") from error
    if device.type not in ("cpu", "cuda"):
        raise TrainingError(f"device {wanted} is not supported: use auto, cpu or cuda")
    if device.type == "cuda":
        _require_cuda(device)
    return current().device(device)


def _require_cuda(device: torch.device) -> None:
    if torch.version.cuda is None and torch.version.hip is None:
        raise TrainingError(
            f"device {device} is not available: this PyTorch ({torch.__version__}) is built without CUDA; use --device "
            "cpu, or install a CUDA build of PyTorch"
        )
    count = torch.cuda.device_count()
    if not torch.cuda.is_available() or (device.index or 0) >= count:
        found = counted(count, "device") if count else "no usable device"
        raise TrainingError(f"device {device} is not available: PyTorch finds {found}; use --device cpu or auto")


CAPTURED = ("cuda",)
"""Device types on which a step can be captured and replayed."""


def captures(device: torch.device) -> bool:
    """Return whether a step can be captured and replayed on ``device``."""
    return device.type in CAPTURED


@contextmanager
def computing_with(threads: int | None) -> Iterator[None]:
    """Compute with this many CPU threads within the block; None keeps PyTorch's number."""
    before = torch.get_num_threads()
    if threads is not None:
        torch.set_num_threads(threads)
    try:
        yield
    finally:
        if threads is not None:
            torch.set_num_threads(before)


def device_name(device: torch.device) -> str:
    """Return a readable name of the device."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"


@contextmanager
def keeping_freed_memory(device: torch.device) -> Iterator[None]:
    """Make the C library keep freed main memory for later allocations within the block.

    Activations are large blocks of the same sizes in every step. By default glibc maps each of them again, and the
    system clears it page by page, which takes a fifth to a third of the time of a step (``benchmarks/training.py``
    measures it). The setting applies to the whole process, and the memory is released at the end of the block.
    Allocations above 1 GiB are still released at once. Other C libraries and other devices are not affected.
    """
    if device.type != "cpu" or not _has_glibc():
        yield
        return
    libc = ctypes.CDLL(None)
    # Older versions refuse so large a threshold; the other setting alone would make every large block slower.
    if libc.mallopt(_MMAP_THRESHOLD, _LARGEST_BLOCK):
        libc.mallopt(_TRIM_THRESHOLD, ctypes.c_int(-1))
    try:
        yield
    finally:
        give_freed_memory_back()


def give_freed_memory_back() -> None:
    """Release the memory that the C library keeps, and stop keeping large blocks from now on."""
    if _has_glibc():
        libc = ctypes.CDLL(None)
        libc.mallopt(_MMAP_THRESHOLD, _USUAL_BLOCK)
        libc.mallopt(_TRIM_THRESHOLD, _USUAL_BLOCK)
        libc.malloc_trim(0)


def _has_glibc() -> bool:
    return sys.platform == "linux" and platform.libc_ver()[0] == "glibc"


_CUBLAS_WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"
"""Setting that cuBLAS needs for reproducible results: a fixed workspace, read when cuBLAS is first used."""


def fix_cublas_workspace(device: torch.device) -> None:
    """Give cuBLAS a fixed workspace, unless the user has set one. Call this before the first product on CUDA."""
    if device.type == "cuda":
        os.environ.setdefault(_CUBLAS_WORKSPACE, ":4096:8")


@contextmanager
def timed_convolutions(device: torch.device, wanted: bool) -> Iterator[None]:
    """Let cuDNN time its kernels once per shape within the block and use the fastest, if ``wanted``."""
    before = torch.backends.cudnn.benchmark
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = wanted
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before


@contextmanager
def deterministic_kernels(device: torch.device, wanted: bool) -> Iterator[None]:
    """Use only deterministic kernels on CUDA within the block, if ``wanted``.

    Raise ``TrainingError`` for an operation without such a kernel. CPU kernels are deterministic anyway.
    """
    if not wanted or device.type != "cuda":
        yield
        return
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        yield
    except RuntimeError as error:
        operation, found, _ = str(error).partition(" does not have a deterministic implementation")
        if not found:
            raise
        raise TrainingError(
            f"`seed … deterministic` is not possible with this spec on CUDA, because PyTorch's {operation} has no "
            "deterministic kernel: remove `deterministic`, or use `--device cpu`"
        ) from error
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
