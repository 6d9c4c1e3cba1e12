"""Rendering the training loop of an emitted file: short, plain, and with the spec's own settings.

The loop takes the steps of ``caedsl train`` in full precision: the same functions, with the same random numbers.
What a short loop cannot hold (validation, early stopping, mixed precision) is named in its docstring. Numbers that the
spec leaves to be found are arguments without a default.
"""

import re
from collections.abc import Sequence

from caedsl.backends.torch.lower import CODE, Penalty, Program
from caedsl.backends.torch.printed import definitions, with_what_they_use
from caedsl.model.autoencoder import Autoencoder, Input
from caedsl.model.data import InputRange
from caedsl.model.settings import Augment, Corrupt, Loss, LossTerm, Optimizer, Schedule, Train
from caedsl.vocabulary.augmentations import AUGMENTATIONS
from caedsl.vocabulary.corruptions import CORRUPTIONS
from caedsl.vocabulary.term import Term

STANDARD_IMPORTS = {
    "math": "import math",
    "sys": "import sys",
    "Iterable": "from collections.abc import Iterable",
    "sha256": "from hashlib import sha256",
}
"""Import lines of the standard library by the name that needs them, in their order."""


_WIDTH = 120


class _Name(str):
    """Variable of the emitted loop in the place of a number: it is printed without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def imports(parts: Sequence[str]) -> list[str]:
    """Return the import lines of the standard library that the parts of a file need."""
    text = "\n".join(parts)
    return [line for name, line in STANDARD_IMPORTS.items() if re.search(rf"(?<![.\w]){name}\b", text)]


def functions(model: Autoencoder, program: Program, name: str) -> list[str]:
    """Return the functions of the loop, in the order of the file, and the lines that run it."""
    assert model.train is not None, "a spec without train has no loop"
    loop = _train(model, model.train, program, name)
    return [*with_what_they_use([loop]), loop, _main(model, model.train, name)]


def _train(model: Autoencoder, settings: Train, program: Program, name: str) -> str:
    numbers = "".join(f"{word}: {kind}, " for word, kind in _open_numbers(settings))
    gradients = [
        *_augment_lines(settings.augment, model),
        *_corrupt_lines(settings.corrupt, model.input.range),
        *_forward_lines(model, settings, program),
        "total += loss.item() * len(x)",
        *_penalty_lines(program.penalties),
        *_code_lines(program.terms, settings.loss, _wanted(model)),
    ]
    step = [
        *_gradient_lines(gradients, settings.accumulate, model.paired),
        *([f"nn.utils.clip_grad_norm_(model.parameters(), {settings.clip!r})"] if settings.clip else []),
        *_rate_lines(settings),
        *_epsilon_lines(settings.optimizer),
        "optimizer.step()",
        *(["average.update()"] if settings.ema else []),
    ]
    counted = any(re.search(r"(?<!\.)\bstep\b", line) for line in step)
    if counted:
        step.append("step += 1")
    before = [*_setup_lines(model, settings, step), *(["step = 0"] if counted else [])]
    drawn = any("generator" in line for line in step)
    seeds = [("torch", "layers"), *([("generator", "disturbance")] if drawn else [])]
    seeding = "".join(
        f'        {what}.manual_seed(derived_seed({settings.seed}, "{purpose}", epoch))\n' for what, purpose in seeds
    )
    given = "images: Tensor, targets: Tensor" if model.paired else "images: Tensor"
    arguments = f'model: {name}, {given}, {numbers}epochs: int = {settings.epochs}, device: str = "cpu"'
    return f'''def train({arguments}) -> None:
    """Train on images {_axes(model.input)}{f" and targets {_axes(model.target)}" if model.paired else ""}.

    {_left_out(settings)}{_to_be_given(settings)}
    """
    model.to(device).train()
{"".join(f"    {line}{chr(10)}" for line in before)}    for epoch in range(1, epochs + 1):
{seeding}        order = torch.Generator().manual_seed(derived_seed({settings.seed}, "order", epoch))
        total = 0.0
        for indices in torch.randperm(len(images), generator=order).split({_batch(settings)}):
{chr(10).join(f"            {line}" for line in step)}
        print(f"epoch {{epoch}}: loss {{total / len(images):.5f}}"){_after_epoch(settings)}
{"    average.swap()" + chr(10) if settings.ema else ""}    model.eval()'''


def _gradient_lines(loss: Sequence[str], parts: int, paired: bool) -> list[str]:
    """Return the lines that compute the gradients of a batch, given those that compute the loss of its samples."""

    def taken(index: str) -> list[str]:
        names = (("x", "images"), *((("y", "targets"),) if paired else ()))
        return [f"{name} = {of}[{index}].to(device)" for name, of in names]

    if parts == 1:
        return [*taken("indices"), *loss, "optimizer.zero_grad()", "loss.backward()"]
    part = [*taken("part"), *loss, "(loss * (len(x) / len(indices))).backward()"]
    return [
        "optimizer.zero_grad()",
        f"for part in indices.split(parts_of(len(indices), {parts})):",
        *(f"    {line}" for line in part),
    ]


def _axes(of: Input) -> str:
    return f"(number, {', '.join(map(str, of.shape))}) with values in {of.range}"


def _setup_lines(model: Autoencoder, settings: Train, step: Sequence[str]) -> list[str]:
    """Return the lines before the first epoch."""
    text = "\n".join(step)
    lines = [*_preprocessing_lines(model), f"optimizer = {_optimizer(settings.optimizer)}"]
    if settings.ema:
        lines.append(f"average = WeightAverage(model, {settings.ema!r})")
    if "inputs.pop()" in text:
        lines += [
            "inputs: list[Tensor] = []",
            "model.bottleneck[-1].register_forward_pre_hook(lambda module, given: inputs.append(given[0]))",
        ]
    if "generator" in text:
        lines.append("generator = torch.Generator(device)")
    if re.search(r"\bwidth\b", text):
        lines += _width_lines(model)
    if settings.schedule.kind.watches:
        schedule = settings.schedule
        lines.append(
            f"plateau = Plateau(patience={schedule.options['patience']!r}, multiplier={schedule.options['factor']!r})"
        )
    if re.search(r"\b(steps_per_epoch|warming)\b", text):
        lines += [f"steps_per_epoch = -(-len(images) // {_batch(settings)})", "steps = epochs * steps_per_epoch"]
    if re.search(r"\brising\b", text):
        lines.append(f"rising = round({settings.schedule.warmup!r} * steps)")
    if re.search(r"\bwarming\b", text):
        lines.append(f"warming = round({model.bottleneck.warmup!r} * steps)")
    return lines


def _width_lines(model: Autoencoder) -> list[str]:
    """Return the lines that find the width of the range in which values are compared."""
    values, wanted = model.target.range, "targets" if model.paired else "images"
    lines = [] if values.bounded else [f"width = ({wanted}.max() - {wanted}.min()).item() or 1.0"]
    if model.preprocessing is not None and _compares_normalised(model):
        if model.preprocessing.by_sample:
            return ["width = 1.0"]
        width = "width" if values.low is None or values.high is None else repr(values.high - values.low)
        lines.append(f"width = {width} / model.encoder[0].scale.mean()")
    return lines


def _preprocessing_lines(model: Autoencoder) -> list[str]:
    """Return the lines that find the offsets and scales of the channels and keep them in the model."""
    kind = model.preprocessing
    if kind is None or not kind.found_by:
        return []
    parts = "model.encoder[0], model.decoder[-1]" if _compares_normalised(model) else "model.encoder[0],"
    return [
        f"offset, scale = {kind.found_by}(images.split(512))",
        f"for part in ({parts}):",
        "    part.offset.copy_(offset)",
        "    part.scale.copy_(scale)",
    ]


def _left_out(settings: Train) -> str:
    left = ["validation"]
    if settings.stop.patience is not None or settings.stop.after is not None:
        left.append("early stopping")
    return f"Full precision, on all images: {' and '.join(left)} {'are' if len(left) > 1 else 'is'} left to the caller."


def _open_numbers(settings: Train) -> list[tuple[str, str]]:
    """Return the numbers that the spec leaves to be found: their arguments' names and types."""
    found = (("lr", "float", settings.optimizer.lr), ("batch", "int", settings.batch))
    return [(word, kind) for word, kind, value in found if isinstance(value, str)]


