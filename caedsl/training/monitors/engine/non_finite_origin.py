"""Find the origin of a non-finite number by repeating its step and checking every layer.

The weights are frozen at the first non-finite loss (see ``caedsl.training.non_finite_guard``), so that the weights that
caused it are still there when the losses are read.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from caedsl.backends.torch.batch_parts import parts_of
from caedsl.backends.torch.program import LayerModules
from caedsl.backends.torch.seeds import derived_seed
from caedsl.data.sample import Sample
from caedsl.training.loop import Training
from caedsl.training.monitors.engine.observation import NonFiniteOrigin
from caedsl.training.monitors.engine.probe import forward, gradients, hooked, kernels, undisturbed
from caedsl.training.monitors.engine.probed import Located, Probed
from caedsl.training.sample import make_sample


def find_origin(
    training: Training, origins: Sequence[LayerModules], output: int | None, step: int | None
) -> NonFiniteOrigin | None:
    """Return where the loss of ``step`` became non-finite, or None if it stays finite when repeated.

    Without a ``step`` it is the validation loss. ``output`` is the index of the layer that gives the reconstruction its
    values.
    """
    non_finite = non_finite_weights(training.module, origins)
    if non_finite is not None:
        return NonFiniteOrigin(non_finite, "weights", 0.0)
    if step is None:
        training.module.eval()
    for clean in _parts(training, step):
        found = origin_in_batch(training, origins, output, clean)
        if found is not None:
            return found
    return None


def _parts(training: Training, step: int | None) -> Iterator[Sample]:
    """Yield the parts of a step as it computes them, or without a step the validation batches."""
    if step is not None:
        clean = _batch(training, step)
        yield from clean.split(parts_of(len(clean), training.settings.accumulate))
    elif training.validation is not None:
        yield from training.validation.in_order(training.settings.images_at_once)


def _batch(training: Training, step: int) -> Sample:
    """Return the samples of a step of the current epoch."""
    assert training.ledger is not None
    column = step - training.step + training.ledger.steps - 1
    order = derived_seed(training.settings.seed, "order", training.epoch)
    return next(iter(training.train.shuffled(training.settings.batch, order, skip=column)))


def non_finite_weights(module: nn.Module, origins: Sequence[Located]) -> int | None:
    """Return the index of the layer nearest to the output whose weights are not finite, or None.

    A non-finite gradient reaches the weights of its own layer and of all layers before it, but of none after it.
    """
    non_finite = None
    for number, origin in enumerate(origins):
        for path in origin.paths:
            for weight in module.get_submodule(path).parameters(recurse=False):
                if not weight.isfinite().all():
                    non_finite = number
    return non_finite


def origin_in_batch(
    training: Probed, origins: Sequence[Located], output: int | None, clean: Sample
) -> NonFiniteOrigin | None:
    """Return where the numbers of one batch become non-finite, forward or backward; None if they stay finite."""
    if not (clean.seen.isfinite().all() and clean.target.isfinite().all()):
        return NonFiniteOrigin(None, "images", 0.0)
    numbers = {path: number for number, origin in enumerate(origins) for path in origin.paths}
    largest = [clean.seen.abs().max().item()]
    found_in_output: list[NonFiniteOrigin] = []

    def watch(path: str, result: Tensor) -> None:
        if found_in_output:
            return
        if not result.isfinite().all():
            found_in_output.append(NonFiniteOrigin(numbers[path], "output", largest[-1]))
        largest.append(result.abs().max().item())

    with undisturbed(training, "autopsy") as draws:
        draws.begin(0, len(clean), device=clean.seen.device)
        sample = make_sample(clean, draws, training.input_range, training.settings.corrupt)
        with hooked(training.module, list(numbers), watch), torch.set_grad_enabled(training.module.training):
            prediction = forward(training, sample.seen)
        if found_in_output:
            return found_in_output[0]
        loss = training.objective.reconstruction(prediction, sample.target)
        if not loss.isfinite():
            return NonFiniteOrigin(output, "loss", prediction.abs().max().item())
        return _non_finite_gradient(training, origins, loss) if training.module.training else None


def _non_finite_gradient(training: Probed, origins: Sequence[Located], loss: Tensor) -> NonFiniteOrigin | None:
    """Return the first layer in the backward pass whose gradient is not finite, or None."""
    weights = kernels(training.module, origins)
    found = gradients(training, loss, tuple(weights.values()))
    for number, gradient in reversed(list(zip(weights, found, strict=True))):
        if gradient is not None and not gradient.isfinite().all():
            return NonFiniteOrigin(number, "gradient", loss.item())
    return None
