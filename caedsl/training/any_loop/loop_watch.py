"""Monitors for a training loop that caedsl did not write, called once per step."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from math import ceil
from types import MappingProxyType

import torch
from torch import Tensor, nn

from caedsl.data.sample import Sample, joined
from caedsl.diagnostics.finding import Finding
from caedsl.diagnostics.text import printable
from caedsl.model.data import InputRange, usual_range
from caedsl.model.settings import Settled
from caedsl.public import PublicNames
from caedsl.runs.history import Epoch
from caedsl.runs.trouble import Symptom, Trouble
from caedsl.training.any_loop.layers import Layout, layout_of
from caedsl.training.any_loop.loop_prober import (
    LoopProber,
    LossFunction,
    ProbedLoop,
    ReconstructionLoss,
    SampleDevice,
    units_alike,
)
from caedsl.training.monitors.engine.catalogue import every, find
from caedsl.training.monitors.engine.monitor_findings import MonitorFindings, window_of
from caedsl.training.monitors.engine.non_finite_origin import non_finite_weights, origin_in_batch
from caedsl.training.monitors.engine.observation import ENOUGH_IMAGES, Facts, NonFiniteOrigin, ProbeResult, RunSoFar
from caedsl.training.monitors.engine.pair_measurement import relation_of
from caedsl.training.monitors.engine.places import NamedPlace
from caedsl.training.monitors.engine.probe import differs_in_eval_mode, kernels
from caedsl.training.monitors.engine.probe_schedule import MOST_PROBED, ProbeSchedule
from caedsl.training.precision import Precision
from caedsl.vocabulary.shape import Shape

NOT_FINITE = "not-finite"
ENOUGH_PAIRS = 256
"""Number of samples that are compared with their targets."""
MOST_AVERAGED = 4096
"""Number of samples from which the mean image is computed, at most."""


class LoopWatch(PublicNames):
    """Monitors of a custom training loop.

    Call ``step`` once per step; it returns the new findings. ``troubles`` holds all findings so far. Watching does not
    change the loop's weights, gradients, running statistics or random numbers.
    """

    def __init__(
        self,
        module: nn.Module,
        settings: Callable[[int], Settled],
        *,
        loss: LossFunction = nn.functional.mse_loss,
        code: str | None = None,
        findings: Callable[[Shape, InputRange, int], Iterable[Finding]] = lambda shape, values, batch: (),
        names: Mapping[str, str] = MappingProxyType({}),
        say: Callable[[str], None] | None = None,
        optimizer: torch.optim.Optimizer | None = None,
    ) -> None:
        """Watch ``module``; see ``caedsl.watch``.

        ``settings`` returns the current settings for a batch size. ``findings`` returns the static findings for the
        model, given the shape and the range of samples and the batch size; it is called once a monitor finds something.
        ``names`` maps paths to the names of modules that are not shown by their paths. ``optimizer`` should have all
        trainable weights; layers that it lacks are reported, unless another one changes them.
        """
        if not isinstance(module, nn.Module):
            raise ValueError(f"`module` is {module!r:.80}, but must be a torch.nn.Module")
        if not callable(loss):
            raise ValueError(f"`loss` is {loss!r:.80}, but must be a function of a reconstruction and its target")
        self.module, self.settings, self.names = module, settings, names
        self._static = findings
        self._found: Sequence[Finding] | None = None
        self._loss, self._code, self._optimizer = loss, code, optimizer
        self._monitor_findings = MonitorFindings(self._place, self._findings, self._shown)
        self._say = say or _to_stderr
        self._steps = self._probes = 0
        self._epochs: list[Epoch] = []
        self._pending: list[tuple[Tensor, int]] = []
        self._largest_rate = 0.0
        self._full_steps = 0.0
        self._sum: Tensor | None = None
        self._averaged = 0
        self._epoch_losses: list[float] = []
        self._pairs: list[Sample] = []
        self._ended = False

    @property
    def troubles(self) -> Sequence[Trouble]:
        """Findings of the monitors so far."""
        return tuple(self._monitor_findings.troubles)

    def step(self, loss: Tensor | float, samples: Tensor, target: Tensor | None = None) -> Sequence[Trouble]:
        """Record a step and return the new findings of the monitors.

        ``loss`` is the loss of the step, ``samples`` the input of the module, and ``target`` the expected output, by
        default the samples themselves. Call it after ``optimizer.step()``. Samples of another size than the first ones
        are not probed. Raise ``ValueError`` for a loss or a target that does not belong to the samples.
        """
        aim = samples if target is None else target
        for name, given in (("samples", samples), ("target", aim)):
            _check_rows(name, given)
        kept = _number(loss)
        if len(aim) != len(samples):
            raise ValueError(f"`target` is for {len(aim):,} samples, but there are {len(samples):,}: pass one for each")
        if self._ended or not len(samples):
            return ()
        if self._steps == 0:
            self._begin(samples.detach(), aim.detach())
        self._steps += 1
        self._loop.step = self._steps
        self._full_steps += self._share_of_rate()
        alike = self._shapes == (samples.shape[1:], aim.shape[1:])
        if alike:
            self._average(aim.detach())
            if target is not None:
                self._compare_pairs(samples.detach(), aim.detach())
        self._pending.append((kept, len(samples)))
        finite = kept.device.type != "cpu" or bool(kept.isfinite())
        found: Sequence[Trouble] = ()
        if not finite or (alike and self._schedule.due(self._steps)):
            self.before_look()
            found = self._look(samples.detach(), aim.detach())
        if self._optimizer is not None and self._schedule.due(self._steps + 1):
            self._prober.keep_weights()
        return found

    def before_look(self) -> None:
        """Update a module that mirrors another one; called before each probe."""

    def epoch(self, validation: float | None = None) -> Sequence[Trouble]:
        """Record the end of an epoch and its validation loss; return the new findings of the monitors."""
        if self._ended or self._steps == 0:
            return ()
        pending = self._read()
        losses = self._epoch_losses or [losses[0] for losses, _ in pending] or [0.0]
        mean = sum(losses) / len(losses)
        rate = self._loop.settings.optimizer.lr
        self._epochs.append(Epoch(len(self._epochs) + 1, self._steps, mean, mean, validation, rate, 0.0, 0.0))
        self._epoch_losses = []
        self._seen.epochs = self._epochs
        return self._ask()

    def _begin(self, samples: Tensor, aim: Tensor) -> None:
        layout = layout_of(self.module, samples[:2], aim[:2], self._code)
        images = max(2, min(MOST_PROBED, len(samples) // 2))
        rounds = max(1, ceil(ENOUGH_IMAGES / images))
        device = samples.device
        precision = Precision("fp32", device.type)
        self._loop = ProbedLoop(
            self.module,
            self.settings(len(samples)),
            SampleDevice(device),
            precision,
            precision.scaler(),
            ReconstructionLoss(self._loss),
        )
        self._layout, self._images = layout, images
        self._shape, self._range = tuple(samples.shape[1:]), usual_range(aim.min().item(), aim.max().item())
        self._shapes = samples.shape[1:], aim.shape[1:]
        self._schedule = ProbeSchedule(images, len(samples))
        first = Sample(aim[:images], samples[:images])
        self._prober = LoopProber(self._loop, layout, first)
        self._seen = RunSoFar(self._facts(layout, rounds, samples))
        self._began_alike = {n for n, kernel in self._kernels().items() if kernel.any() and units_alike(kernel)}
        self._apart = {number: kernel.detach().clone() for number, kernel in self._not_optimized()}

    def _kernels(self) -> Mapping[int, Tensor]:
        return kernels(self.module, self._layout.layers)

    def _not_optimized(self) -> Iterable[tuple[int, Tensor]]:
        """Yield the number and the kernel of each layer that the optimizer does not have."""
        if self._optimizer is None:
            return
        held = {id(weight) for group in self._optimizer.param_groups for weight in group["params"]}
        for number, kernel in self._kernels().items():
            if id(kernel) not in held:
                yield number, kernel

    def _compare_pairs(self, samples: Tensor, aim: Tensor) -> None:
        """Collect the first pairs of samples and targets, and measure them once there are enough."""
        if self._seen.pairs is None:
            self._pairs.append(Sample(aim, samples))
            if sum(map(len, self._pairs)) >= ENOUGH_PAIRS:
                pairs, self._pairs = joined(self._pairs), []
                self._seen.pairs = relation_of(pairs.seen, pairs.target, 0)

    def _marked(self, probe: ProbeResult) -> ProbeResult:
        """Return a probe in which the layers that no optimizer trains, or whose units are all alike, are marked."""
        missing = dict(self._not_optimized())
        same = {number for number, start in self._apart.items() if number in missing and missing[number].equal(start)}
        alike = {number for number, kernel in self._kernels().items() if units_alike(kernel)}
        layers = (
            layer._replace(untrained=n in same, alike=n in alike, began_alike=n in self._began_alike)
            for n, layer in enumerate(probe.layers)
        )
        return probe._replace(layers=tuple(layers))

    def _facts(self, layout: Layout, rounds: int, samples: Tensor) -> Facts:
        return Facts(
            layers=[layer.facts for layer in layout.layers],
            settings=self._loop.settings,
            input_shape=tuple(samples.shape[1:]),
            code_size=layout.code_size,
            code_layer=layout.code,
            output_layer=layout.output,
            penalised=False,
            code_l1=0.0,
            code_topk=None,
            trained_codebook=False,
            rounds=rounds,
            probed=rounds * self._images,
            images=self._images,
            differs_in_eval_mode=differs_in_eval_mode(self.module),
            counts_epochs=False,
            findings=self._findings,
        )

    def _share_of_rate(self) -> float:
        """Return the current learning rate as a share of the largest one so far."""
        rate = self.settings(self._loop.settings.batch).optimizer.lr
        self._largest_rate = max(self._largest_rate, rate)
        return rate / self._largest_rate if self._largest_rate else 1.0

    def _average(self, aim: Tensor) -> None:
        if self._averaged < MOST_AVERAGED:
            total = aim.float().sum(dim=0)
            self._sum = total if self._sum is None else self._sum + total
            self._averaged += len(aim)

    def _read(self) -> list[tuple[list[float], int]]:
        """Return the losses recorded since the last call; waits for the device once."""
        pending, self._pending = self._pending, []
        values = torch.stack([loss.float().reshape(()) for loss, _ in pending]).tolist() if pending else []
        self._epoch_losses += values
        return [([value], count) for value, (_, count) in zip(values, pending, strict=True)]

    @torch.enable_grad()
    def _look(self, samples: Tensor, aim: Tensor) -> Sequence[Trouble]:
        pending = self._read()
        if not all(torch.isfinite(torch.tensor([losses[0] for losses, _ in pending]))):
            return self._non_finite(Sample(aim, samples))
        assert self._sum is not None
        self._prober.mean_image = self._sum / self._averaged
        self._prober.grey = self._prober.mean_image.mean()
        self._prober.now = samples[: self._images], aim[: self._images]
        self._seen.full_steps = self._full_steps
        self._seen.facts = replace(self._seen.facts, settings=self.settings(self._loop.settings.batch))
        probe = self._marked(self._prober.take(self._probes, self._full_steps))
        self._probes += 1
        self._seen.take(probe, window_of(self._steps, pending, self._loop.settings.batch, ()))
        return self._ask()

    def _non_finite(self, samples: Sample) -> Sequence[Trouble]:
        """Report where a non-finite number came from, and end the watch."""
        self._ended = True
        non_finite = non_finite_weights(self.module, self._layout.layers)
        found = NonFiniteOrigin(non_finite, "weights", 0.0) if non_finite is not None else None
        output = self._layout.output if self._layout.output is not None else len(self._layout.layers) - 1
        found = found or origin_in_batch(self._loop, self._layout.layers, output, samples)
        self._seen.non_finite = found or NonFiniteOrigin(output, "loss", 0.0)
        monitor = find(NOT_FINITE)
        assert monitor is not None
        return self._monitor_findings.ask((monitor,), self._seen, self._steps, len(self._epochs) + 1)

    def _ask(self) -> Sequence[Trouble]:
        return self._monitor_findings.ask(every(), self._seen, self._steps, len(self._epochs) + 1)

    def _findings(self) -> Sequence[Finding]:
        """Return the static findings for the model."""
        if self._found is None:
            self._found = tuple(self._static(self._shape, self._range, self._loop.settings.batch))
        return self._found

    def _place(self, symptom: Symptom) -> NamedPlace:
        if isinstance(symptom.where, int):
            layer = self._layout.layers[symptom.where]
            name = self.names.get(layer.paths[0], layer.paths[0])
            return NamedPlace(f"{name} (`{layer.facts.words}`)", name, None, 0)
        return NamedPlace(symptom.where.rpartition(".")[2], None, symptom.where, 0)

    def _shown(self, trouble: Trouble, lines: Sequence[str]) -> None:
        for line in lines[:1]:
            self._say(f"caedsl: {line}")
        for line in lines[1:]:
            self._say(f"  {line}")


def _check_rows(name: str, given: object) -> None:
    """Raise ``ValueError`` if ``given`` is not a tensor with one row per sample that a network can be trained on."""
    kind = _unusual(given) if isinstance(given, Tensor) else f"a {type(given).__name__}"
    if kind is not None:
        raise ValueError(f"`{name}` is {kind}, but must be a tensor with one row per sample")


def _unusual(given: Tensor) -> str | None:
    """Return what a tensor is that has no rows, no values in memory, or no place in a computation of gradients."""
    if given.is_nested:
        return "a nested tensor"
    if given.layout != torch.strided:
        return "a sparse tensor"
    if given.is_meta:
        return "a meta tensor, which has no values"
    if given.is_inference():
        return "a tensor of `torch.inference_mode`, which has no gradients"
    return None if given.dim() else "a single number"


def _number(loss: Tensor | float) -> Tensor:
    """Return the loss of a step; raise ``ValueError`` if it is not one real number."""
    try:
        kept = loss.detach() if isinstance(loss, Tensor) else torch.tensor(float(loss))
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"`loss` is {loss!r:.80}, but the loss of a step is a number or a tensor with one") from None
    if kept.is_meta or kept.is_complex():
        raise ValueError(f"`loss` is {kept!r:.80}, but the loss of a step is a real number")
    if kept.numel() != 1:
        raise ValueError(f"`loss` has {kept.numel():,} numbers, but the loss of a step is one: pass their mean")
    return kept


def _to_stderr(line: str) -> None:
    print(printable(line), file=sys.stderr)