def _to_be_given(settings: Train) -> str:
    words = [f"`{word}`" for word, _ in _open_numbers(settings)]
    if not words:
        return ""
    listed = " and ".join(words)
    return f"\n    The spec leaves {listed} to be found: `caedsl train` writes what it finds into spec.cae of its run."


def _batch(settings: Train) -> str:
    return "batch" if isinstance(settings.batch, str) else repr(settings.batch)


def _lr(optimizer: Optimizer) -> str:
    return "lr" if isinstance(optimizer.lr, str) else repr(optimizer.lr)


def _optimizer(optimizer: Optimizer) -> str:
    call = optimizer.kind.torch(optimizer.options)
    words = "".join(f", {name}={value!r}" for name, value in call.kwargs)
    return f"torch.optim.{call.name}(model.parameters(), lr={_lr(optimizer)}{words})"


def _epsilon_lines(optimizer: Optimizer) -> list[str]:
    if optimizer.options.get("eps_hat") is None:
        return []
    # Keras adds its epsilon before the second moment is corrected for its start at zero, PyTorch after.
    root = f"math.sqrt(1 - {optimizer.number('beta2')!r} ** (step + 1))"
    return [f'optimizer.param_groups[0]["eps"] = {optimizer.number("eps_hat")!r} / {root}']


