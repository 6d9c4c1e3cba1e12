"""The device of a run."""

import torch

from caedsl.runs.errors import TrainingError
from caedsl.training.parallel.processes import current


def choose_device(wanted: str) -> torch.device:
    """``auto`` is CUDA where there is a device, else the CPU; one that is not there is a ``TrainingError``.

    Of processes that train together each gets a CUDA device of its own.
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
            f"device {device} was asked for, but this PyTorch ({torch.__version__}) is built without CUDA: "
            "use --device cpu, or install a CUDA build of PyTorch"
        )
    count = torch.cuda.device_count()
    if not torch.cuda.is_available() or (device.index or 0) >= count:
        found = f"{count} device{'s' * (count != 1)}" if count else "no usable device"
        raise TrainingError(f"device {device} was asked for, but PyTorch finds {found}: use --device cpu or auto")


def device_name(device: torch.device) -> str:
    """What people call the device."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
