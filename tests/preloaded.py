"""A Python that has imported PyTorch and its like already, for tests that start many programs.

``python preloaded.py serve SOCKET`` imports the libraries once, then forks a process for each program that
``python preloaded.py run SOCKET [-u] [-c CODE | -m MODULE | FILE] ARGUMENTS`` asks for. The program has the asker's
folder, environment and standard streams, and the asker ends with its exit status. caedsl itself is not imported before the
fork.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

LIBRARIES = ("torch", "torch._dynamo", "sklearn.datasets", "scipy.stats", "matplotlib.figure", "rich.progress", "typer")


@contextmanager
def preloaded(folder: Path, environment: dict[str, str]) -> Iterator[Path]:
    """Start such a Python and return an executable file in ``folder`` that is used like it; stop it at the end."""
    here, socket_path, program = str(Path(__file__)), folder / "socket", folder / "python"
    command = [sys.executable, "-I", "-S", here, "run", str(socket_path)]
    program.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
    program.chmod(0o755)
    with subprocess.Popen([sys.executable, here, "serve", str(socket_path)], env=environment) as server:
        try:
            while not socket_path.exists():
                assert server.poll() is None, "the server ended"
                time.sleep(0.05)
            yield program
        finally:
            server.terminate()


def serve(path: str) -> list[str]:
    """Import the libraries and wait for programs. Return only in the processes that are to run one: its command line."""
    for name in LIBRARIES:
        importlib.import_module(name)
    gc.freeze()  # each program would look through all these objects for garbage, and at its end once more
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path + ".new")
        listening.listen()
        os.rename(path + ".new", path)
        while True:
            asker, _ = listening.accept()
            if os.fork():
                asker.close()
                continue
            listening.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            if (program := _forked(asker)) is not None:
                return program


def _forked(asker: socket.socket) -> list[str] | None:
    """Return the command line in a process that has what the asker sent; in its parent, answer with how it ended."""
    with asker:
        request, streams, _, _ = socket.recv_fds(asker, 1 << 20, 3)
        command: list[str]
        command, folder, environment = json.loads(request)
        if child := os.fork():
            asker.sendall(f"{child}\n".encode())
            _, status = os.waitpid(child, 0)
            asker.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
            os._exit(0)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    # These, and PYTHONPATH, are what Python itself reads as it starts.
    sys.dont_write_bytecode = bool(environment.get("PYTHONDONTWRITEBYTECODE"))
    sys.pycache_prefix = environment.get("PYTHONPYCACHEPREFIX")
    sys.path[:0] = [entry for entry in environment.get("PYTHONPATH", "").split(os.pathsep) if entry]
    return command


def run(program: list[str]) -> None:
    """Run ``-c CODE``, ``-m MODULE`` or ``FILE``, with the arguments after it, as this process's main program."""
    sys.path.pop(sys.path.index(str(Path(__file__).parent)))
    if program[0] == "-u":
        sys.stdout.reconfigure(write_through=True)  # type: ignore[union-attr]  # it is a text file
        program = program[1:]
    if program[0] == "-c":
        sys.argv = ["-c", *program[2:]]
        sys.path.insert(0, os.getcwd())
        exec(compile(program[1], "<string>", "exec"), {"__name__": "__main__"})
    elif program[0] == "-m":
        sys.argv = program[1:]
        sys.path.insert(0, os.getcwd())
        runpy.run_module(program[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = program
        sys.path.insert(0, str(Path(program[0]).resolve().parent))
        runpy.run_path(program[0], run_name="__main__")


def run_and_end(program: list[str]) -> NoReturn:
    """Run a program and end the process as it does, without taking PyTorch apart, which takes a third of a second."""
    status: object = None
    try:
        run(program)
    except SystemExit as end:
        status = end.code
    except BaseException:
        traceback.print_exc()
        status = 1
    if status is not None and not isinstance(status, int):
        print(status, file=sys.stderr)
        status = 1
    threading._shutdown()  # type: ignore[attr-defined]  # as Python and multiprocessing do: it waits for threads
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            if not getattr(stream, "closed", True):
                stream.flush()
        except OSError:
            status = 120  # as Python does
    os._exit((status or 0) & 0xFF)


def ask(path: str, program: list[str]) -> int:
    """Have a program run, pass SIGINT and SIGTERM on to it, and return its exit status, negative for a signal."""
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        socket.send_fds(server, [json.dumps([program, os.getcwd(), dict(os.environ)]).encode()], [0, 1, 2])
        with server.makefile() as answers:
            child = int(answers.readline())
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda number, frame: os.kill(child, number))
            return int(answers.readline())


def main(task: str, path: str, *program: str) -> None:
    """Serve, or have a program run and end as it did."""
    if task == "serve":
        run_and_end(serve(path))
    status = ask(path, list(program))
    if status < 0:
        os.kill(os.getpid(), -status)
    sys.exit(status)


if __name__ == "__main__":
    main(*sys.argv[1:])
