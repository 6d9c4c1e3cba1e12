"""Runs of small models on a device."""

import torch
from torch import Tensor

from caedsl.backends.torch.instantiate import build
from caedsl.backends.torch.lower import lower
from caedsl.data.stacks.pixels import Held, Pixels
from caedsl.model.autoencoder import Autoencoder
from caedsl.training.loop import Training
from caedsl.training.prepare import Targets, prepare
from caedsl.training.preprocessing import fit_preprocessing
from tests.training.tiny import model_of

SPEC = """
autoencoder small
input {shape} in {range}
{target}
{data}
encoder {{ conv 8 s2 relu {norm}; conv 8 s2 elu }}
bottleneck {code}
decoder mirror output={output}
train {{ epochs 10; seed 3; {lines} }}
"""


def run_on(
    device: torch.device,
    lines: str = "precision fp32",
    *,
    images: Tensor | Pixels | None = None,
    validation: int = 0,
    **place: str,
) -> Training:
    """Return a run that is ready to start, with the same weights and images on every device.

    ``place`` says what differs from the usual spec, see ``small``.
    """
    model = small(lines if "batch" in lines else f"batch 16; {lines}", **place)
    assert model.train is not None
    images = pictures(64, *model.input.shape) if images is None else images
    held = Held(images) if isinstance(images, Tensor) else images
    targets = Held(pictures(len(images), *model.target.shape)) if model.paired else None
    weights = torch.arange(len(images)).double() % 3 if model.weighted else None
    program, index = lower(model), torch.arange(len(images))
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        module = build(model)
    fit_preprocessing(module, model, held, index)
    return prepare(
        module,
        held,
        model.train,
        train=index[validation:],
        validation=index[:validation],
        targets=Targets(targets, None, model.target.range),
        weights=weights,
        input_range=model.input.range,
        penalties=program.penalties,
        code=program.terms,
        device=device,
    )


USUAL = {
    "shape": "1x12x12",
    "range": "0..1",
    "output": "sigmoid",
    "target": "",
    "data": "",
    "code": "dense 8",
    "norm": "norm=batch",
}


def small(lines: str = "", **place: str) -> Autoencoder:
    """Return the model of these runs."""
    values = {**USUAL, **place}
    if values["target"]:
        values["output"] = "linear"
    return model_of(SPEC.format(lines=lines, **values))


def pictures(count: int, *shape: int) -> Tensor:
    """Return smooth images between 0 and 1."""
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(count, shape[0], 3, 3, generator=generator)
    return torch.nn.functional.interpolate(coarse, shape[1:], mode="bilinear").contiguous()


def steps(run: Training, count: int) -> list[float]:
    """Take steps on the first batches, without waiting for the device between them; return their losses."""
    run.module.train()
    batches = list(run.train.in_order(run.settings.batch))
    with run.stepping():
        losses = [run.take_step(batches[number % len(batches)]).total for number in range(count)]
    return torch.stack(losses).tolist()