def _rate_lines(settings: Train) -> list[str]:
    schedule = settings.schedule
    if schedule.steady:
        return []
    lines, factors = [], [_lr(settings.optimizer)]
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


def _ends(input_range: InputRange) -> str:
    return f"{input_range.low!r}, {input_range.high!r}"


def _augment_lines(augment: Augment, model: Autoencoder) -> list[str]:
    """Return the lines that draw all changes of the images and then apply them, to targets alike."""
    kinds = [(AUGMENTATIONS[name], amount) for name, amount in augment.amounts().items()]
    numbers = ["drawn"] if len(kinds) == 1 else [f"drawn_{number}" for number in range(1, len(kinds) + 1)]
    pairs = list(zip(kinds, numbers, strict=True))
    lines = [f"{drawn} = {kind.draw}(x, len(x), {amount!r}, generator)" for (kind, amount), drawn in pairs]
    for (kind, _), drawn in pairs if model.paired else ():
        if not kind.input_alone:
            count = f"at_size({drawn}, x, y)" if kind.in_pixels else drawn
            lines.append(f"y = {kind.apply}(y, {count}, {_ends(model.target.range)})")
    return [*lines, *(f"x = {kind.apply}(x, {drawn}, {_ends(model.input.range)})" for (kind, _), drawn in pairs)]


def _corrupt_lines(corrupt: Corrupt, input_range: InputRange) -> list[str]:
    lines, source = [], "x"
    for name, amount in corrupt.amounts().items():
        kind = CORRUPTIONS[name]
        lines += [
            f"drawn = {kind.draw}(x, len(x), generator)",
            f"seen = {kind.apply}({source}, drawn, {amount!r}, {_ends(input_range)})",
        ]
        source = "seen"
    return lines


def _has_own_loss(terms: Sequence[Term]) -> bool:
    """Return whether the last module of the bottleneck computes a term from its input ``h``."""
    return any(term.source != CODE for term in terms)


def _forward_lines(model: Autoencoder, settings: Train, program: Program) -> list[str]:
    terms = program.terms
    seen = "seen" if settings.corrupt.amounts() else "x"
    loss = _loss_lines(settings.loss, model)
    if terms and program.linked:
        decoded = "x_hat = model.decode(z, maps)"
        before = ["h = inputs.pop()"] if _has_own_loss(terms) else []
        return [f"z, maps = model.encode_with_maps({seen})", *before, decoded, *loss]
    if _has_own_loss(terms):
        return [
            f"h = model.bottleneck[:-1](model.encoder({seen}))",
            "z = model.bottleneck[-1](h)",
            "x_hat = model.decode(z)",
            *loss,
        ]
    if terms:
        return [f"z = model.encode({seen})", "x_hat = model.decode(z)", *loss]
    return [f"x_hat = model({seen})", *loss]


def _wanted(model: Autoencoder) -> str:
    return "y" if model.paired else "x"


def _compares_normalised(model: Autoencoder) -> bool:
    """Return whether the loss compares values as the network's first module makes them."""
    return model.preprocessing is not None and model.target is model.input


def _loss_lines(loss: Loss, model: Autoencoder) -> list[str]:
    compared, before = ("x_hat", _wanted(model)), []
    if _compares_normalised(model):
        by_sample = model.preprocessing is not None and model.preprocessing.by_sample
        own = f"{compared[0]}, {compared[1]}" if by_sample else compared[0]  # a prediction by the target's contrast
        before = [
            f"{name}_n = model.encoder[0]({given})" for name, given in zip(compared, (own, compared[1]), strict=True)
        ]
        compared = (f"{compared[0]}_n", f"{compared[1]}_n")
    lines: list[str] = []
    for term in loss.terms:
        text = _term(term, loss.worst, model, compared)
        weighted = text if term.weight == 1 else f"{term.weight!r} * {text}"
        lines.append(f"loss = loss + {weighted}" if lines else f"loss = {weighted}")
    if loss.reduction == "sum":
        share = "" if loss.worst is None else f" * {loss.worst!r}"
        lines.append(f"loss = loss * {_wanted(model)}[0].numel(){share}  # summed over the pixels of an image")
    return [*before, *lines]


