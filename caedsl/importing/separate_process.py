"""Read an untrusted file in a separate process: C libraries may crash, loop or exhaust memory on it."""

import importlib
import json
import math
import os
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Sequence
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np

from caedsl.importing.network import Array
from caedsl.machine.memory import limit_memory

_PACKAGES = str(Path(__file__).parents[2])


class SeparateProcessError(Exception):
    """Error in the separate process; ``kind`` is the name of the error's class there, or of a signal."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class SeparateProcess:
    """Process that makes an object from the content of a file, and calls methods of it.

    ``served`` names the class, as ``module:Class``. The process may use ``memory`` bytes more than at its start, if the
    system can limit it (Linux), and ``seconds`` of processor time (all but Windows). Arguments are JSON values,
    followed by arrays; a result is a JSON value or one array.
    """

    def __init__(self, served: str, content: bytes, memory: int, seconds: int) -> None:
        folders = [*filter(None, sys.path), _PACKAGES]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "caedsl.importing.separate_process"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(folders)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._finalizer = weakref.finalize(self, _end, self._process)
        limits = {"served": served, "memory": memory, "seconds": seconds}
        self._exchange(limits, [np.frombuffer(content, np.uint8)])

    def call(self, name: str, *arguments: Any, arrays: Sequence[Array] = ()) -> Any:
        """Return the result of a method; ``arrays`` are its last arguments."""
        return self._exchange({"name": name, "arguments": arguments}, arrays)

    def close(self) -> None:
        """End the process."""
        self._finalizer()

    def _exchange(self, request: dict[str, Any], arrays: Sequence[Array]) -> Any:
        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None and isinstance(answers, BufferedReader)
        try:
            _write(requests, request, arrays)
            answer = json.loads(answers.readline())
            if "kind" in answer:
                raise SeparateProcessError(answer["kind"], answer["message"])
            read = _read_arrays(answers, answer["arrays"])
        except (OSError, ValueError):  # the process has ended, before or in the middle of an answer
            self._raise_for_exit()
        return read[0] if read else answer["value"]

    def _raise_for_exit(self) -> NoReturn:
        self.close()
        code = self._process.returncode
        kind = signal.Signals(-code).name if code < 0 else "exit"
        raise SeparateProcessError(kind, "it takes too long" if kind == "SIGXCPU" else "it is damaged") from None


def _end(process: "subprocess.Popen[bytes]") -> None:
    for pipe in (process.stdin, process.stdout):
        try:
            if pipe is not None:
                pipe.close()
        except OSError:  # unsent data remains
            pass
    try:
        process.wait(timeout=1)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _described(arrays: Sequence[Array]) -> list[tuple[str, tuple[int, ...]]]:
    if any(array.dtype.hasobject for array in arrays):
        raise TypeError("an array holds no numbers")
    return [(array.dtype.str, array.shape) for array in arrays]


def _write(file: IO[bytes], header: dict[str, Any], arrays: Sequence[Array]) -> None:
    """Write a line of JSON, followed by the numbers of the arrays."""
    file.write(json.dumps({**header, "arrays": _described(arrays)}).encode() + b"\n")
    for array in arrays:
        file.write(np.ascontiguousarray(array).data)
    file.flush()


def _read_arrays(file: BufferedReader, described: list[tuple[str, list[int]]]) -> list[Array]:
    arrays = []
    for kind, shape in described:
        arrays.append(np.empty(shape, kind))
        if file.readinto(arrays[-1].reshape(-1).view(np.uint8).data) != arrays[-1].nbytes:
            raise ValueError("the process has ended in the middle of an array")
    return arrays


def _serve(requests: BufferedReader, answers: IO[bytes]) -> None:
    """Answer requests until there are no more."""
    setup = json.loads(requests.readline())
    content = _read_arrays(requests, setup["arrays"])[0].tobytes()
    module, _, name = setup["served"].partition(":")
    kind = getattr(importlib.import_module(module), name)
    _limit_time(setup["seconds"])
    limit_memory(setup["memory"])
    served: list[Any] = []
    _answer(answers, lambda: served.append(kind(content)))
    while served and (line := requests.readline()):
        request = json.loads(line)
        call = getattr(served[0], request["name"])
        _answer(answers, partial(call, *request["arguments"], *_read_arrays(requests, request["arrays"])))


def _answer(answers: IO[bytes], call: Callable[[], Any]) -> None:
    """Write the result of a call, or its error."""
    try:
        value = call()
        arrays = [value] if isinstance(value, np.ndarray) else []
        _write(answers, {"value": None if arrays else value}, arrays)
    except Exception as error:  # libraries have errors of their own
        lines = str(error).splitlines() or [type(error).__name__]
        _write(answers, {"kind": type(error).__name__, "message": lines[0]}, [])


def _limit_time(seconds: int) -> None:
    try:
        import resource
    except ModuleNotFoundError:  # on Windows
        return
    most = math.ceil(time.process_time()) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (most, most + 1))  # the soft limit's signal differs from a kill
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _main() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "wb") as nowhere:  # output of libraries is not an answer
        os.dup2(nowhere.fileno(), 1)
    with open(0, "rb", closefd=False) as requests:
        _serve(requests, answers)


if __name__ == "__main__":
    _main()
