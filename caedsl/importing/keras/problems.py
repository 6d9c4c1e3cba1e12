"""Problems of a file or an object that should be a Keras model."""

from collections.abc import Iterator
from contextlib import contextmanager

from caedsl.importing.errors import ImportFailure


class ModelProblem(Exception):
    """Problem of a whole model: it cannot be read, or no spec has its shape."""


@contextmanager
def named(name: str) -> Iterator[None]:
    """Raise problems of a model as ``ImportFailure`` with its name; unexpected values in it count as problems."""
    try:
        yield
    except ModelProblem as problem:
        raise ImportFailure(f"{name} was not imported: {problem}") from None
    except ImportFailure:
        raise
    except MemoryError:
        raise ImportFailure(f"{name} was not imported: it does not fit into memory") from None
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError, RuntimeError) as error:
        lines = str(error).splitlines() or [type(error).__name__]
        raise ImportFailure(
            f"{name} was not imported: its configuration is not one that Keras writes ({lines[0][:200]})"
        ) from None
