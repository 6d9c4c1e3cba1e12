"""Environment of a run: enough to repeat the run, or to see why a repetition differs."""

import os
import platform
import shlex
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from caedsl.diagnostics.text import text_of_path
from caedsl.machine.cores import WAIT_POLICY
from caedsl.training.device import device_name
from caedsl.training.parallel.processes import current
from caedsl.training.precision import Precision
from caedsl.version import __version__


def package_version(name: str) -> str | None:
    """Return the version of an installed package, or None if it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def describe(
    device: torch.device,
    precision: Precision,
    threads: int | None,
    seed: int,
    data: dict[str, Any],
    notes: Sequence[str],
) -> dict[str, Any]:
    """Return the content of ``environment.json``; ``data`` describes the images, ``notes`` how they were prepared."""
    return {
        "caedsl": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": package_version("numpy"),
        "platform": platform.platform(),
        "device": str(device),
        "device_name": device_name(device),
        "threads": torch.get_num_threads() if threads is None else threads,
        "wait_policy": os.environ.get(WAIT_POLICY),
        "processes": current().count,
        "precision": precision.name,
        "seed": seed,
        "data": data,
        "notes": list(notes),
        "command": text_of_path(shlex.join(sys.argv)),
    }


DECIDING = ("python", "torch", "platform", "device_name", "threads", "processes")
"""Entries that may change the last digits of a computation."""


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the differences from the environment that a run began in that may change the last digits."""
    return [f"{key} {before.get(key)}, now {now[key]}" for key in DECIDING if before.get(key) != now[key]]
