"""Subject of an examination: a model with its settings and images, from which new training runs are made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor

from caedsl.data.images import Images
from caedsl.data.sample import Sample, joined
from caedsl.diagnostics.finding import Finding
from caedsl.facts.outputs import output_layer
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Augment, Corrupt, Settled, settled
from caedsl.rules.engine.checking import check_source
from caedsl.runs.errors import TrainingError
from caedsl.training.batches import Batches
from caedsl.training.loop import Training
from caedsl.training.monitors.engine.places import Places
from caedsl.training.train import prepare_training

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Subject:
    """Model to examine.

    ``frozen`` names weights that the author's own module does not train. ``monitors`` names those that found something
    in a run, none for a spec. ``names`` maps lines of the spec to the author's names of the layers of an imported
    model, and ``modules`` paths in the module that the spec builds. ``weights`` are those of the imported model, None
    for a spec. ``file`` is the spec in a run folder, empty otherwise; the source of its model has the original spec's
    path, to which the paths of its data are relative. ``notes`` say how a run ended that did not finish.
    """

    model: Autoencoder
    settings: Settled
    images: Images
    device: torch.device = CPU
    frozen: frozenset[str] = frozenset()
    monitors: tuple[str, ...] = ()
    names: Mapping[int, Sequence[str]] = field(default_factory=dict)
    modules: Mapping[str, str] = field(default_factory=dict)
    weights: Mapping[str, Tensor] | None = None
    file: str = ""
    notes: tuple[str, ...] = ()

    def fresh(self, seed: int | None = None) -> Training:
        """Return a new training in 32 bits, with the initial weights of ``seed`` (by default the spec's seed)."""
        settings = replace(self.settings, precision="fp32", seed=self.settings.seed if seed is None else seed)
        training = prepare_training(self.model, settings, self.images, self.device)
        for name, weight in training.module.named_parameters():
            weight.requires_grad_(name not in self.frozen)
        return training

    def undisturbed(self) -> "Subject":
        """Return the same subject without corruption and augmentation."""
        return replace(self, settings=replace(self.settings, corrupt=Corrupt(), augment=Augment()))

    def changed(self, model: Autoencoder) -> "Subject":
        """Return a subject with the same images and another model; raise ``TrainingError`` if a number is ``auto``."""
        settings = settled(model.train) if model.train is not None else None
        if settings is None:
            raise TrainingError("the changed spec leaves numbers to be found")
        return replace(self, model=model, settings=settings)

    @cached_property
    def baseline(self) -> Training:
        """Training that takes no step and whose images are inspected."""
        return self.fresh()

    @property
    def train(self) -> Batches:
        """The training images."""
        return self.baseline.train

    @cached_property
    def test(self) -> Batches | None:
        """The test images; None if the source has none."""
        pixels, targets = self.images.test_pixels, self.images.test_targets
        return None if pixels is None else Batches(pixels, device=self.device, targets=targets)

    @property
    def held_out(self) -> Batches:
        """The validation images, or else the test images, or else those of training."""
        return self.baseline.validation or self.test or self.train

    @cached_property
    def findings(self) -> Sequence[Finding]:
        """Findings of ``caedsl check`` in the spec."""
        return check_source(self.model.source).findings

    @cached_property
    def places(self) -> Places:
        """Places of the layers in the spec."""
        return Places.of(self.model, self.model.source.text, self.shown_path)

    @property
    def shown_path(self) -> str:
        """Path that lines belong to; those of an imported model are lines of its spec, not of its file."""
        return f"spec of {self.path}" if self.names else self.path

    @property
    def path(self) -> str:
        """Path of what is examined."""
        return self.file or self.model.source.path

    def layer_place(self, number: int) -> str:
        """Return the place of a layer: its line and, for an imported model, the author's own name."""
        place = self.places.of_layer(number)
        return f"{place.shown}{self.own_names(place.line)}"

    def own_names(self, line: int) -> str:
        """Return the names that the author of an imported model gave the layers of a line; empty for a spec."""
        return f" ({', '.join(dict.fromkeys(self.names[line]))} of the model)" if line in self.names else ""

    def weight_name(self, name: str) -> str:
        """Return a weight's name, with the author's own name of its layer for an imported model."""
        path = next((path for path in self.modules if name.startswith(f"{path}.")), "")
        return f"{self.modules[path]}{name.removeprefix(path)}" if path else name

    @cached_property
    def output(self) -> int | None:
        """Number of the layer that gives the output its values."""
        layer = output_layer(self.model)
        return next((number for number, origin in enumerate(self.places.origins) if origin.layer is layer), None)


def some(batches: Batches, count: int) -> Sample:
    """Return ``count`` images, evenly spaced, as one batch."""
    chosen = batches.spread(count)
    return joined(chosen.in_order(min(512, max(1, len(chosen)))))
