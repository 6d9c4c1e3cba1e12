"""Training settings that change nothing in the run that they describe."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, cast

from caedsl.diagnostics.finding import Label
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.data import DataSource
from caedsl.model.settings import Schedule, Train
from caedsl.resolve.scope import Scope
from caedsl.source import Span
from caedsl.vocabulary.option import Written

_STEPS_PER_EPOCH = 10
_MOST_EPOCHS = 1000


class _Idle(NamedTuple):
    """A setting by its name, or by its name and an option; why it changes nothing, and what to do."""

    place: str
    message: str
    help: str


def report_idle_settings(train: Train, places: Mapping[str, Span], scope: Scope) -> None:
    """Report the settings that are written and have no effect."""
    for place, message, help_line in _idle(train, places):
        outer = place.rpartition(".")[0]
        span = places.get(f"train.{place}", places.get(f"train.{outer}"))
        if span is not None:
            scope.report("setting-without-effect", span, message, help=help_line)


def report_idle_sources(data: Sequence[DataSource], scope: Scope) -> None:
    """Report the sources that are never tried: those behind one that is always there, or behind themselves."""
    for place, source in enumerate(data):
        before = next((other for other in data[:place] if other.kind.always or other == source), None)
        if before is not None:
            why = "is always there" if before.kind.always else "stands here already"
            scope.report(
                "setting-without-effect",
                source.span,
                f"this source is never tried: `{before.name}` before it {why}",
                related=(Label(before.span, "tried first"),),
                help="write it before the other, or leave it out with its `else`",
            )
            return


def report_idle_target(model: Autoencoder, scope: Scope) -> None:
    """Report a ``target`` line that says what holds without it."""
    scope.report(
        "setting-without-effect",
        model.places["target"],
        "the target has the shape and the range of the input, and no source names targets",
        related=(Label(model.input.span, "the input"),),
        help='leave the line out, or name the targets: `data folder "noisy/" target="clean/"`',
    )


def _idle(train: Train, places: Mapping[str, Span]) -> Iterator[_Idle]:
    epochs = train.epochs
    lower = f"use a smaller number, or more than {epochs} epochs"
    if train.schedule.kind.watches:
        patience = train.schedule.number("patience")
        if patience >= epochs:
            message = f"the rate falls after {patience:g} epochs without a better loss, and the run has {epochs}"
            yield _Idle("schedule.patience", message, lower)
    elif "train.schedule" in places and _is_steady(train.schedule, epochs):
        message = f"`schedule {train.schedule.name}` never moves the rate within {epochs} epochs"
        yield _Idle("schedule", message, "choose an earlier epoch, or leave the line out")
    for option in (option for option in train.schedule.kind.own if option.written is Written.REST):
        moments = cast(tuple[int, ...], train.schedule.options[option.name])
        if min(moments) < epochs <= max(moments):
            message = f"the rate falls after epoch {max(moments)}, and the run has {epochs}"
            yield _Idle(f"schedule.{option.name}", message, "choose earlier epochs, or leave the late ones out")
    if train.stop.patience is not None and train.stop.patience >= epochs:
        message = f"a run of {epochs} epochs ends before {train.stop.patience} of them can pass without a better loss"
        yield _Idle("stop.patience", message, lower)
    for name, amounts in (("corrupt", train.corrupt.amounts()), ("augment", train.augment.amounts())):
        if f"train.{name}" in places and not amounts:
            yield _Idle(name, f"`{name}` changes no image: its amounts are 0", "write an amount, or leave the line out")


def _is_steady(schedule: Schedule, epochs: int) -> bool:
    """Whether the rate is the same at every epoch's first and last step; a constant one says so itself."""
    if schedule.kind.is_constant or epochs > _MOST_EPOCHS:
        return False
    steps = epochs * _STEPS_PER_EPOCH
    looked_at = (
        step for epoch in range(epochs) for step in (epoch * _STEPS_PER_EPOCH, (epoch + 1) * _STEPS_PER_EPOCH - 1)
    )
    return all(factor == 1.0 for factor in schedule.factors(looked_at, steps, _STEPS_PER_EPOCH))
