"""What monitors look at: plain numbers, measured at moments that only the settings decide. Nothing here needs torch."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from caedsl.model.settings import Settled
from caedsl.runs.history import Epoch
from caedsl.vocabulary.shape import MOST_AXES, Shape, elements, noun, places, rank

ENOUGH_IMAGES = 128
"""Images that several probes in a row must agree on before something is said of a layer or of the output.

Of a single unit it is said after twice as many: one that fires for one image in a hundred is no dead one.
"""

PLATEAU_STEPS = 500
"""Steps at full rate before a still loss means anything: healthy nets leave the mean image at 40 to 240."""


class LayerFacts(NamedTuple):
    """A layer as monitors know it.

    ``words`` is its line, ``units`` counts its channels, or its numbers where it is dense.
    """

    words: str
    units: int


class LayerProbe(NamedTuple):
    """A layer on the images of one probe.

    ``size`` is the root mean square of its output, ``spread`` the same of what differs between images (the output less
    its mean over images). ``firing`` is the share of the channels of a ReLU that are above 0 for some image, None for
    other layers. ``gradient`` is the norm of the gradient of its kernel, None without one.
    """

    size: float
    spread: float
    firing: float | None
    gradient: float | None


class ProbeResult(NamedTuple):
    """What a few training images showed after ``step``: forward and backward as in training, and when judged.

    ``error`` is the mean squared error of the output in eval mode, ``mean_error`` that of the mean image,
    ``grey_error`` that of the best single value. ``output_spread`` and ``image_spread`` are the standard deviations
    over images of a pixel of the output and of the target, root mean square over pixels. ``loss`` is the
    reconstruction loss in eval mode, ``unevenness`` the standard deviation over images of the squared error while
    training, as a share of its mean. ``flat`` is the share of the squared error on pixels where the output's
    activation is flat, None where it never is. ``moving`` has one character for each unit of the code: ``1`` where
    it differs between images.
    """

    step: int
    full_steps: float
    layers: tuple[LayerProbe, ...]
    error: float
    mean_error: float
    grey_error: float
    output_spread: float
    image_spread: float
    loss: float
    unevenness: float
    flat: float | None
    moving: str

    @property
    def unexplained(self) -> float:
        """The share of the variance that is left: 1 is as bad as the mean image."""
        return self.error / self.mean_error if self.mean_error else 0.0


class LossWindow(NamedTuple):
    """The training losses of ``steps`` steps up to ``step``: their mean, and how they jump.

    ``jump`` is the root mean square of the difference between one step and the next, over the root of 2 (the standard
    deviation that independent losses would have), as a share of the mean; None for fewer than 8 whole batches.
    ``terms`` are the means of the terms of the loss by name.
    """

    step: int
    steps: int
    mean: float
    jump: float | None
    terms: dict[str, float]


class Broken(NamedTuple):
    """Where the first number that is not finite came from, found by taking the step again.

    ``layer`` is its number, None where it is the images themselves. ``what`` is ``images``, ``output``, ``loss``,
    ``gradient`` or ``weights``; ``value`` the largest number that went in.
    """

    layer: int | None
    what: str
    value: float


@dataclass(frozen=True)
class Facts:
    """What does not change in a run.

    ``code_layer`` and ``output_layer`` are the numbers of the layers that end the encoder and that give the
    reconstruction its values, None where there is none. ``penalised`` tells of penalties on weights, ``code_l1`` is the
    one on the code. ``rounds`` is how many probes in a row take ``ENOUGH_IMAGES`` different images, or half of all that
    can be had, and ``probed`` how many these are; ``images`` are those of one probe. ``judged_apart`` says that the
    model computes otherwise in eval mode, and ``counts_epochs`` that epochs are known.
    """

    layers: Sequence[LayerFacts]
    settings: Settled
    input_shape: Shape
    code_size: int
    code_layer: int | None
    output_layer: int | None
    penalised: bool
    code_l1: float
    rounds: int
    probed: int
    images: int
    judged_apart: bool
    counts_epochs: bool = True

    @property
    def input_size(self) -> int:
        """The numbers of a sample."""
        return elements(self.input_shape)

    @property
    def noun(self) -> str:
        """What a sample is called; a sample that a loop of one's own made may have any rank."""
        return noun(self.input_shape) if rank(self.input_shape) <= MOST_AXES else "sample"

    @property
    def places(self) -> str:
        """What the numbers of one channel are called."""
        return places(self.input_shape) if rank(self.input_shape) <= MOST_AXES else "values"


