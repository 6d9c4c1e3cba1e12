"""The device that these tests run on."""

import os

import pytest
import torch


@pytest.fixture
def gpu() -> torch.device:
    """Return a CUDA device, or the one that ``CAEDSL_GPU_TESTS_ON`` names."""
    wanted = torch.device(os.environ.get("CAEDSL_GPU_TESTS_ON", "cuda"))
    if wanted.type == "cuda" and not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    return wanted


@pytest.fixture
def cuda(gpu: torch.device) -> torch.device:
    """Return a CUDA device: these tests cover features that a CPU lacks."""
    if gpu.type != "cuda":
        pytest.skip("this is about CUDA alone")
    return gpu