def _term(term: LossTerm, worst: float | None, model: Autoencoder, compared: tuple[str, str]) -> str:
    low, high = model.target.range.low, model.target.range.high
    named = low is None or high is None or _compares_normalised(model)
    width = _Name("width") if named or low is None or high is None else high - low
    call = term.kind.torch(term.options, width)
    name = call.name if call.name in definitions("losses") else f"functional.{call.name}"
    words = [*map(repr, call.args), *(f"{word}={value!r}" for word, value in call.kwargs)]
    if worst is None:
        return f"{name}({', '.join([*compared, *words])})"
    return f'hardest({name}({", ".join([*compared, *words])}, reduction="none"), {worst!r})'


def _penalty_lines(penalties: Sequence[Penalty]) -> list[str]:
    weights: dict[str, list[str]] = {}
    for penalty in penalties:
        if penalty.l1:
            weights.setdefault(f"{penalty.l1!r} * model.get_parameter(name).abs().sum()", []).append(penalty.parameter)
        if penalty.l2:
            weights.setdefault(f"{penalty.l2!r} * model.get_parameter(name).square().sum()", []).append(
                penalty.parameter
            )
    lines = []
    for term, names in weights.items():
        listed = ", ".join(f'"{name}"' for name in names)
        lines += [f"for name in ({listed}{',' if len(names) == 1 else ''}):", f"    loss = loss + {term}"]
    return lines


def _code_lines(terms: Sequence[Term], loss: Loss, wanted: str) -> list[str]:
    lines = []
    for term in terms:
        if term.source == CODE:
            lines.append(f"loss = loss + {term.weight!r} * z.abs().flatten(1).sum(1).mean()")
        else:
            share = f" / {wanted}[0].numel()" if loss.reduction == "mean" else ""
            weight = repr(term.weight)
            if term.warmup:
                lines.append("warm = (step + 1) / warming if step < warming else 1.0")
                weight += " * warm"
            lines.append(f"loss = loss + {weight} * model.bottleneck[-1].{term.method}(h){share}")
    return lines


def _after_epoch(settings: Train) -> str:
    return "\n        plateau.update(total / len(images))" if settings.schedule.kind.watches else ""


def _threads_line(settings: Train) -> str:
    return f"    torch.set_num_threads({settings.threads})\n" if isinstance(settings.threads, int) else ""


def _main(model: Autoencoder, settings: Train, name: str) -> str:
    shape = ", ".join(map(str, model.input.shape))
    numbers = _open_numbers(settings)
    words = "".join(f" {word.upper()}" for word, _ in numbers)
    files = ["images", *(["targets"] if model.paired else [])]
    given = "".join(f", {word}={kind}(sys.argv[{place}])" for place, (word, kind) in enumerate(numbers, 2 + len(files)))
    listed = "".join(f" {file.upper()}.npy" for file in files)
    targets = f" and targets (number, {', '.join(map(str, model.target.shape))})" if model.paired else ""
    loading = "\n    ".join(
        f"{file} = torch.from_numpy(numpy.load(sys.argv[{place}])).float()" for place, file in enumerate(files, 1)
    )
    return f"""if __name__ == "__main__":
    import numpy
    from safetensors.torch import save_file

    if len(sys.argv) != {2 + len(files) + len(numbers)}:
{_usage(f"{model.name}.py{listed} WEIGHTS.safetensors{words}", f"with images (number, {shape}){targets}")}
    for path in sys.argv[1:{1 + len(files)}]:
        if not path.endswith(".npy"):
            sys.exit(f"{{path}} is no .npy file: write one with numpy.save(path, images)")
{_threads_line(settings)}    autoencoder = {name}()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    {loading}
    train(autoencoder, {", ".join(files)}{given}, device=device)
    save_file(autoencoder.state_dict(), sys.argv[{1 + len(files)}])"""


def _usage(command: str, about: str) -> str:
    """Return the call that ends with how the file is used, on one line where it fits."""
    line = f'        sys.exit("usage: python {command}, {about}")'
    if len(line) <= _WIDTH:
        return line
    return f'        sys.exit(\n            "usage: python {command}, "\n            "{about}"\n        )'
