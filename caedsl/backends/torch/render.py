"""Render a lowered program as one Python file that needs only PyTorch."""

import builtins
import keyword
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from caedsl.backends.torch import render_training
from caedsl.backends.torch.linked import linked_methods
from caedsl.backends.torch.lower import lower
from caedsl.backends.torch.printed import classes, definitions
from caedsl.backends.torch.program import ModuleStep, Program, WeightInitialisation
from caedsl.model.autoencoder import Autoencoder
from caedsl.vocabulary.call import Call
from caedsl.vocabulary.shape import noun, text

WIDTH = 120
"""Maximum line length of emitted source."""

INDENT = "    "


@cache
def _reserved_names() -> frozenset[str]:
    """Return the names that an emitted file may define: those of the files that it copies definitions from."""
    printed = (name for file in Path(__file__).parent.glob("*.py") for name in definitions(file.stem))
    return frozenset({*printed, *dir(builtins), *keyword.kwlist, "Tensor"})


def class_name(name: str) -> str:
    """Return the name of a spec as a class name: ``mnist_l2`` → ``MnistL2``."""
    joined = "".join(part[:1].upper() + part[1:] for part in name.split("_") if part)
    if not joined or joined[0].isdigit():
        return f"Autoencoder{joined}"
    return f"{joined}Autoencoder" if joined in _reserved_names() else joined


def emit(model: Autoencoder, training: bool = False) -> str:
    """Return the source of a module with ``encode``, ``decode`` and ``forward`` that loads weights of caedsl.

    With ``training``, a plain training loop with the spec's settings follows; the spec then needs a ``train`` block.
    """
    program = lower(model)
    parts = [*_own_modules(program), _class(model, program)]
    if training:
        parts += render_training.functions(model, program, class_name(model.name))
    parts.insert(0, _header(model, program, parts))
    return "\n\n\n".join(part.strip("\n") for part in parts) + "\n"


def _header(model: Autoencoder, program: Program, parts: Sequence[str]) -> str:
    shapes = f"{text(model.input.shape)} {noun(model.input.shape)}s, codes of {text(model.code_shape)}"
    lines = [f'"""{model.name}: a convolutional autoencoder for {shapes}."""', ""]
    standard = render_training.imports(parts)
    lines += [*standard, ""] if standard else []
    if any("torch." in part for part in parts):
        lines.append("import torch")
    lines.append("from torch import Tensor, nn")
    if any("functional." in part for part in parts):
        lines.append("from torch.nn import functional")
    return "\n".join(lines)


def _own_modules(program: Program) -> list[str]:
    used = {step.call.name for step in program.steps}
    return [source for name, source in classes("modules").items() if name in used]


def _class(model: Autoencoder, program: Program) -> str:
    image, code = text(model.input.shape), text(model.code_shape)
    return f'''class {class_name(model.name)}(nn.Module):
    """{image} {noun(model.input.shape)}s {_values(model)}, codes of {code} numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(  # {image}
{_lines(program.encoder, 3)}
        )
{_bottleneck(model, program)}        self.decoder = nn.Sequential(  # {code}
{_lines(program.decoder, 3)}
        )
{_reset(program)}
{_methods(model, program)}'''


def _values(model: Autoencoder) -> str:
    given = f"with values in {model.input.range}"
    if model.target is model.input:
        return given
    return f"{given} to {text(model.target.shape)} in {model.target.range}"


def _returned(model: Autoencoder) -> str:
    return "" if model.target is model.input else f" (batch, {_axes(model.target.shape)})"


def _methods(model: Autoencoder, program: Program) -> str:
    what = noun(model.input.shape)
    about = f"codes (batch, {_axes(model.code_shape)}) of {what}s (batch, {_axes(model.input.shape)})"
    check = _size_check(model, program)
    if program.linked:
        return linked_methods(program, about, what, check)
    code_of_x = "self.bottleneck(self.encoder(x))" if program.bottleneck else "self.encoder(x)"
    return f'''    def encode(self, x: Tensor) -> Tensor:
        """Return the {about}."""
{check}        return {code_of_x}

    def decode(self, z: Tensor) -> Tensor:
        """Return the {what}s{_returned(model)} that codes decode to."""
        return self.decoder(z)

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x))
'''


def _size_check(model: Autoencoder, program: Program) -> str:
    """Return lines that reject samples of another size, if the module would return them in its own size."""
    if not program.fixed_size:
        return ""
    shape = model.input.shape
    return f"""        if x.shape[1:] != {shape}:
            raise ValueError(f"this model takes samples of {text(shape)}, not {{tuple(x.shape[1:])}}")
"""


