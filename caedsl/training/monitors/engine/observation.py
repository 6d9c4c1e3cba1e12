"""Measurements that monitors judge: plain numbers, taken at steps set by a schedule. Nothing here needs torch."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from caedsl.diagnostics.finding import Finding
from caedsl.facts.steps import LARGE_UPDATE, SMALL_UPDATE
from caedsl.model.settings import Settled
from caedsl.runs.history import Epoch
from caedsl.training.monitors.engine.pair_relation import PairRelation
from caedsl.vocabulary.activations import LINEAR
from caedsl.vocabulary.function import Function
from caedsl.vocabulary.norms import Norm
from caedsl.vocabulary.shape import MOST_AXES, Shape, elements, noun, places, rank

ENOUGH_IMAGES = 128
"""Number of images in consecutive probes before anything is reported about a layer or the output.

For single units twice as many are needed: a unit that fires for one image in a hundred is not dead.
"""

PLATEAU_STEPS = 500
"""Steps at full learning rate before a flat loss means anything: healthy networks leave the mean image at 40 to 240."""

FALLING = 0.95
"""A loss still falls if it is below this share of the loss ``AGO`` windows ago."""
AGO = 4


class LayerFacts(NamedTuple):
    """Static facts about a layer.

    ``words`` is its line in the spec, ``units`` the number of its channels, or of its outputs if it is dense.
    ``function`` is its activation, ``norm`` its normalisation; ``drops`` is True if it has dropout, ``own_momentum`` if
    its running averages have another momentum than by default.
    """

    words: str
    units: int
    function: Function = LINEAR.function
    norm: Norm | None = None
    drops: bool = False
    own_momentum: bool = False


class LayerProbe(NamedTuple):
    """Measurements of a layer on the images of one probe.

    ``size`` is the root mean square of its output, ``spread`` the root mean square of the output minus its mean over
    images. ``firing`` is the share of the channels of a ReLU that are above 0 for some image, or None for other layers.
    ``gradient`` is the norm of the gradient of its kernel, or None without one. ``cut`` is True if the kernel is
    trainable, but the reconstruction does not depend on it in a way that gives it a gradient. In a custom loop,
    ``untrained`` is True if the optimizer does not have the kernel, which has not changed either, ``alike`` if all
    units of the layer have the same weights, and ``began_alike`` if they had the same ones, not all 0, at the start.
    """

    size: float
    spread: float
    firing: float | None
    gradient: float | None
    cut: bool = False
    untrained: bool = False
    alike: bool = False
    began_alike: bool = False


class ProbeResult(NamedTuple):
    """Measurements on a few training images after ``step``, in train mode and in eval mode.

    ``error`` is the mean squared error of the output in eval mode, ``mean_error`` that of the mean image,
    ``grey_error`` that of the best single value. ``output_spread`` and ``image_spread`` are the standard deviations of
    a pixel over images, for the output and the target, as root mean square over pixels. ``loss`` is the reconstruction
    loss in eval mode. ``unevenness`` is the standard deviation over images of the squared error in train mode,
    relative to its mean. ``flat`` is the share of the squared error on pixels where the output's activation is flat, or
    None for an activation that is never flat. ``moving`` has one character per unit of the code, ``1`` if the unit
    differs between images.

    Only a custom loop's probes have the others: ``update`` is the size of the last step relative to the kernels, and
    ``passed`` the norm of the gradients that the optimizer got for it, over that of the reconstruction loss's.
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
    update: float | None = None
    passed: float | None = None

    @property
    def unexplained(self) -> float:
        """Unexplained share of the variance; 1 is as bad as the mean image."""
        return self.error / self.mean_error if self.mean_error else 0.0


class LossWindow(NamedTuple):
    """Training losses of the ``steps`` steps up to ``step``: their mean and their jump.

    ``jump`` is the root mean square of the difference between successive steps, divided by the square root of 2 (the
    standard deviation if losses were independent) and by the mean; None for fewer than 8 whole batches. ``terms`` are
    the means of the terms of the loss by name.
    """

    step: int
    steps: int
    mean: float
    jump: float | None
    terms: dict[str, float]


class NonFiniteOrigin(NamedTuple):
    """Origin of the first non-finite number, found by repeating the step.

    ``layer`` is the index of the layer, or None for the images themselves. ``what`` is ``images``, ``output``,
    ``loss``, ``gradient`` or ``weights``; ``value`` is the largest number in the input.
    """

    layer: int | None
    what: str
    value: float


