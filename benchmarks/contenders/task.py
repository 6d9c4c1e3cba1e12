"""The task of all contenders: a spec, its images and its settings."""

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from caedsl.data.sample import Sample, joined
from caedsl.model.autoencoder import Autoencoder
from caedsl.resolve.merging.overrides import override
from caedsl.resolve.resolve import resolve
from caedsl.source import Source
from caedsl.syntax.parser import parse
from caedsl.training.reporter import Reporter
from caedsl.training.train import load_images, prepare_training


@dataclass(frozen=True)
class Task:
    """Train the model of ``spec`` on the first ``images`` of its data, for ``epochs``, on ``device`` (cpu or cuda)."""

    spec: str
    images: int
    epochs: int
    device: str = "cpu"

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Task":
        return cls(**json.loads(text))

    @cached_property
    def model(self) -> Autoencoder:
        """Return the model, set to train on all images without holding any back."""
        source = Source(Path(self.spec).read_text("utf-8"), self.spec)
        before, _ = resolve(parse(source)[0], source)
        assert before is not None
        changed = override(
            source,
            {
                "data": " else ".join(f"{data.name} limit={self.images}" for data in before.data),
                "train.epochs": str(self.epochs),
                "train.validation": "0%",
                "train.schedule": "constant",
            },
        )
        model, findings = resolve(parse(changed)[0], changed)
        assert model is not None and model.complete and model.train is not None, findings
        return model

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def batch(self) -> int:
        assert self.model.train is not None
        return self.model.train.batch

    @property
    def lr(self) -> float:
        """Return the rate of Adam, for the peers."""
        assert self.model.train is not None
        assert self.model.train.optimizer.name == "adam", "the peers are written for Adam"
        return self.model.train.optimizer.lr

    @cached_property
    def _samples(self) -> Sample:
        assert self.model.train is not None
        images = load_images(self.model, None, Reporter())
        training = prepare_training(self.model, self.model.train, images, torch.device("cpu"))
        return joined(training.train.in_order(1024)).at(slice(0, self.images))

    @property
    def pixels(self) -> Tensor:
        """Return the samples, float32 N×C×space in the input's range."""
        return self._samples.seen.contiguous()

    @property
    def targets(self) -> Tensor | None:
        """What the model must return for them; None for the samples themselves."""
        return self._samples.target.contiguous() if self._samples.paired else None
