"""caedsl: a declarative language and compiler for convolutional autoencoders.

``parse``, ``check`` and ``load`` read specs, ``graph`` and ``show`` present models; ``build``, ``train``, ``resume``
and ``diagnose`` need PyTorch, which is imported when one of them is first used.
"""

from typing import TYPE_CHECKING, Any

from caedsl.version import __version__

if TYPE_CHECKING:
    from caedsl.api import (
        Callback,
        SpecError,
        Store,
        build,
        check,
        diagnose,
        emit,
        from_keras,
        from_torch,
        graph,
        load,
        open,
        parse,
        resume,
        show,
        train,
        watch,
    )

__all__ = [
    "Callback",
    "SpecError",
    "Store",
    "__version__",
    "build",
    "check",
    "diagnose",
    "emit",
    "from_keras",
    "from_torch",
    "graph",
    "load",
    "open",
    "parse",
    "resume",
    "show",
    "train",
    "watch",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'caedsl' has no attribute {name!r}")
    from caedsl import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return sorted(__all__)