@dataclass
class RunSoFar:
    """All that is known of a run at a moment.

    ``probes`` and ``windows`` are the last ones, oldest first; ``first_probe`` and ``first_window`` the very first,
    ``best_window`` the one with the lowest loss and ``best_probe`` the probe at its end. ``epochs`` are the whole ones
    so far, ``full_steps`` the steps so far in units of one at the full learning rate: those of a warm-up count for
    less.
    """

    facts: Facts
    probes: list[ProbeResult] = field(default_factory=list)
    windows: list[LossWindow] = field(default_factory=list)
    first_probe: ProbeResult | None = None
    first_window: LossWindow | None = None
    best_window: LossWindow | None = None
    best_probe: ProbeResult | None = None
    epochs: Sequence[Epoch] = ()
    full_steps: float = 0.0
    broken: Broken | None = None

    def round(self, since: float = 0.0) -> Sequence[ProbeResult]:
        """Return the last probes that together took enough images, all after ``since`` steps at full rate.

        Else none.
        """
        return self._last(self.facts.rounds, since)

    def long_round(self) -> Sequence[ProbeResult]:
        """Return the last probes that together took twice as many; else none."""
        return self._last(2 * self.facts.rounds, 0.0)

    def _last(self, count: int, since: float) -> Sequence[ProbeResult]:
        last = self.probes[-count:]
        return last if len(last) == count and last[0].full_steps >= since else ()

    @property
    def had_time(self) -> bool:
        """Whether a healthy model would have left the mean image by now."""
        return self.full_steps >= PLATEAU_STEPS and (len(self.epochs) > 0 or not self.facts.counts_epochs)

    def take(self, probe: ProbeResult, window: LossWindow | None) -> None:
        """Add what was measured now, and forget what no monitor asks for."""
        self.first_probe = self.first_probe or probe
        self.probes = [*self.probes, probe][-2 * self.facts.rounds :]
        if window is not None:
            self.first_window = self.first_window or window
            self.windows = [*self.windows, window][-8:]
            if window.jump is not None and (self.best_window is None or window.mean < self.best_window.mean):
                self.best_window, self.best_probe = window, probe

    def state(self) -> dict[str, Any]:
        """Return what changes from moment to moment, as JSON holds it; ``epochs`` is known elsewhere."""
        return {name: getattr(self, name) for name in _CHANGING}

    def restore(self, state: dict[str, Any]) -> None:
        """Put what ``state`` gave, perhaps read back from JSON, in place."""
        self.probes = [_probe(row) for row in state["probes"]]
        self.windows = [LossWindow(*row) for row in state["windows"]]
        for name in ("first_probe", "best_probe"):
            setattr(self, name, _probe(state[name]) if state[name] is not None else None)
        for name in ("first_window", "best_window"):
            setattr(self, name, LossWindow(*state[name]) if state[name] is not None else None)
        self.full_steps = state["full_steps"]


_CHANGING = (
    "probes",
    "windows",
    "first_probe",
    "first_window",
    "best_window",
    "best_probe",
    "full_steps",
)


def _probe(row: Sequence[Any]) -> ProbeResult:
    probe = ProbeResult(*row)
    return probe._replace(layers=tuple(LayerProbe(*layer) for layer in probe.layers))
