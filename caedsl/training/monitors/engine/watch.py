"""The callback that probes a run at intervals, asks the monitors, and reports each finding once.

All decisions here depend on the settings and the measurements, never on the clock; only on CUDA does the clock decide
how often probes are taken. If several processes train together, only the first watches, and the others wait for it when
they next exchange losses.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

from caedsl.data.sample import joined
from caedsl.diagnostics.finding import Finding
from caedsl.facts.outputs import output_layer
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.checking import examine
from caedsl.runs.history import Step
from caedsl.runs.run_folder import RunFolder
from caedsl.runs.trouble import Symptom, Trouble
from caedsl.training.errors import NotFiniteError, is_out_of_memory
from caedsl.training.loop import Callback, Training
from caedsl.training.monitors.engine.catalogue import Monitor, every, find
from caedsl.training.monitors.engine.monitor_findings import MonitorFindings, Say, window_of
from caedsl.training.monitors.engine.non_finite_origin import find_origin
from caedsl.training.monitors.engine.observation import Facts, LayerFacts, RunSoFar
from caedsl.training.monitors.engine.pair_measurement import relation_of
from caedsl.training.monitors.engine.places import NamedPlace, Places
from caedsl.training.monitors.engine.probe import Prober, differs_in_eval_mode
from caedsl.training.monitors.engine.probe_schedule import sizes
from caedsl.training.reporter import Reporter
from caedsl.vocabulary.bottlenecks.quantized import CODEBOOK_TERM
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.norms import MOMENTUM, MOMENTUM_OPTION
from caedsl.vocabulary.shape import elements
from caedsl.vocabulary.sparse_codes import KEPT
from caedsl.vocabulary.spelling import line

NOT_FINITE = "not-finite"
"""Monitor that is asked about a non-finite loss."""


class Watch(Callback):
    """Monitors of one run.

    ``say`` is called with each new trouble and the lines that the terminal shows for it.
    """

    def __init__(self, places: Places, say: Say, clock: Callable[[], float] = time.perf_counter) -> None:
        """Watch the model of ``places``."""
        self.places = places
        self._clock = clock
        # The findings of `caedsl check`: the advice of a monitor must not contradict them.
        self._check_findings = examine(places.model.source).findings
        self._monitor_findings = MonitorFindings(self._place, self.findings, say)
        self._restored: dict[str, Any] | None = None
        self._probes = 0
        self._read = 0
        self._pending: list[tuple[list[float], int]] = []
        """The losses (reconstruction, then terms) and the number of images of each step since the last probe."""
        self._output = self._number_of(output_layer(places.model))

    @property
    def troubles(self) -> list[Trouble]:
        """Findings so far."""
        return self._monitor_findings.troubles

    def on_start(self, training: Training) -> None:
        """Choose the images of the probes from the training images, and continue from a restored state."""
        images, rounds = sizes(training.train, training.settings.images_at_once)
        pool = joined(training.train.spread(2 * images * rounds).in_order(images))
        self._prober = Prober(
            training, self.places.origins, self._output, pool, max(1, min(2 * rounds, len(pool) // 2))
        )
        self._seen = RunSoFar(self._facts(training, rounds, len(pool) // 2, images), epochs=training.history.epochs)
        if pool.paired:
            self._seen.pairs = relation_of(pool.seen, pool.target, training.settings.seed)
        if self._restored is not None:
            self._seen.restore(self._restored)

    def on_step(self, training: Training, step: Step) -> str | None:
        """Probe the run if a probe is due; return "trouble" if a finding stops it."""
        assert training.ledger is not None
        due = training.probes.due(training.step)
        if not due and training.ledger.steps < training.steps_per_epoch:
            return None
        self._take_losses(training)
        if not due:
            return None
        self._seen.full_steps += self._rates(training)
        begun = self._clock()
        probe = self._prober.take(self._probes, self._seen.full_steps)
        self._probes += 1
        if training.train.device.type == "cuda" and training.processes.count == 1:
            training.probes.afford(self._clock() - begun, training.settings.batch / step.images_per_second)
        pending, self._pending = self._pending, []
        names = training.objective.names
        self._seen.take(probe, window_of(training.step, pending, training.settings.batch, names))
        return self._ask(training)

    def on_epoch(self, training: Training) -> str | None:
        """Ask the monitors after a complete epoch; return "trouble" if a finding stops the run."""
        if training.ledger is not None:
            return None
        self._seen.epochs = training.history.epochs
        return self._ask(training)

    def on_end(self, training: Training) -> None:
        """Find the origin of a non-finite number, if one ended the run."""
        if isinstance(training.failure, NotFiniteError):
            training.failure.origin = self._origin(training, training.failure)

    def _origin(self, training: Training, error: NotFiniteError) -> str:
        """Return the origin of the number in ``error``, in words; an empty string if it cannot be found."""
        try:
            self._seen.non_finite = find_origin(training, self.places.origins, self._output, error.step)
        except (RuntimeError, MemoryError) as failure:
            if not is_out_of_memory(failure):
                raise
            return "the layer is unknown, because there is not enough memory to repeat the whole step"
        monitor = find(NOT_FINITE)
        assert monitor is not None
        for symptom in monitor.look(self._seen):
            self._monitor_findings.record(
                monitor, symptom, error.step or training.step, _epoch(training), announced=False
            )
            return f"{self._place(symptom).shown}: {symptom.message}"
        return ""

    def record(self, monitor: Monitor, symptom: Symptom, step: int, epoch: int) -> None:
        """Record a finding that was made after the run."""
        self._monitor_findings.record(monitor, symptom, step, epoch)

    def state(self) -> dict[str, Any]:
        """Return the measurements and findings so far."""
        return {
            "seen": self._seen.state(),
            "probes": self._probes,
            "read": self._read,
            "pending": self._pending,
            "troubles": [vars(trouble) for trouble in self.troubles],
            "said": sorted(self._monitor_findings.said, key=str),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what ``state`` returned."""
        self._restored = state["seen"]
        self._probes, self._read = state["probes"], state["read"]
        self._pending = [(losses, images) for losses, images in state["pending"]]
        self._monitor_findings.troubles = [Trouble(**trouble) for trouble in state["troubles"]]
        self._monitor_findings.said = {(monitor, where) for monitor, where in state["said"]}

    def _facts(self, training: Training, rounds: int, probed: int, images: int) -> Facts:
        model = self.places.model
        encoding = [
            number for number, origin in enumerate(self.places.origins) if not origin.paths[0].startswith("decoder")
        ]
        layers = [origin.layer for origin in self.places.origins]
        return Facts(
            layers=[_layer_facts(layer) for layer in layers],
            settings=training.settings,
            input_shape=model.input.shape,
            code_size=elements(model.code_shape),
            code_layer=encoding[-1] if encoding else None,
            output_layer=self._output,
            penalised=bool(training.objective.penalties),
            code_l1=model.bottleneck.l1,
            code_topk=next((each.options[KEPT] for each in model.bottleneck.layers if KEPT in each.options), None),
            trained_codebook=CODEBOOK_TERM in model.bottleneck.weights,
            rounds=rounds,
            probed=probed,
            images=images,
            differs_in_eval_mode=differs_in_eval_mode(training.module),
            findings=self.findings,
        )

    def findings(self) -> Sequence[Finding]:
        """Return the findings of ``caedsl check``."""
        return self._check_findings

    def _number_of(self, layer: Layer | None) -> int | None:
        numbers = (number for number, origin in enumerate(self.places.origins) if origin.layer is layer)
        return next(numbers, None)

    def _rates(self, training: Training) -> float:
        """Return the number of steps since the last probe, each weighted by its share of the full learning rate."""
        settings, last = training.settings, self._seen.probes[-1].step if self._seen.probes else 0
        steps, an_epoch = training.steps, training.steps_per_epoch
        return sum(settings.schedule.factor(step, steps, an_epoch) for step in range(last, training.step))

    def _take_losses(self, training: Training) -> None:
        assert training.ledger is not None
        ledger = training.ledger
        new = slice(self._read, ledger.steps)
        self._pending += zip((row[1:] for row in ledger.rows[new]), ledger.sizes[new], strict=True)
        self._read = 0 if ledger.steps == training.steps_per_epoch else ledger.steps

    def _ask(self, training: Training) -> str | None:
        """Record new findings of the monitors; return "trouble" if they stop the run."""
        found = self._monitor_findings.ask(every(), self._seen, training.step, _epoch(training))
        return "trouble" if found and training.settings.on.trouble == "stop" else None

    def _place(self, symptom: Symptom) -> NamedPlace:
        where = symptom.where
        return self.places.of_layer(where) if isinstance(where, int) else self.places.of_setting(where)


def _layer_facts(layer: Layer) -> LayerFacts:
    return LayerFacts(
        line(layer),
        layer.out_shape[0],
        layer.activation.function,
        layer.norm,
        drops=layer.options.get(layer.kind.drop_option, 0.0) > 0,
        own_momentum=layer.options.get(MOMENTUM_OPTION, MOMENTUM) != MOMENTUM,
    )


def _epoch(training: Training) -> int:
    """Return the number of the current epoch, or of the last one."""
    return min(training.epoch, training.settings.epochs)


def watch_run(model: Autoencoder, recorded_text: str, shown_path: str, folder: RunFolder, reporter: Reporter) -> Watch:
    """Return the monitors of a run, which report their findings to ``reporter`` and record them in ``folder``.

    The record refers to lines of ``recorded_text``, the spec in the folder; the terminal refers to lines of
    ``model.source`` under the path ``shown_path``.
    """

    def say(trouble: Trouble, shown: Sequence[str]) -> None:
        folder.append_trouble(trouble)
        if shown:
            reporter.trouble(shown)

    return Watch(Places.of(model, recorded_text, shown_path), say)
