"""Search for the values that a spec leaves to ``auto``: first the batch size, then the learning rate for it.

The run uses them from its first step.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from caedsl.facts.settings_text import setting_text
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Train, settled
from caedsl.resolve.merging.overrides import override
from caedsl.resolve.settings_table import SETTINGS
from caedsl.source import Source
from caedsl.syntax.formatter import format_source
from caedsl.training.errors import memory_errors
from caedsl.training.loop import Training
from caedsl.training.parallel.processes import current
from caedsl.training.reporter import Reporter
from caedsl.training.search.batch import candidates, find_batch
from caedsl.training.search.learning_rate import find_rate
from caedsl.training.search.trials import copy_of, naming_what_fits
from caedsl.vocabulary.spelling import number_text

HARMLESS_RATE = 1e-6
"""Learning rate of trial steps that only measure time and memory."""


@dataclass(frozen=True)
class FoundNumbers:
    """Settings with all values found, and the model and the spec text that contain them.

    ``notes`` explain how each value was found.
    """

    model: Autoencoder
    settings: Train
    spec_text: str
    notes: tuple[str, ...] = ()


class _Numbers(NamedTuple):
    batch: int | None
    rate: float | None
    notes: tuple[str, ...]


def find_numbers(
    model: Autoencoder, spec_text: str, prepared: Callable[[Train], Training], images: int, reporter: Reporter
) -> FoundNumbers:
    """Find the values that ``model.train`` leaves to ``auto``; a model that leaves none is returned unchanged.

    If several processes train together, the first searches alone and the others wait for it. ``prepared`` returns a
    new run with the given settings, which trial steps may spoil. ``images`` is the number of images, including held-out
    ones. ``spec_text`` is a canonical text, and so is the returned one.
    """
    assert model.train is not None, "a spec without train has no numbers to find"
    settings = model.train
    if settled(settings) is not None:
        return FoundNumbers(model, settings, spec_text)
    numbers = current().from_first(lambda: _search(model, settings, prepared, images, reporter))
    for note in numbers.notes:
        reporter.note(note)
    changes: dict[str, str] = {}
    if numbers.batch is not None:
        settings = replace(settings, batch=numbers.batch)
        changes["train.batch"] = setting_text("batch", SETTINGS["batch"], settings)
    if numbers.rate is not None:
        settings, changes["train.optimizer.lr"] = _with_rate(settings, numbers.rate), number_text(numbers.rate)
    text, _ = format_source(override(Source(spec_text), changes))
    assert text is not None, "numbers in place of `auto` leave a spec without syntax errors"
    return FoundNumbers(replace(model, train=settings), settings, text, numbers.notes)


def _search(
    model: Autoencoder, settings: Train, prepared: Callable[[Train], Training], images: int, reporter: Reporter
) -> _Numbers:
    batch, rate, notes = None, None, []
    if isinstance(settings.batch, str):
        batch, note = _batch(model, settings, prepared, images, reporter)
        settings = replace(settings, batch=batch)
        notes.append(note)
    if isinstance(settings.optimizer.lr, str):
        rate, note = _rate(settings, prepared, reporter)
        notes.append(note)
    return _Numbers(batch, rate, tuple(notes))


def _with_rate(settings: Train, rate: float) -> Train:
    return replace(settings, optimizer=replace(settings.optimizer, lr=rate))


def _batch(
    model: Autoencoder, settings: Train, prepared: Callable[[Train], Training], images: int, reporter: Reporter
) -> tuple[int, str]:
    def on_size(done: int, total: int) -> None:
        reporter.loading("finding the batch size", done, total, "sizes")

    trial = copy_of(prepared(replace(_with_rate(settings, HARMLESS_RATE), batch=images)))
    wanted = candidates(model, settings, len(trial.train), trial.train.device.type == "cpu")
    try:
        found = find_batch(trial, wanted, on_size)
    finally:
        reporter.end()
    return found.batch, found.note


def _rate(settings: Train, prepared: Callable[[Train], Training], reporter: Reporter) -> tuple[float, str]:
    def on_step(done: int, total: int) -> None:
        reporter.loading("finding the learning rate", done, total, "steps")

    fresh = prepared(replace(_with_rate(settings, 1.0), ema=None))
    try:
        with naming_what_fits(fresh), memory_errors(fresh.settings.batch):
            found = find_rate(fresh, on_step)
    finally:
        reporter.end()
    return found.rate, found.note
