"""Rendering the training loop of an emitted file: short, plain, and with the spec's own settings.

What a short loop cannot hold (validation, early stopping, mixed precision) is named in its docstring. Numbers that the
spec leaves to be found are arguments without a default.
"""

from collections.abc import Sequence

from caedsl.backends.torch.lower import Penalty, Program
from caedsl.backends.torch.printed import definitions
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.data import InputRange
from caedsl.model.settings import Augment, Corrupt, Loss, Optimizer, Schedule, Train

_LOSSES = {
    "mse": "functional.mse_loss({x_hat}, {x})",
    "mae": "functional.l1_loss({x_hat}, {x})",
    "huber": "functional.huber_loss({x_hat}, {x})",
    "bce": "functional.binary_cross_entropy({x_hat}, {x})",
    "ssim": "(1 - ssim_per_image({x_hat}, {x}, {width}).mean())",
}

_AUGMENTED = '''def moved(x: Tensor, pixels: float, degrees: float) -> Tensor:
    """Each image shifted by whole pixels and rotated, at random up to these amounts."""
    batch, _, height, width = x.shape
    angle = (2 * torch.rand(batch, device=x.device) - 1) * math.radians(degrees)
    down, right = ((2 * torch.rand(batch, device=x.device) - 1) * pixels for _ in range(2))
    cos, sin = angle.cos(), angle.sin()
    rows = [cos, -sin * height / width, 2 * right.round() / width, sin * width / height, cos, 2 * down.round() / height]
    grid = functional.affine_grid(torch.stack(rows, 1).view(-1, 2, 3), list(x.shape), align_corners=False)
    return functional.grid_sample(x, grid, padding_mode="border", align_corners=False)'''


def imports(model: Autoencoder) -> list[str]:
    """The import lines that the loop needs besides torch itself."""
    settings = _settings(model)
    needs_math = (
        settings.optimizer.eps_hat or _has_curve(settings.schedule) or settings.augment.shift or settings.augment.rotate
    )
    return (["import math"] if needs_math else []) + ["import sys"]


def functions(model: Autoencoder, program: Program, name: str) -> list[str]:
    """The functions of the loop, in the order of the file, and the lines that run it."""
    settings = _settings(model)
    parts = []
    if any(term.name == "ssim" for term in settings.loss.terms):
        parts.append(_ssim_source())
    if settings.augment.shift or settings.augment.rotate:
        parts.append(_AUGMENTED)
    return [*parts, _train(model, settings, program, name), _main(model, name)]


def _settings(model: Autoencoder) -> Train:
    assert model.train is not None, "a spec without train has no loop"
    return model.train


def _ssim_source() -> str:
    source = definitions("ssim")
    constants = f"{source['WINDOW']}\n{source['SIGMA']}\n{source['K1']}"
    functions = (source[name] for name in ("gaussian_window", "window_size", "blur", "ssim_per_image"))
    return "\n\n\n".join((constants, *functions))


def _train(model: Autoencoder, settings: Train, program: Program, name: str) -> str:
    step = [
        *_augment_lines(settings.augment),
        *_corrupt_lines(settings.corrupt, model.input.range),
        *_forward_lines(model, settings),
        *_penalty_lines(program.penalties, model.bottleneck.l1),
        "optimizer.zero_grad()",
        "loss.backward()",
        *([f"nn.utils.clip_grad_norm_(model.parameters(), {settings.clip!r})"] if settings.clip else []),
        *_epsilon_lines(settings.optimizer),
        "optimizer.step()",
        *(["scheduler.step()"] if _by_step(settings.schedule) else []),
        *(["average.update_parameters(model)"] if settings.ema else []),
        "total += loss.item() * len(x)",
    ]
    body = "\n".join(f"            {line}" for line in step)
    numbers = "".join(f"{word}: {kind}, " for word, kind in _open_numbers(settings))
    return f'''def train(model: {name}, images: Tensor, {numbers}epochs: int = {settings.epochs}, device: str = "cpu") -> None:
    """Train on images (number, {", ".join(map(str, model.input.shape))}) with values in {model.input.range}.

    {_left_out(settings)}{_to_be_given(settings)}
    """
    torch.manual_seed({settings.seed})
    model.to(device).train()
    optimizer = {_optimizer(settings.optimizer)}
{_schedule_lines(settings)}{_counter(settings)}    for epoch in range(1, epochs + 1):
        total = 0.0
        for indices in torch.randperm(len(images)).split({_batch(settings)}):
            x = images[indices].to(device)
{body}
        print(f"epoch {{epoch}}: loss {{total / len(images):.5f}}"){_after_epoch(settings)}
{_after_training(settings)}    model.eval()'''


