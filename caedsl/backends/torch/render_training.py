"""Render the training loop of an emitted file: short, plain, and with the spec's own settings.

The loop takes the steps of ``caedsl train`` in full precision: the same functions, with the same random numbers. Its
docstring names what a short loop leaves out (validation, early stopping, mixed precision). Numbers that are still to be
found (``auto``) are arguments without a default.
"""

import re
from collections.abc import Iterable, Sequence

from caedsl.backends.torch.printed import with_what_they_use
from caedsl.backends.torch.program import Program
from caedsl.backends.torch.render_loss import compares_normalised
from caedsl.backends.torch.render_step import draws_in_layers, mentions, rate_text, sample_arguments, step_lines
from caedsl.model.autoencoder import Autoencoder, Input
from caedsl.model.settings import Optimizer, Train
from caedsl.vocabulary.schedules import FACTOR, PATIENCE

STANDARD_MODULES = ("math", "sys")
STANDARD_NAMES = {
    "collections.abc": ("Callable", "Iterable"),
    "functools": ("partial",),
    "hashlib": ("sha256",),
    "typing": ("Any",),
}
"""Modules of the standard library in the order of their imports, each with the names that a loop may need from it."""


_WIDTH = 120


def imports(parts: Sequence[str]) -> list[str]:
    """Return the import lines of the standard library that the parts of a file need."""
    text = "\n".join(parts)

    def needed(names: Iterable[str]) -> list[str]:
        return [name for name in names if re.search(rf"(?<![.\w]){name}\b", text)]

    chosen = {module: needed(names) for module, names in STANDARD_NAMES.items()}
    return [
        *(f"import {module}" for module in needed(STANDARD_MODULES)),
        *(f"from {module} import {', '.join(names)}" for module, names in chosen.items() if names),
    ]


def functions(model: Autoencoder, program: Program, name: str) -> list[str]:
    """Return the functions of the loop, in the order of the file, and the lines that run it."""
    assert model.train is not None, "a spec without train has no loop"
    loop = _train(model, model.train, program, name)
    return [*with_what_they_use([loop]), loop, _main(model, model.train, name)]


def _train(model: Autoencoder, settings: Train, program: Program, name: str) -> str:
    numbers = "".join(f"{word}: {kind}, " for word, kind in _open_numbers(settings))
    step = step_lines(model, settings, program)
    before = [*_setup_lines(model, settings, step, program), *(["step = 0"] if mentions(step, "step") else [])]
    disconnected = ["disconnect(model)"] if draws_in_layers(program) else []
    after = [*disconnected, *(["average.swap()"] if settings.ema else [])]
    given = ", ".join(f"{name}: Tensor" for name in sample_arguments(model).values())
    arguments = f'model: {name}, {given}, {numbers}epochs: int = {settings.epochs}, device: str = "cpu"'
    head = f"def train({arguments}) -> None:"
    if len(head) > _WIDTH:
        head = f"def train(\n    {arguments}\n) -> None:"
    return f'''{head}
    """Train on images {_axes(model.input)}{f" and targets {_axes(model.target)}" if model.paired else ""}.

    {_left_out(model, settings)}{_weighing(model)}{_to_be_given(settings)}
    """
    model.to(device).train()
{"".join(f"    {line}{chr(10)}" for line in before)}    for epoch in range(1, epochs + 1):
        order = torch.Generator().manual_seed(derived_seed({settings.seed}, "order", epoch))
        total = 0.0
        for indices in torch.randperm(len(images), generator=order).split({_batch(settings)}):
{chr(10).join(f"            {line}" for line in step)}
        print(f"epoch {{epoch}}: loss {{total / len(images):.5f}}"){_after_epoch(settings)}
{"".join(f"    {line}{chr(10)}" for line in after)}    model.eval()'''


def _axes(of: Input) -> str:
    return f"(number, {', '.join(map(str, of.shape))}) with values in {of.range}"


def _setup_lines(model: Autoencoder, settings: Train, step: Sequence[str], program: Program) -> list[str]:
    """Return the lines before the first epoch."""
    text = "\n".join(step)
    weighing = ["sample_weights = sample_weights / sample_weights.mean()"] if model.weighted else []
    lines = [*weighing, *_preprocessing_lines(model), f"optimizer = {_optimizer(settings.optimizer)}"]
    if settings.ema:
        lines.append(f"average = WeightAverage(model, {settings.ema!r})")
    if "inputs.pop()" in text:
        lines += [
            "inputs: list[Tensor] = []",
            "model.bottleneck[-1].register_forward_pre_hook(lambda module, given: inputs.append(given[0]))",
        ]
    if mentions(step, "draws"):
        lines.append(f"draws = Draws({settings.seed})")
    if draws_in_layers(program):
        lines.append("connect(model, draws)")
    if mentions(step, "width"):
        lines += _width_lines(model)
    if settings.schedule.kind.watches:
        schedule = settings.schedule
        patience, multiplier = schedule.options[PATIENCE.name], schedule.options[FACTOR.name]
        lines.append(f"plateau = Plateau(patience={patience!r}, multiplier={multiplier!r})")
    if mentions(step, "steps_per_epoch") or mentions(step, "warming"):
        lines += [f"steps_per_epoch = -(-len(images) // {_batch(settings)})", "steps = epochs * steps_per_epoch"]
    if mentions(step, "rising"):
        lines.append(f"rising = round({settings.schedule.warmup!r} * steps)")
    if mentions(step, "warming"):
        lines.append(f"warming = round({model.bottleneck.warmup!r} * steps)")
    return lines


