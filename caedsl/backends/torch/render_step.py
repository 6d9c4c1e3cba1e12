"""Render one step of an emitted training loop: from the indices of a batch to the optimizer's step."""

import re
from collections.abc import Mapping, Sequence

from caedsl.backends.torch.printed import classes
from caedsl.backends.torch.program import ModuleStep, Program
from caedsl.backends.torch.render_loss import added_lines, forward_lines
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.data import InputRange
from caedsl.model.settings import Augment, Corrupt, Optimizer, Schedule, Train
from caedsl.vocabulary.augmentations import AUGMENTATIONS
from caedsl.vocabulary.corruptions import CORRUPTIONS
from caedsl.vocabulary.optimizers import BETA2, EPS_HAT


def step_lines(model: Autoencoder, settings: Train, program: Program) -> list[str]:
    """Return the lines that train once on the samples of ``indices``."""
    drawn = [*_augment_lines(settings.augment, model), *_corrupt_lines(settings.corrupt, model.input.range)]
    whole = settings.accumulate == 1
    gradients = [
        *(_draws_lines(whole) if drawn or draws_in_layers(program) else []),
        *drawn,
        *forward_lines(model, settings, program),
        "total += loss.item() * len(x)",
        *added_lines(model, settings.loss, program),
    ]
    lines = [
        *_gradient_lines(gradients, settings.accumulate, sample_arguments(model)),
        *([f"nn.utils.clip_grad_norm_(model.parameters(), {settings.clip!r})"] if settings.clip else []),
        *_rate_lines(settings),
        *_epsilon_lines(settings.optimizer),
        "optimizer.step()",
        *(["average.update()"] if settings.ema else []),
    ]
    return [*lines, "step += 1"] if mentions(lines, "step") else lines


def draws_in_layers(program: Program) -> bool:
    """Return whether layers draw random numbers while they train."""

    def draws(steps: Sequence[ModuleStep]) -> bool:
        return any(_is_random(step.call.name) or any(draws(branch) for branch in step.branches) for step in steps)

    return draws((*program.encoder, *program.bottleneck, *program.decoder))


def _is_random(name: str) -> bool:
    return name.startswith("Dropout") or "def draw_" in classes("modules").get(name, "")


def _draws_lines(whole: bool) -> list[str]:
    """Return the lines that choose the random numbers of the samples ``x``, which may be the whole batch."""
    if whole:
        return ["draws.begin(step, len(x), device=device)"]
    return ["draws.begin(step, len(x), first, device)", "first += len(x)"]


def mentions(lines: Sequence[str], variable: str) -> bool:
    """Return whether lines of the emitted loop use a variable."""
    return any(re.search(rf"(?<![.\w]){variable}\b", line) for line in lines)


def sample_arguments(model: Autoencoder) -> dict[str, str]:
    """Return the arguments of the loop with one entry per sample, by the variable that has those of a batch."""
    targets = {"y": "targets"} if model.paired else {}
    return {"x": "images", **targets, **({"w": "sample_weights"} if model.weighted else {})}


def _gradient_lines(loss: Sequence[str], parts: int, given: Mapping[str, str]) -> list[str]:
    """Return the lines that compute the gradients of a batch, given those that compute the loss of its samples."""

    def taken(index: str) -> list[str]:
        return [f"{name} = {of}[{index}].to(device)" for name, of in given.items()]

    if parts == 1:
        return [*taken("indices"), *loss, "optimizer.zero_grad()", "loss.backward()"]
    part = [*taken("part"), *loss, "(loss * (len(x) / len(indices))).backward()"]
    return [
        "optimizer.zero_grad()",
        *(["first = 0"] if mentions(part, "first") else []),
        f"for part in indices.split(parts_of(len(indices), {parts})):",
        *(f"    {line}" for line in part),
    ]


def _rate_lines(settings: Train) -> list[str]:
    schedule = settings.schedule
    if schedule.steady:
        return []
    lines, factors = [], [rate_text(settings.optimizer)]
    if schedule.moves:
        lines.append(f"factor = {_factor(schedule)}")
        factors.append("factor")
    if schedule.kind.watches:
        factors.append("plateau.factor")
    rate = " * ".join(factors)
    floor = schedule.min_lr
    return [*lines, f'optimizer.param_groups[0]["lr"] = {f"max({rate}, {floor!r})" if floor else rate}']


def _factor(schedule: Schedule) -> str:
    own = "".join(f", {name}={value!r}" for name, value in schedule.own().items())
    rising = "rising" if schedule.warmup else "0"
    after = f"{schedule.kind.factor.__name__}(step, {rising}, steps, steps_per_epoch{own})"
    if not schedule.warmup:
        return after
    return f"warm_up(step, rising, {schedule.kind.start!r}) if step < rising else {after}"


def _epsilon_lines(optimizer: Optimizer) -> list[str]:
    if optimizer.options.get(EPS_HAT.name) is None:
        return []
    # Keras adds its epsilon before the bias correction of the second moment, PyTorch after it.
    root = f"math.sqrt(1 - {optimizer.number(BETA2)!r} ** (step + 1))"
    return [f'optimizer.param_groups[0]["eps"] = {optimizer.number(EPS_HAT)!r} / {root}']


def _augment_lines(augment: Augment, model: Autoencoder) -> list[str]:
    """Return the lines that draw all changes of the images and then apply them, to targets alike."""
    kinds = [(AUGMENTATIONS[name], amount) for name, amount in augment.amounts().items()]
    numbers = ["drawn"] if len(kinds) == 1 else [f"drawn_{number}" for number in range(1, len(kinds) + 1)]
    pairs = list(zip(kinds, numbers, strict=True))
    lines = [f'{drawn} = {kind.draw}(x, draws, "{kind.name}", {amount!r})' for (kind, amount), drawn in pairs]
    for (kind, _), drawn in pairs if model.paired else ():
        if not kind.input_alone:
            count = f"at_size({drawn}, x, y)" if kind.in_pixels else drawn
            lines.append(f"y = {kind.apply}(y, {count}, {_ends(model.target.range)})")
    return [*lines, *(f"x = {kind.apply}(x, {drawn}, {_ends(model.input.range)})" for (kind, _), drawn in pairs)]


def _corrupt_lines(corrupt: Corrupt, input_range: InputRange) -> list[str]:
    lines, source = [], "x"
    for name, amount in corrupt.amounts().items():
        kind, own = CORRUPTIONS[name], repr(amount)
        if isinstance(amount, tuple):
            own = "amount"
            lines.append(f'{own} = draw_amount(x, draws, "{name}", {amount[0]!r}, {amount[1]!r})')
        if kind.draw:
            lines.append(f'drawn = {kind.draw}(x, draws, "{name}")')
        drawn = "drawn, " if kind.draw else ""
        lines.append(f"seen = {kind.apply}({source}, {drawn}{own}, {_ends(input_range)})")
        source = "seen"
    return lines


def _ends(input_range: InputRange) -> str:
    return f"{input_range.low!r}, {input_range.high!r}"


def rate_text(optimizer: Optimizer) -> str:
    """Return the learning rate as the loop names it: a number, or the argument for a rate that is still to be found."""
    return "lr" if isinstance(optimizer.lr, str) else repr(optimizer.lr)
