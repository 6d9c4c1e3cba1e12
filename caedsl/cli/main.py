"""The ``caedsl`` program.

``check`` and ``fmt`` run on every commit, so they are handled without importing typer, which takes 50 ms.
"""

import gc
import os
import sys
from collections.abc import Sequence

from caedsl.cli.argument_parser import complain
from caedsl.cli.environment_errors import environment_problem
from caedsl.cli.exit_codes import COULD_NOT_RUN, INTERRUPTED
from caedsl.cli.signals import interruptible
from caedsl.cli.streams import exit_code, guarded_streams

_SHORT = (["check"], ["fmt"])
"""Commands that are run on every commit, in a process of their own."""

_MANY_OBJECTS = 100_000
"""Start garbage collection after this many new objects; imports alone create tens of thousands, few of them garbage."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code; never show a traceback."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    is_short = argv is None and arguments[:1] in _SHORT
    if is_short:
        gc.set_threshold(_MANY_OBJECTS)
    with guarded_streams() as output:
        code = _run(arguments)
        output.flush()
        if argv is None:
            gc.freeze()  # the process frees all memory at exit; a final collection would take a fifth of a check
        return exit_code(output, code)


def _run(arguments: list[str]) -> int:
    with interruptible() as interruption:
        try:
            os.getcwd()  # relative paths have no meaning in a deleted folder
            code = _dispatch(arguments)
        except KeyboardInterrupt:
            interruption.requested = True
        except Exception as error:
            # Libraries turn an interruption inside their code into errors of their own.
            if not interruption.requested:
                return _failure(error, arguments)
        else:
            if not interruption.requested:
                return code
        complain("interrupted")
        return INTERRUPTED


def _failure(error: Exception, arguments: list[str]) -> int:
    if os.environ.get("CAEDSL_DEBUG"):
        raise error
    reason = environment_problem(error)
    if reason is None:
        return _report_bug(error, arguments)
    complain(reason)
    return COULD_NOT_RUN


def _dispatch(arguments: list[str]) -> int:
    if arguments[:1] == ["check"]:
        from caedsl.cli.check import run as check

        return check(arguments[1:])
    if arguments[:1] == ["fmt"]:
        from caedsl.cli.fmt import run as fmt

        return fmt(arguments[1:])
    from caedsl.cli.app import run

    return run(arguments)


def _report_bug(error: Exception, arguments: list[str]) -> int:
    from caedsl.version import __version__

    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = f" ({os.path.basename(frame.tb_frame.f_code.co_filename)}:{frame.tb_lineno})" if frame else ""
    complain(
        f"this is a bug in caedsl {__version__}, not in your spec: {type(error).__name__}: {error}{place}",
        f"  command: caedsl {' '.join(arguments)}",
        "  please report it with the spec; CAEDSL_DEBUG=1 shows the traceback",
    )
    return COULD_NOT_RUN


if __name__ == "__main__":
    sys.exit(main())
