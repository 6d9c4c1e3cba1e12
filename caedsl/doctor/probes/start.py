"""Inspect the network before its first step: signal and gradient by depth, and the output's dependence on the image."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from caedsl.doctor.evidence import StepProgress, silent
from caedsl.doctor.subject import Subject, some
from caedsl.training.loop import Training
from caedsl.training.monitors.engine.observation import ProbeResult
from caedsl.training.monitors.engine.probe import Prober, kernels
from caedsl.training.objective import weight_penalty

IMAGES = 128
OTHER_SEEDS = 3
"""Number of other random initialisations that are inspected too."""

INSENSITIVE = 1e-4
"""Spread of the output over images, as a share of the images' own spread: healthy networks start at 0.001 and above."""


@dataclass(frozen=True)
class LayerStart:
    """Layer at initialisation.

    ``size`` is the root mean square of its output, and ``spread`` that of the part that differs between images.
    ``firing`` is the share of its channels above 0 for some image (None without ReLU), ``gradient`` the norm of its
    kernel's gradient.
    """

    place: str
    size: float
    spread: float
    firing: float | None
    gradient: float | None


@dataclass(frozen=True)
class ImportedStart:
    """Network with the weights of an imported model.

    ``sensitivity`` and ``dead`` are those of ``StartEvidence``. ``growth`` is how many times as large the output of
    layer ``grown`` is as with new random weights, for the layer where that is most.
    """

    sensitivity: float
    dead: tuple[int, ...]
    growth: float
    grown: int


@dataclass(frozen=True)
class StartEvidence:
    """Network at initialisation.

    ``sensitivity`` is the spread of the output over images as a share of the images' own spread,
    ``other_sensitivities`` the same with other seeds. ``ratio`` is the gradient of the first kernel over that of the
    last. ``dead`` are the numbers of the layers that are 0 for every image. ``penalty`` is the weight penalty over the
    loss of the mean image. ``untrained`` names frozen weights, and ``ungraded`` numbers the layers whose kernel no
    gradient reaches. ``flat`` is the share of the error where the output's activation is flat. ``imported`` is the
    network with the weights of an imported model.
    """

    layers: tuple[LayerStart, ...]
    sensitivity: float
    other_sensitivities: tuple[float, ...]
    ratio: float | None
    dead: tuple[int, ...]
    penalty: float
    untrained: tuple[str, ...]
    ungraded: tuple[int, ...]
    flat: float | None
    imported: ImportedStart | None = None

    @property
    def insensitive(self) -> bool:
        """Whether the output does not depend on the image."""
        return self.sensitivity < INSENSITIVE

    @property
    def living_seeds(self) -> int:
        """Number of other seeds whose output depends on the image."""
        return sum(value >= INSENSITIVE for value in self.other_sensitivities)

    def lines(self) -> list[str]:
        """See ``Evidence``."""
        others = ", ".join(f"{value:.2g}" for value in self.other_sensitivities)
        found = [
            f"before training, the output varies {self.sensitivity:.2g} times as much as the images (with other seeds: "
            f"{others})"
        ]
        if self.ratio is not None:
            found.append(f"the gradient of the first kernel is {self.ratio:.2g} times that of the last one")
        if self.penalty:
            found.append(f"the weight penalty is {self.penalty:.2g} times the loss of the mean image")
        found += [f"{self.layers[number].place}: its output is 0 for every image" for number in self.dead]
        if self.imported is not None:
            found.append(
                f"with the weights in the model, the output varies {self.imported.sensitivity:.2g} times as much as "
                f"the images, and the outputs of layers are up to {self.imported.growth:.2g} times as large as with "
                "new random ones"
            )
        found += [f"{name} is not trained" for name in self.untrained]
        found += [f"{self.layers[number].place}: no gradient reaches its kernel" for number in self.ungraded]
        return found


class StartProbe:
    """Probe of the module."""

    name = "start"
    purpose = "examining the network before its first step"

    def run(self, subject: Subject, tell: StepProgress = silent) -> StartEvidence:
        """See ``Probe``."""
        training = subject.baseline
        seen = look(subject, training)
        others = []
        for number in range(OTHER_SEEDS):
            tell(number, OTHER_SEEDS)
            others.append(_sensitivity(look(subject, subject.fresh(subject.settings.seed + 1 + number))))
        tell(OTHER_SEEDS, OTHER_SEEDS)
        found = [layer.gradient for layer in seen.layers if layer.gradient is not None]
        weights = training.module.named_parameters()
        trained = kernels(training.module, subject.places.origins)
        return StartEvidence(
            layers=tuple(
                LayerStart(subject.layer_place(number), layer.size, layer.spread, layer.firing, layer.gradient)
                for number, layer in enumerate(seen.layers)
            ),
            sensitivity=_sensitivity(seen),
            other_sensitivities=tuple(others),
            ratio=found[0] / found[-1] if len(found) > 1 and found[-1] else None,
            dead=dead_layers(seen),
            penalty=_penalty(training),
            untrained=tuple(subject.weight_name(name) for name, weight in weights if not weight.requires_grad),
            ungraded=tuple(number for number in trained if not seen.layers[number].gradient),
            flat=seen.flat,
            imported=_imported(subject, seen),
        )


def look(subject: Subject, training: Training) -> ProbeResult:
    """Probe a training run, at its current step, on images that are the same each time."""
    images = some(training.train, min(IMAGES, max(2, len(training.train) // 2)))
    training.module.train()
    return Prober(training, subject.places.origins, subject.output, images, 1).take(0, 0.0)


def _imported(subject: Subject, random: ProbeResult) -> ImportedStart | None:
    """Return what the weights of an imported model do, compared with ``random`` ones; None for a spec."""
    if subject.weights is None:
        return None
    training = subject.fresh()
    training.module.load_state_dict(subject.weights)
    own = look(subject, training)
    growths = [after.size / max(before.size, 1e-12) for after, before in zip(own.layers, random.layers, strict=True)]
    most = max(range(len(growths)), key=growths.__getitem__)
    return ImportedStart(_sensitivity(own), dead_layers(own), growths[most], most)


def dead_layers(seen: ProbeResult) -> tuple[int, ...]:
    """Return the numbers of the ReLU layers that are 0 for every image although their input differs."""
    return tuple(
        number
        for number, layer in enumerate(seen.layers)
        if layer.firing == 0 and (number == 0 or seen.layers[number - 1].spread > 0)
    )


def _sensitivity(seen: ProbeResult) -> float:
    return seen.output_spread / seen.image_spread if seen.image_spread else 0.0


@torch.no_grad()
def _penalty(training: Training) -> float:
    """Return the penalty on the weights over the loss of the mean image."""
    penalties: Sequence[object] = training.objective.penalties
    if not penalties:
        return 0.0
    images = some(training.train, 512).target
    mean = training.objective.reconstruction(images.mean(dim=0).expand_as(images), images)
    return float(weight_penalty(training.module, training.objective.penalties) / mean.abs().clamp(min=1e-12))