def _left_out(settings: Train) -> str:
    left = ["validation"]
    if settings.stop.patience is not None or settings.stop.after is not None:
        left.append("early stopping")
    return f"Full precision, on all images: {' and '.join(left)} {'are' if len(left) > 1 else 'is'} left to the caller."


def _open_numbers(settings: Train) -> list[tuple[str, str]]:
    """The numbers that the spec leaves to be found: their arguments' names and types."""
    found = (("lr", "float", settings.optimizer.lr), ("batch", "int", settings.batch))
    return [(word, kind) for word, kind, value in found if isinstance(value, str)]


def _to_be_given(settings: Train) -> str:
    words = [f"`{word}`" for word, _ in _open_numbers(settings)]
    if not words:
        return ""
    return f"\n    The spec leaves {' and '.join(words)} to be found: `caedsl train` writes what it finds into spec.cae of its run."


def _batch(settings: Train) -> str:
    return "batch" if isinstance(settings.batch, str) else repr(settings.batch)


def _optimizer(optimizer: Optimizer) -> str:
    classes = {"adam": "Adam", "adamw": "AdamW", "sgd": "SGD", "rmsprop": "RMSprop"}
    words = ["lr=lr" if isinstance(optimizer.lr, str) else f"lr={optimizer.lr!r}"]
    if optimizer.name in ("adam", "adamw"):
        words.append(f"betas=({optimizer.beta1!r}, {optimizer.beta2!r})")
    if optimizer.name != "sgd" and optimizer.eps_hat is None:
        words.append(f"eps={optimizer.eps!r}")
    if optimizer.momentum:
        words.append(f"momentum={optimizer.momentum!r}")
    if optimizer.weight_decay or optimizer.name == "adamw":
        words.append(f"weight_decay={optimizer.weight_decay!r}")
    return f"torch.optim.{classes[optimizer.name]}(model.parameters(), {', '.join(words)})"


def _epsilon_lines(optimizer: Optimizer) -> list[str]:
    if optimizer.eps_hat is None:
        return []
    # Keras adds its epsilon before the second moment is corrected for its start at zero, PyTorch after.
    return [
        "step += 1",
        f'optimizer.param_groups[0]["eps"] = {optimizer.eps_hat!r} / math.sqrt(1 - {optimizer.beta2!r}**step)',
    ]


def _counter(settings: Train) -> str:
    return "    step = 0\n" if settings.optimizer.eps_hat is not None else ""


def _has_curve(schedule: Schedule) -> bool:
    return schedule.name in ("cosine", "onecycle")


def _rises(schedule: Schedule) -> bool:
    return schedule.warmup > 0 or _has_curve(schedule)


def _by_step(schedule: Schedule) -> bool:
    return _rises(schedule) or schedule.name == "step"


def _schedule_lines(settings: Train) -> str:
    schedule = settings.schedule
    lines: list[str] = []
    if _by_step(schedule):
        lines = [
            f"steps_per_epoch = -(-len(images) // {_batch(settings)})",
            *(["steps = epochs * steps_per_epoch"] if _rises(schedule) else []),
            *([f"rising = round({schedule.warmup!r} * steps)"] if _rises(schedule) else []),
            "",
            "def factor(step: int) -> float:",
            *(f"    {line}" for line in _factor_lines(schedule)),
            "",
            "scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)",
        ]
    if schedule.name == "plateau":
        # torch waits for more than `patience` bad epochs, a spec for that many.
        lines.append(
            "plateau = torch.optim.lr_scheduler.ReduceLROnPlateau("
            f"optimizer, factor={schedule.factor!r}, patience={schedule.patience - 1}, threshold=0.0)"
        )
    if settings.ema:
        lines.append(
            "average = torch.optim.swa_utils.AveragedModel("
            f"model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn({settings.ema!r}))"
        )
    return "".join(f"    {line}".rstrip() + "\n" for line in lines)


