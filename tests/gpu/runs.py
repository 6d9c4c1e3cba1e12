"""Runs of small models on a device."""

import torch
from torch import Tensor

from caedsl.backends.torch.instantiate import build
from caedsl.backends.torch.lower import lower
from caedsl.data.pixels import Pixels
from caedsl.model.autoencoder import Autoencoder
from caedsl.training.loop import Training
from caedsl.training.prepare import prepare
from tests.training.tiny import model_of

SPEC = """
autoencoder small
input {shape} in {range}
encoder {{ conv 8 s2 relu norm=batch; conv 8 s2 elu }}
bottleneck {code}
decoder mirror output={output}
train {{ epochs 10; seed 3; {lines} }}
"""


def run_on(
    device: torch.device,
    lines: str = "precision fp32",
    *,
    code: str = "dense 8",
    shape: str = "1x12x12",
    range: str = "0..1",
    output: str = "sigmoid",
    images: Tensor | Pixels | None = None,
    validation: int = 0,
) -> Training:
    """Return a run that is ready to start, with the same weights and images on every device."""
    model = small(
        lines if "batch" in lines else f"batch 16; {lines}", code=code, shape=shape, range=range, output=output
    )
    assert model.train is not None
    images = pictures(64, *model.input.shape) if images is None else images
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        module = build(model)
    program, index = lower(model), torch.arange(len(images))
    return prepare(
        module,
        images,
        model.train,
        train=index[validation:],
        validation=index[:validation],
        input_range=model.input.range,
        penalties=program.penalties,
        code=program.terms,
        device=device,
    )


def small(
    lines: str = "",
    *,
    code: str = "dense 8",
    shape: str = "1x12x12",
    range: str = "0..1",
    output: str = "sigmoid",
) -> Autoencoder:
    """Return the model of these runs."""
    return model_of(SPEC.format(lines=lines, code=code, shape=shape, range=range, output=output))


def pictures(count: int, *shape: int) -> Tensor:
    """Return smooth images between 0 and 1."""
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(count, shape[0], 3, 3, generator=generator)
    return torch.nn.functional.interpolate(coarse, shape[1:], mode="bilinear").contiguous()


def steps(run: Training, count: int) -> list[float]:
    """Take steps on the first batches, without waiting for the device between them; return their losses."""
    run.module.train()
    batches = list(run.train.in_order(16))
    torch.manual_seed(5)
    run.generator.manual_seed(5)
    with run.stepping():
        losses = [run.take_step(batches[number % len(batches)]).total for number in range(count)]
    return torch.stack(losses).tolist()
