"""The ``caedsl`` program.

``check`` and ``fmt`` run on every commit: they are answered before typer (50 ms) is imported.
"""

import os
import sys
from collections.abc import Sequence

from caedsl.cli.exit_codes import COULD_NOT_RUN, FINE, INTERRUPTED


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the program and returns its exit code; whatever happens, no traceback is shown."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets a question mark instead of an error.
        getattr(stream, "reconfigure", lambda **_: None)(errors="replace")
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("caedsl: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has seen enough; what is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINE
    except ModuleNotFoundError as error:
        from caedsl.extras import missing_package

        message = missing_package(error)
        if message is None:
            return _apologise(error, arguments)
        print(f"caedsl: {message}", file=sys.stderr)
        return COULD_NOT_RUN
    except Exception as error:
        if os.environ.get("CAEDSL_DEBUG"):
            raise
        return _apologise(error, arguments)


def _dispatch(arguments: list[str]) -> int:
    if arguments[:1] == ["check"]:
        from caedsl.cli.check import run as check

        return check(arguments[1:])
    if arguments[:1] == ["fmt"]:
        from caedsl.cli.fmt import run as fmt

        return fmt(arguments[1:])
    from caedsl.cli.app import run

    return run(arguments)


def _apologise(error: Exception, arguments: list[str]) -> int:
    from caedsl import __version__

    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = f" ({os.path.basename(frame.tb_frame.f_code.co_filename)}:{frame.tb_lineno})" if frame else ""
    print(
        f"caedsl: this is a bug in caedsl {__version__}, not in your spec: {type(error).__name__}: {error}{place}\n"
        f"  command: caedsl {' '.join(arguments)}\n"
        "  please report it with the spec; CAEDSL_DEBUG=1 shows the whole traceback",
        file=sys.stderr,
    )
    return COULD_NOT_RUN


if __name__ == "__main__":
    sys.exit(main())
