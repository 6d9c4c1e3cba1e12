"""A stand-in for CUDA graphs on a CPU: operations are recorded with their arguments, and repeated on the same memory."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Operation(NamedTuple):
    """A call with the tensors that it was given, and those that it returned."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any]
    returned: Any


class _Recording(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.operations: list[Operation] = []

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if func in _WAITS:
            raise RuntimeError(f"{func} waits for the device")
        returned = func(*args, **(kwargs or {}))
        self.operations.append(Operation(func, args, kwargs or {}, returned))
        return returned


_WAITS = {torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default}
"""Operations that cannot be captured, as their results are needed in main memory."""


class OperationRecorder:
    """Recorder of a CPU.

    Like a CUDA graph, it repeats operations with the recorded numbers, and reads tensors from the recorded addresses.
    """

    def __init__(self) -> None:
        self.replays = 0

    @contextmanager
    def strictly(self) -> Iterator[None]:
        """Refuse operations that cannot be captured."""
        with _Recording():
            yield

    def record(self, work: Callable[[], Tensor]) -> tuple[Callable[[], None], Tensor]:
        """Record ``work`` while computing it."""
        with _Recording() as recording:
            result = work()

        def replay() -> None:
            self.replays += 1
            with torch._C._AutoDispatchBelowAutograd():
                for function, arguments, keywords, returned in recording.operations:
                    again = function(*arguments, **keywords)
                    for place, value in zip(tree_leaves(returned), tree_leaves(again), strict=True):
                        if isinstance(place, Tensor) and place.data_ptr() != value.data_ptr():
                            place.copy_(value)

        return replay, result

    def wait(self) -> None:
        """Return at once, since there is nothing to wait for."""
