"""Training settings that have no effect in their run."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, cast

from caedsl.diagnostics.finding import Label
from caedsl.diagnostics.text import counted
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.data import DataSource
from caedsl.model.settings import Amount, Schedule, Train
from caedsl.model.sweep import Sweep
from caedsl.resolve.scope import Scope
from caedsl.resolve.unused import removing, removing_part
from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.syntax.extent import end
from caedsl.vocabulary.corruptions import MEAN, NOISES
from caedsl.vocabulary.option import Written
from caedsl.vocabulary.schedules import PATIENCE

_STEPS_PER_EPOCH = 10
"""Steps that an epoch is taken to have: the number of images is not known yet."""
_MOST_EPOCHS = 1000
"""Longest run whose schedule is evaluated; a longer one is not reported."""


class _Idle(NamedTuple):
    """Setting by its name, or by its name and an option, the reason why it has no effect, and the remedy.

    ``switched_off`` says that the option has the value with which it does nothing, so that it can be removed.
    """

    place: str
    message: str
    help: str
    switched_off: bool = False


def report_idle_settings(train: Train, places: Mapping[str, Span], scope: Scope) -> None:
    """Report the written settings that have no effect."""
    for place, message, help_line, switched_off in _idle(train, places):
        outer = place.rpartition(".")[0]
        span = places.get(f"train.{place}", places.get(f"train.{outer}"))
        if span is not None:
            fix = removing_part(span, "option", scope) if switched_off else None
            scope.report("setting-without-effect", span, message, help=help_line, fix=fix)


def report_idle_sweep(sweep: Sweep, scope: Scope) -> None:
    """Report the names of a sweep that have only one value."""
    for name, values, span in sweep.names:
        if len(values) == 1:
            message = f"`{name}` has only one value, so it does not vary"
            help_line = f"add values, or write `{values[0].text}` in the spec itself"
            scope.report("setting-without-effect", span, message, help=help_line)


def report_empty_require(statement: tree.Statement | None, scope: Scope) -> None:
    """Report a ``require`` block without a bound."""
    if statement is not None and statement.block == ():
        scope.report(
            "setting-without-effect",
            statement.span,
            "this block requires nothing",
            help="write a bound such as `parameters < 500k`, or remove the block",
            fix=removing(Span(statement.span.start, end(scope.source.text, statement)), scope, "block"),
        )


def report_idle_sources(data: Sequence[DataSource], scope: Scope) -> None:
    """Report the sources that are never tried: those after one that is always available, and repetitions."""
    for place, source in enumerate(data):
        before = next((other for other in data[:place] if other.kind.always or other == source), None)
        if before is not None:
            why = "is always available" if before.kind.always else "is the same source"
            scope.report(
                "setting-without-effect",
                source.span,
                f"this source is never tried: `{before.name}` before it {why}",
                related=(Label(before.span, "tried first"),),
                help="write it before the other one, or remove it with its `else`",
            )
            return


def report_idle_target(model: Autoencoder, scope: Scope) -> None:
    """Report a ``target`` line that has no effect."""
    scope.report(
        "setting-without-effect",
        model.places["target"],
        "the target has the shape and the range of the input, and no source has targets",
        related=(Label(model.input.span, "the input"),),
        help='remove the line, or name the targets: `data folder "noisy/" target="clean/"`',
    )


def _idle(train: Train, places: Mapping[str, Span]) -> Iterator[_Idle]:
    epochs = train.epochs
    lower = f"use a smaller number, or more than {epochs} epochs"
    yield from _idle_rates(train, places)
    if train.schedule.kind.watches:
        patience = train.schedule.number(PATIENCE)
        if patience >= epochs:
            message = f"the rate falls after {patience:g} epochs without a better loss, but the run has only {epochs}"
            yield _Idle("schedule.patience", message, lower)
    elif "train.schedule" in places and _is_steady(train.schedule, epochs):
        message = f"`schedule {train.schedule.name}` never changes the rate within {counted(epochs, 'epoch')}"
        yield _Idle("schedule", message, "choose an earlier epoch, or remove the line")
    for option in (option for option in train.schedule.kind.own if option.written is Written.REST):
        moments = cast(tuple[int, ...], train.schedule.options[option.name])
        if min(moments) < epochs <= max(moments):
            message = f"the rate falls after epoch {max(moments)}, and the run has {epochs}"
            yield _Idle(f"schedule.{option.name}", message, "choose earlier epochs, or remove the late ones")
    if train.loss.worst == 1:
        yield _Idle("loss.worst", "`worst=100%` counts every pixel", "choose a smaller share, or remove it", True)
    if train.accumulate == 1 and "train.batch.accumulate" in places:
        message = "`accumulate=1` does not split a step"
        yield _Idle("batch.accumulate", message, "choose a larger number, or remove it", True)
    if train.stop.patience is not None and train.stop.patience >= epochs:
        message = (
            f"a run of {counted(epochs, 'epoch')} is too short for {counted(train.stop.patience, 'epoch')} "
            "without a better loss"
        )
        yield _Idle("stop.patience", message, lower)
    if isinstance(train.batch, int) and train.accumulate > train.batch:
        message = f"a batch of {counted(train.batch, 'image')} cannot be divided into {train.accumulate} parts"
        yield _Idle("batch.accumulate", message, f"use at most `accumulate={train.batch}`")
    for name, amounts in (("corrupt", train.corrupt.amounts()), ("augment", train.augment.amounts())):
        if f"train.{name}" in places and not amounts:
            yield _Idle(name, f"`{name}` changes no image: its amounts are 0", "write an amount, or remove the line")
    yield from _idle_mean(train.corrupt.amounts())


def _idle_mean(amounts: Mapping[str, Amount]) -> Iterator[_Idle]:
    """Yield a constant mean of a noise that is not there: it shifts all samples alike, which a bias undoes."""
    mean = amounts.get(MEAN.name)
    if isinstance(mean, float) and not amounts.keys() & {noise.name for noise in NOISES}:
        message = f"`mean={mean:g}` is the mean of a noise, and this line has none: it is the same for all samples"
        yield _Idle("corrupt.mean", message, f"add a noise, such as `corrupt gaussian=0.1 mean={mean:g}`, or remove it")


def _idle_rates(train: Train, places: Mapping[str, Span]) -> Iterator[_Idle]:
    """Yield a lowest rate that is the rate of every step, or of none."""
    lowest, lr = train.schedule.min_lr, train.optimizer.lr
    if "train.schedule.min_lr" not in places or isinstance(lr, str):
        return
    if lowest >= lr:
        message = f"the rate is `min_lr={lowest:g}` at every step, because `lr={lr:g}` is not above it"
        yield _Idle("schedule.min_lr", message, f"use a `min_lr` below {lr:g}, or remove it")
    elif train.schedule.kind.is_constant and not train.schedule.warmup:
        message = "`schedule constant` never lowers the rate, so `min_lr` has no effect"
        yield _Idle("schedule.min_lr", message, "choose another schedule, such as `cosine`, or remove it")


def _is_steady(schedule: Schedule, epochs: int) -> bool:
    """Return whether the rate is the same at the first and last step of every epoch, except for a constant schedule."""
    if schedule.kind.is_constant or epochs > _MOST_EPOCHS:
        return False
    steps = epochs * _STEPS_PER_EPOCH
    looked_at = (
        step for epoch in range(epochs) for step in (epoch * _STEPS_PER_EPOCH, (epoch + 1) * _STEPS_PER_EPOCH - 1)
    )
    return all(factor == 1.0 for factor in schedule.factors(looked_at, steps, _STEPS_PER_EPOCH))