def _bottleneck(model: Autoencoder, program: Program) -> str:
    if not program.bottleneck:
        return ""
    before = model.encoder[-1].out_shape if model.encoder else model.input.shape
    return f"""        self.bottleneck = nn.Sequential(  # {text(before)}
{_lines(program.bottleneck, 3)}
        )
"""


def _axes(shape: tuple[int, ...]) -> str:
    return ", ".join(map(str, shape))


def _lines(sequence: Sequence[ModuleStep], depth: int) -> str:
    return "\n".join(line for step in sequence for line in _step(step, depth))


def _step(step: ModuleStep, depth: int) -> list[str]:
    pad = INDENT * depth
    comment = f"  # {step.shape}" if step.shape else ""
    heading = [f"{pad}# {step.heading}"] if step.heading else []
    if not step.branches:
        return [*heading, *_broken(f"{pad}{_constructor(step.call)}(", _arguments(step.call), f"),{comment}", pad)]
    inner = [
        line
        for branch in step.branches
        for line in (f"{pad}{INDENT}nn.Sequential(", *_lines(branch, depth + 2).split("\n"), f"{pad}{INDENT}),")
    ]
    return [*heading, f"{pad}{_constructor(step.call)}(", *inner, f"{pad}),{comment}"]


def _broken(opening: str, arguments: Sequence[str], closing: str, pad: str) -> list[str]:
    """Return a call on one line if it fits; otherwise put its arguments on one or more lines of their own."""
    line = f"{opening}{', '.join(arguments)}{closing}"
    if len(line) <= WIDTH or not arguments:
        return [line]
    together = f"{pad}{INDENT}{', '.join(arguments)}"
    if len(together) <= WIDTH:
        return [opening, together, f"{pad}{closing}"]
    return [opening, *(f"{pad}{INDENT}{argument}," for argument in arguments), f"{pad}{closing}"]


def _constructor(call: Call) -> str:
    return call.name if call.name in classes("modules") else f"nn.{call.name}"


def _arguments(call: Call) -> list[str]:
    return [*map(_literal, call.args), *(f"{name}={_literal(value)}" for name, value in call.kwargs)]


def _literal(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _reset(program: Program) -> str:
    body = [line for each in program.initialisations for line in _initialise(each)]
    if program.zero_biases:
        body += _zero_biases(program)
    if not body:
        return "\n".join([*_weight_norm(program), ""]) if program.weight_normed else ""
    return "\n".join(
        [
            f"{INDENT * 2}self.reset_parameters()",
            *_weight_norm(program),
            "",
            f"{INDENT}def reset_parameters(self) -> None:",
            f'{INDENT * 2}"""{_initialisation_text(program)}"""',
            *body,
            "",
        ]
    )


def _initialisation_text(program: Program) -> str:
    names = list(dict.fromkeys(each.title for each in program.initialisations))
    schemes = " and ".join(name[0].upper() + name[1:] if i == 0 else name for i, name in enumerate(names))
    return f"{schemes} initialisation{'; biases start at zero' if program.zero_biases else ''}."


def _initialise(initialisation: WeightInitialisation) -> list[str]:
    keywords = "".join(f", {argument}" for argument in _arguments(initialisation.call))
    modules = [_attribute(path) for path in initialisation.paths]
    if len(modules) == 1:
        return [f"{INDENT * 2}nn.init.{initialisation.call.name}({modules[0]}.weight{keywords})"]
    return [*_loop(modules), f"{INDENT * 3}nn.init.{initialisation.call.name}(layer.weight{keywords})"]


def _weight_norm(program: Program) -> list[str]:
    if not program.weight_normed:
        return []
    modules = [_attribute(path) for path in program.weight_normed]
    return [*_loop(modules), f"{INDENT * 3}nn.utils.parametrizations.weight_norm(layer)"]


def _zero_biases(program: Program) -> list[str]:
    if program.all_biases_zero:
        return [
            f"{INDENT * 2}for name, parameter in self.named_parameters():",
            f'{INDENT * 3}if name.endswith("bias"):',
            f"{INDENT * 4}nn.init.zeros_(parameter)",
        ]
    return [*_loop([_attribute(path) for path in program.zero_biases]), f"{INDENT * 3}nn.init.zeros_(layer.bias)"]


def _loop(modules: Sequence[str]) -> list[str]:
    listed = ", ".join(modules) + ("," if len(modules) == 1 else "")
    line = f"{INDENT * 2}for layer in ({listed}):"
    if len(line) <= WIDTH:
        return [line]
    return [f"{INDENT * 2}for layer in (", *(f"{INDENT * 3}{module}," for module in modules), f"{INDENT * 2}):"]


def _attribute(path: str) -> str:
    """Return a path as an attribute: ``encoder.3.body.0`` → ``self.encoder[3].body[0]``."""
    return "self." + re.sub(r"\.(\d+)", r"[\1]", path)