def _width_lines(model: Autoencoder) -> list[str]:
    """Return the lines that find the width of the range in which values are compared."""
    values, wanted = model.target.range, "targets" if model.paired else "images"
    lines = [] if values.bounded else [f"width = ({wanted}.max() - {wanted}.min()).item() or 1.0"]
    if model.preprocessing is not None and compares_normalised(model):
        if model.preprocessing.by_sample:
            return ["width = 1.0"]
        width = "width" if values.low is None or values.high is None else repr(values.high - values.low)
        lines.append(f"width = {width} / model.encoder[0].scale.mean()")
    return lines


def _preprocessing_lines(model: Autoencoder) -> list[str]:
    """Return the lines that measure the offsets and scales of the channels and store them in the model."""
    kind = model.preprocessing
    if kind is None or not kind.found_by:
        return []
    parts = "model.encoder[0], model.decoder[-1]" if compares_normalised(model) else "model.encoder[0],"
    return [
        f"offset, scale = {kind.found_by}(images.split(512))",
        f"for part in ({parts}):",
        "    part.offset.copy_(offset)",
        "    part.scale.copy_(scale)",
    ]


def _left_out(model: Autoencoder, settings: Train) -> str:
    left = ["validation"]
    if settings.stop.patience is not None or settings.stop.after is not None:
        left.append("early stopping")
    if any(source.kind.weight_column for source in model.data):
        left.append("weights of samples")
    listed = " and ".join([", ".join(left[:-1]), left[-1]] if left[1:] else left)
    return f"Full precision, on all images: {listed} {'are' if len(left) > 1 else 'is'} left to the caller."


def _weighing(model: Autoencoder) -> str:
    return "\n    Each sample counts in the loss by its entry of sample_weights (number,)." if model.weighted else ""


def _open_numbers(settings: Train) -> list[tuple[str, str]]:
    """Return the numbers that are still to be found: the names and types of their arguments."""
    found = (("lr", "float", settings.optimizer.lr), ("batch", "int", settings.batch))
    return [(word, kind) for word, kind, value in found if isinstance(value, str)]


def _to_be_given(settings: Train) -> str:
    words = [f"`{word}`" for word, _ in _open_numbers(settings)]
    if not words:
        return ""
    listed = " and ".join(words)
    return f"\n    The spec leaves {listed} to `caedsl train`, which writes what it finds into spec.cae of its run."


def _batch(settings: Train) -> str:
    return "batch" if isinstance(settings.batch, str) else repr(settings.batch)


def _optimizer(optimizer: Optimizer) -> str:
    call = optimizer.kind.torch(optimizer.options)
    words = "".join(f", {name}={value!r}" for name, value in call.kwargs)
    return f"torch.optim.{call.name}(model.parameters(), lr={rate_text(optimizer)}{words})"


def _after_epoch(settings: Train) -> str:
    return "\n        plateau.update(total / len(images))" if settings.schedule.kind.watches else ""


def _threads_line(settings: Train) -> str:
    return f"    torch.set_num_threads({settings.threads})\n" if isinstance(settings.threads, int) else ""


def _deterministic_lines(settings: Train) -> str:
    if not settings.deterministic:
        return ""
    return """    import os

    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when a product is computed for the first time
    torch.use_deterministic_algorithms(True)
"""


def _main(model: Autoencoder, settings: Train, name: str) -> str:
    shape = ", ".join(map(str, model.input.shape))
    numbers = _open_numbers(settings)
    words = "".join(f" {word.upper()}" for word, _ in numbers)
    files = list(sample_arguments(model).values())
    given = "".join(f", {word}={kind}(sys.argv[{place}])" for place, (word, kind) in enumerate(numbers, 2 + len(files)))
    listed = "".join(f" {file.upper()}.npy" for file in files)
    others = [f"targets (number, {', '.join(map(str, model.target.shape))})"] if model.paired else []
    others += ["sample_weights (number,)"] if model.weighted else []
    about = f"with images (number, {shape}){''.join(f' and {other}' for other in others)}"
    loading = "\n    ".join(
        f"{file} = torch.from_numpy(numpy.load(sys.argv[{place}])).float()" for place, file in enumerate(files, 1)
    )
    return f"""if __name__ == "__main__":
    import numpy
    from safetensors.torch import save_file

    if len(sys.argv) != {2 + len(files) + len(numbers)}:
{_usage(f"{model.name}.py{listed} WEIGHTS.safetensors{words}", about)}
    for path in sys.argv[1:{1 + len(files)}]:
        if not path.endswith(".npy"):
            sys.exit(f"{{path}} is not an .npy file: write one with numpy.save(path, images)")
{_threads_line(settings)}{_deterministic_lines(settings)}    autoencoder = {name}()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    {loading}
    train(autoencoder, {", ".join(files)}{given}, device=device)
    save_file(autoencoder.state_dict(), sys.argv[{1 + len(files)}])"""


def _usage(command: str, about: str) -> str:
    """Return the line that ends with how to use the file, broken if it is too long."""
    line = f'        sys.exit("usage: python {command}, {about}")'
    if len(line) <= _WIDTH:
        return line
    return f'        sys.exit(\n            "usage: python {command}, "\n            "{about}"\n        )'