def _factor_lines(schedule: Schedule) -> list[str]:
    start, end = (1 / 25, 1 / 250_000) if schedule.name == "onecycle" else (0.0, 0.0)
    lines = []
    if _rises(schedule):
        rise = f"{start!r} + {1 - start!r} * (step + 1) / rising" if start else "(step + 1) / rising"
        lines += ["if step < rising:", f"    return {rise}"]
    if _has_curve(schedule):
        fall = "(1 + math.cos(math.pi * (step - rising) / max(1, steps - rising))) / 2"
        lines.append(f"return {end!r} + {1 - end!r} * {fall}" if end else f"return {fall}")
    elif schedule.name == "step":
        lines.append(f"return {schedule.factor!r} if step >= {schedule.at} * steps_per_epoch else 1.0")
    else:
        lines.append("return 1.0")
    return lines


def _augment_lines(augment: Augment) -> list[str]:
    lines = []
    if augment.flip:
        lines.append("x = torch.where(torch.rand(len(x), 1, 1, 1, device=x.device) < 0.5, x.flip(-1), x)")
    if augment.shift or augment.rotate:
        lines.append(f"x = moved(x, pixels={augment.shift!r}, degrees={augment.rotate!r})")
    return lines


def _corrupt_lines(corrupt: Corrupt, input_range: InputRange) -> list[str]:
    if corrupt == Corrupt():
        return []
    lines = ["seen = x"]
    low, high = (input_range.low, input_range.high) if input_range.low is not None else (0.0, 1.0)
    assert low is not None
    assert high is not None
    pepper, salt = (low, high) if input_range.bounded else (-3.0, 3.0)
    if corrupt.gaussian:
        noisy = f"seen + {corrupt.gaussian * (high - low)!r} * torch.randn_like(x)"
        lines.append(f"seen = ({noisy}).clamp({low!r}, {high!r})" if input_range.bounded else f"seen = {noisy}")
    if corrupt.masking:
        lines.append(f"seen = torch.where(torch.rand_like(x[:, :1]) < {corrupt.masking!r}, {low!r}, seen)")
    if corrupt.saltpepper:
        share = corrupt.saltpepper / 2
        lines += [
            "drawn = torch.rand_like(x[:, :1])",
            f"seen = torch.where(drawn < {share!r}, {pepper!r}, seen)",
            f"seen = torch.where(drawn >= {1 - share!r}, {salt!r}, seen)",
        ]
    return lines


def _forward_lines(model: Autoencoder, settings: Train) -> list[str]:
    seen = "seen" if settings.corrupt != Corrupt() else "x"
    loss = _loss_lines(settings.loss, model.input.range)
    if model.bottleneck.l1:
        return [f"z = model.encode({seen})", "x_hat = model.decode(z)", *loss]
    return [f"x_hat = model({seen})", *loss]


def _loss_lines(loss: Loss, input_range: InputRange) -> list[str]:
    low, high = input_range.low, input_range.high
    width = repr(high - low) if low is not None and high is not None else "(x.max() - x.min()).item()"
    lines: list[str] = []
    for term in loss.terms:
        text = _LOSSES[term.name].format(x_hat="x_hat", x="x", width=width)
        weighted = text if term.weight == 1 else f"{term.weight!r} * {text}"
        lines.append(f"loss = loss + {weighted}" if lines else f"loss = {weighted}")
    if loss.reduction == "sum":
        lines.append("loss = loss * x[0].numel()  # summed over the pixels of an image")
    return lines


def _penalty_lines(penalties: Sequence[Penalty], code_l1: float) -> list[str]:
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
    if code_l1:
        lines.append(f"loss = loss + {code_l1!r} * z.abs().flatten(1).sum(1).mean()")
    return lines


def _after_epoch(settings: Train) -> str:
    return "\n        plateau.step(total / len(images))" if settings.schedule.name == "plateau" else ""


def _after_training(settings: Train) -> str:
    if not settings.ema:
        return ""
    return "    model.load_state_dict(average.module.state_dict())\n"


def _main(model: Autoencoder, name: str) -> str:
    shape = ", ".join(map(str, model.input.shape))
    numbers = _open_numbers(_settings(model))
    words = "".join(f" {word.upper()}" for word, _ in numbers)
    given = "".join(f", {word}={kind}(sys.argv[{place}])" for place, (word, kind) in enumerate(numbers, 3))
    return f"""if __name__ == "__main__":
    if len(sys.argv) != {3 + len(numbers)}:
        sys.exit("usage: python {model.name}.py IMAGES.pt WEIGHTS.pt{words}, with images (number, {shape})")
    autoencoder = {name}()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    train(autoencoder, torch.load(sys.argv[1]){given}, device=device)
    torch.save(autoencoder.state_dict(), sys.argv[2])"""
