"""Constructor call as data: the torch backend prints it as source or builds the module, so the two cannot differ."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Call:
    """Call ``name(*args, **kwargs)``.

    ``name`` is a class of ``torch.nn`` or ``torch.optim``, a function of ``torch.nn.init`` or ``torch.nn.functional``,
    or one of the few modules that PyTorch lacks (``caedsl/backends/torch/modules.py``); whoever makes the call knows
    which. Arguments are numbers, strings, tuples of them, or calls.
    """

    name: str
    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = ()


def call(name: str, *args: Any, **kwargs: Any) -> Call:
    """Return a ``Call``, written like the call itself."""
    return Call(name, args, tuple(kwargs.items()))