@dataclass(frozen=True)
class Facts:
    """Facts that do not change in a run.

    ``code_layer`` and ``output_layer`` are the indices of the layers that return the code and that give the
    reconstruction its values, or None. ``penalised`` is True if weights are penalised; ``code_l1`` is the penalty on
    the code, ``code_topk`` the number of values that ``topk=`` keeps of it, and ``trained_codebook`` is True if the
    optimizer updates a codebook. ``rounds`` consecutive probes take ``probed`` different images: ``ENOUGH_IMAGES``, or
    fewer if there are not as many. ``images`` is the number of images in one probe. ``differs_in_eval_mode`` is True if
    the model computes differently in eval mode, ``counts_epochs`` if the epochs are known. ``findings`` returns the
    findings of ``caedsl check``, which no advice contradicts.
    """

    layers: Sequence[LayerFacts]
    settings: Settled
    input_shape: Shape
    code_size: int
    code_layer: int | None
    output_layer: int | None
    penalised: bool
    code_l1: float
    code_topk: int | None
    trained_codebook: bool
    rounds: int
    probed: int
    images: int
    differs_in_eval_mode: bool
    counts_epochs: bool = True
    findings: Callable[[], Iterable[Finding]] = tuple

    @property
    def input_size(self) -> int:
        """Number of values in a sample."""
        return elements(self.input_shape)

    @property
    def noun(self) -> str:
        """Noun for a sample; samples of a custom loop may have any rank."""
        return noun(self.input_shape) if rank(self.input_shape) <= MOST_AXES else "sample"

    @property
    def places(self) -> str:
        """Noun for the values of one channel."""
        return places(self.input_shape) if rank(self.input_shape) <= MOST_AXES else "values"


@dataclass
class RunSoFar:
    """Everything measured in a run so far.

    ``probes`` and ``windows`` are the most recent ones, oldest first; ``first_probe`` and ``first_window`` are the very
    first, ``best_window`` is the window with the lowest loss and ``best_probe`` the probe at its end. ``epochs`` are
    the complete epochs. ``full_steps`` counts the steps so far, each weighted by its share of the full learning rate.
    ``pairs`` compares samples with their targets, None if they are their own targets.
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
    non_finite: NonFiniteOrigin | None = None
    pairs: PairRelation | None = None

    def round(self, since: float = 0.0) -> Sequence[ProbeResult]:
        """Return the last probes that together took enough images, all after ``since`` steps at full rate.

        Return an empty sequence if there are not as many.
        """
        return self._last(self.facts.rounds, since)

    def long_round(self) -> Sequence[ProbeResult]:
        """Return the last probes that together took twice as many images, or an empty sequence."""
        return self._last(2 * self.facts.rounds, 0.0)

    def _last(self, count: int, since: float) -> Sequence[ProbeResult]:
        last = self.probes[-count:]
        return last if len(last) == count and last[0].full_steps >= since else ()

    @property
    def had_time(self) -> bool:
        """Whether a healthy model would have left the mean image by now."""
        return self.full_steps >= PLATEAU_STEPS and (len(self.epochs) > 0 or not self.facts.counts_epochs)

    @property
    def still_falls(self) -> bool:
        """Whether the training loss is clearly lower than a few windows ago."""
        windows = self.windows[-AGO:]
        return len(windows) == AGO and windows[-1].mean < FALLING * windows[0].mean

    @property
    def measures_steps(self) -> bool:
        """Whether the probes measure steps, as only those of a custom loop do."""
        return bool(self.probes) and self.probes[-1].update is not None

    @property
    def creeps(self) -> bool:
        """Whether the steps are known to be too small for the weights."""
        return self._updates(lambda update: update < SMALL_UPDATE)

    @property
    def leaps(self) -> bool:
        """Whether the steps are known to be too large for the weights."""
        return self._updates(lambda update: update > LARGE_UPDATE)

    def _updates(self, fits: Callable[[float], bool]) -> bool:
        last = self.probes[-self.facts.rounds :]
        return bool(last) and all(probe.update is not None and fits(probe.update) for probe in last)

    def take(self, probe: ProbeResult, window: LossWindow | None) -> None:
        """Add a probe and a window, and drop those that no monitor needs any more."""
        self.first_probe = self.first_probe or probe
        self.probes = [*self.probes, probe][-2 * self.facts.rounds :]
        if window is not None:
            self.first_window = self.first_window or window
            self.windows = [*self.windows, window][-8:]
            if window.jump is not None and (self.best_window is None or window.mean < self.best_window.mean):
                self.best_window, self.best_probe = window, probe

    def state(self) -> dict[str, Any]:
        """Return the changing measurements as JSON values; ``epochs`` are saved elsewhere."""
        return {name: getattr(self, name) for name in _CHANGING}

    def restore(self, state: dict[str, Any]) -> None:
        """Restore the result of ``state``, which may have been read back from JSON."""
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
