"""Environment of a run: enough to repeat the run, or to see why a repetition differs."""

import os
import platform
import shlex
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from caedsl.data.images import Images
from caedsl.data.split import SPLIT_SEED, split_sha256
from caedsl.diagnostics.text import text_of_path
from caedsl.machine.cores import WAIT_POLICY
from caedsl.model.autoencoder import Autoencoder
from caedsl.training.device import device_name
from caedsl.training.loop import Training
from caedsl.training.parallel.processes import current
from caedsl.version import __version__


def package_version(name: str) -> str | None:
    """Return the version of an installed package, or None if it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def environment_of(
    training: Training,
    model: Autoencoder,
    images: Images,
    data_dir: str | Path | None,
    split_seed: int = SPLIT_SEED,
) -> dict[str, Any]:
    """Return the content of ``environment.json``, including everything needed to find the same images again."""
    device, threads = training.train.device, training.threads
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
        "precision": training.precision.name,
        "seed": training.settings.seed,
        "data": {
            **_data(training, images, split_seed),
            "spec_folder": text_of_path(model.folder.absolute()),
            "data_dir": text_of_path(Path(data_dir).absolute()) if data_dir is not None else None,
        },
        "notes": list(images.notes),
        "command": text_of_path(shlex.join(sys.argv)),
    }


def _data(training: Training, images: Images, split_seed: int) -> dict[str, Any]:
    """Return the record of the samples: how many each part has, and the checksums that a resumed run compares."""
    held_out = training.validation
    return {
        "name": images.name,
        "sha256": images.sha256,
        "part_sha256": dict(images.part_sha256),
        "train": len(training.train),
        "validation": len(held_out) if held_out is not None else 0,
        "split_seed": split_seed,
        "split_sha256": split_sha256(held_out.index) if held_out is not None else None,
        "test": len(images.test_pixels) if images.test_pixels is not None else 0,
        "skipped": list(images.skipped),
    }


DECIDING = ("python", "torch", "platform", "device_name", "threads", "processes")
"""Entries that may change the last digits of a computation."""


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the differences from the environment that a run began in that may change the last digits."""
    return [f"{key} {before.get(key)}, now {now[key]}" for key in DECIDING if before.get(key) != now[key]]
