"""Faults that a spec cannot show, injected into images, random weights or the module; and healthy controls.

Images are scikit-learn's digits at the size of the parent.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from caedsl.backends.torch.instantiate import build
from caedsl.data.images import Images
from caedsl.data.loading import load
from caedsl.data.stacks.pixels import Held
from caedsl.doctor.probes.start import dead_layers, look
from caedsl.doctor.reading import of_model
from caedsl.doctor.subject import Subject
from caedsl.resolve.merging.overrides import override
from caedsl.rules.engine.checking import check_source
from caedsl.source import Source

TESTS = 300


@dataclass(frozen=True)
class Hidden:
    """One kind of fault.

    ``causes`` are the correct diagnoses. ``images`` changes training and test images, ``settings`` the
    spec, ``frozen`` tells which weights are not trained.
    """

    name: str
    causes: frozenset[str]
    images: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]] = lambda train, test: (train, test)
    settings: Mapping[str, str] | None = None
    frozen: Callable[[str], bool] = lambda name: False
    targets: Callable[[Tensor, Tensor], Tensor] | None = None
    """What the network must return for training images and their labels, instead of the images."""
    normalised: bool = False
    """Whether it does harm in networks with batch normalisation alone."""
    starts_dead: bool = False
    """Whether narrow layers are added to the encoder, and a seed is taken with which they start dead."""


def _fault(name: str, cause: str, images: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]) -> Hidden:
    return Hidden(name, frozenset(cause.split()), images)


def _few(train: Tensor, count: int) -> Tensor:
    return train[:count].repeat(-(-len(train) // count), 1, 1, 1)[: len(train)]


HIDDEN = (
    _fault("divided twice", "image-scale", lambda train, test: (train / 255, test / 255)),
    Hidden("declared 0..255, stored 0..1", frozenset({"image-scale"}), settings={"input": "{shape} in 0..255"}),
    _fault("copies of 30 images", "duplicate-images", lambda train, test: (_few(train, 30), test)),
    _fault("one image", "constant-images", lambda train, test: (train[:1].expand_as(train).contiguous(), test)),
    _fault("test images in training", "leaking-split", lambda train, test: (train, train[:TESTS])),
    _fault("test divided twice", "evaluation-preprocessing", lambda train, test: (train, test / 255)),
    _fault("test inverted", "evaluation-preprocessing", lambda train, test: (train, 1 - test)),
    Hidden(
        "test brighter, under batch normalisation",
        frozenset({"shifted-split"}),
        lambda train, test: (train, (0.7 * test + 0.3)),
        normalised=True,
    ),
    Hidden("encoder frozen", frozenset({"frozen-layer"}), frozen=lambda name: name.startswith("encoder")),
    Hidden(
        "targets shuffled",
        frozenset({"unrelated-target"}),
        targets=lambda train, labels: train.roll(len(train) // 2, 0),
    ),
    Hidden(
        "labels as targets",
        frozenset({"label-target"}),
        targets=lambda train, labels: (labels / 9).float()[:, None, None, None].expand_as(train).contiguous(),
    ),
    Hidden("dead with this seed", frozenset({"dead-start"}), starts_dead=True),
    Hidden("code of one number", frozenset({"code-too-small"}), settings={"bottleneck": "dense 1"}),
    Hidden("code of two numbers", frozenset({"code-too-small"}), settings={"bottleneck": "dense 2"}),
)


NARROW = "conv 2 k1 s1 relu norm=none x2"
"""Layers that are dead at the start with about every fifth seed."""


def subject(text: str, seed: int, hidden: Hidden | None = None) -> Subject | None:
    """Return the parent with or without a fault, or None if the fault cannot be injected."""
    if hidden is not None and hidden.starts_dead:
        return _dead(text, seed)
    model = check_source(Source(text)).model
    assert model is not None
    loaded = load(model)
    order = torch.randperm(len(loaded), generator=torch.Generator().manual_seed(seed))
    pixels, targets = loaded.train[order], None
    train, test = pixels[TESTS:], pixels[:TESTS]
    changes = {"train.seed": str(seed)}
    frozen: list[str] = []
    if hidden is not None:
        if (hidden.normalised and "norm=batch" not in text) or (
            hidden.settings and "bottleneck" in hidden.settings and "bottleneck dense" not in text
        ):
            return None
        train, test = hidden.images(train, test)
        if hidden.targets is not None and loaded.labels is not None:
            targets = hidden.targets(train, loaded.labels[order][TESTS:])
        shape = "x".join(map(str, model.input.shape))
        changes |= {name: value.format(shape=shape) for name, value in (hidden.settings or {}).items()}
        frozen = [name for name, _ in build(model).named_parameters() if hidden.frozen(name)]
    changed = check_source(override(Source(text), changes)).model
    assert changed is not None
    return of_model(changed, images=_held(loaded, train, test, targets), device="cpu", frozen=frozen)


def _dead(text: str, seed: int) -> Subject | None:
    """Return the parent with narrow layers after its encoder, and the first seed from ``seed`` on that starts dead."""
    if re.search(r"encoder[^}]*dense", text):
        return None
    narrow = re.sub(r"\s*\}\s*\nbottleneck", f"\n  {NARROW}\n}}\nbottleneck", text)
    first = subject(narrow, seed)
    assert first is not None
    for tried in range(seed, seed + 50):
        if dead_layers(look(first, first.fresh(tried))):
            made = subject(narrow, tried)
            if made is not None and dead_layers(look(made, made.baseline)):
                return made
    return None


def _held(loaded: Images, train: Tensor, test: Tensor, targets: Tensor | None) -> Images:
    # Treat them as the author's own files, of which nothing is known before they are examined.
    unnamed = replace(loaded.source, name="npy", path="digits.npy")
    return replace(
        loaded,
        source=unnamed,
        train_pixels=Held(train),
        test_pixels=Held(test) if targets is None else None,
        train_targets=None if targets is None else Held(targets),
        labels=None,
        test_labels=None,
    )


CONTROLS: Mapping[str, Mapping[str, str]] = {
    "as it is": {},
    "rate 3e-3": {"train.optimizer.lr": "3e-3"},
    "rate 5e-4": {"train.optimizer.lr": "5e-4"},
    "bce": {"train.loss": "bce"},
    "mae": {"train.loss": "mae"},
    "small batches": {"train.batch": "16"},
    "adamw with onecycle": {"train.optimizer": "adamw lr=3e-3", "train.schedule": "onecycle"},
    "denoising": {"train.corrupt": "gaussian=0.2"},
}
"""Healthy variants of a parent: nothing may be named of them."""
