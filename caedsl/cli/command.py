"""Commands that typer runs: the layout of their help, and their usage errors as single lines."""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, get_args, get_type_hints

from typer.core import TyperCommand

from caedsl.cli.argument_parser import unknown
from caedsl.diagnostics.text import in_backticks


class Command(TyperCommand):
    """Command whose help shows an argument by its name alone; typer adds braces and the Python type."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return what follows the command's name in the first line of the help."""
        return ["[OPTIONS]", *map(_in_usage, self._arguments(ctx))]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments and the options."""
        arguments = self._arguments(ctx)
        options = [parameter for parameter in self.get_params(ctx) if parameter not in arguments]
        rows = {
            "Arguments": [(argument.metavar, argument.help) for argument in arguments],
            "Options": [option.get_help_record(ctx) for option in options],
        }
        for title, lines in rows.items():
            if lines:
                with formatter.section(title):
                    formatter.write_dl(lines)

    def _arguments(self, ctx: Any) -> list[Any]:
        return [parameter for parameter in self.get_params(ctx) if parameter.param_type_name == "argument"]


def _in_usage(argument: Any) -> str:
    several = "..." if argument.nargs != 1 else ""
    return f"{argument.metavar}{several}" if argument.required else f"[{argument.metavar}]{several}"


def usage_error(error: Any, functions: Mapping[str, Callable[..., object]], arguments: Sequence[str]) -> str:
    """Return one line about a usage error of typer: the place, the value and the remedy.

    Args:
        error: a usage error; typer has no public class for them.
        functions: the function of each command, whose annotations declare the parameters.
        arguments: the command line, for the value that was given.
    """
    command = f" {arguments[0]}" if arguments[0] in functions else ""
    return f"{_fault(error, functions, arguments)}; see `caedsl{command} --help`"


def _fault(error: Any, functions: Mapping[str, Callable[..., object]], arguments: Sequence[str]) -> str:
    parameter = getattr(error, "param", None)
    if parameter is None:
        if not hasattr(error, "option_name"):
            message = error.message.replace("Got unexpected extra argument(s)", "unexpected arguments:")
            return str(message[:1].lower() + message[1:]).rstrip(".")
        if hasattr(error, "possibilities"):
            options = [name for option in error.ctx.command.get_params(error.ctx) for name in option.opts]
            return unknown("option", error.option_name, options)
        return f"{error.option_name} needs a value"
    is_argument = parameter.param_type_name == "argument"
    name = parameter.metavar if is_argument else "/".join(parameter.opts)
    if hasattr(error, "param_type"):
        return f"the following arguments are required: {name}"
    expected = _expected(get_type_hints(functions[error.ctx.info_name], include_extras=True)[parameter.name])
    if expected is None:
        return f"{name}: {error.message}"
    value = _value_of(parameter.opts, arguments)
    return f"write {expected} for {name}" if value is None else f'{name} is "{value}"; write {expected}'


def _expected(declared: Any) -> str | None:
    """Return the values that a parameter accepts, from its annotation: ``Annotated[int | None, Option(min=1)]``."""
    annotation, option = get_args(declared)
    kind = next(iter(get_args(annotation)), annotation)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return f"one of {in_backticks(value.value for value in kind)}"
    if kind is float:
        return "a number"
    if kind is not int:
        return None
    return "a whole number" + ("" if option.min is None else f" from {option.min} to {option.max:,}")


def _value_of(names: Sequence[str], arguments: Sequence[str]) -> str | None:
    """Return the value of an option on the command line."""
    for place, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name in names:
            return value if equals else next(iter(arguments[place + 1 :]), None)
    return None
