"""Commands that ``torchrun`` starts several times: only the first process prints, and all end together."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING

import typer

from caedsl.cli.exit_codes import COULD_NOT_RUN, INTERRUPTED
from caedsl.cli.specs import fail

if TYPE_CHECKING:
    from caedsl.training.parallel.distributed import ProcessGroup


@contextmanager
def together() -> Iterator[None]:
    """Join the processes that torchrun started into one group; only the first prints. Do nothing in a single process.

    A failure of any process ends all of them with one message, and so does Ctrl-C before training starts.
    """
    if os.environ.get("WORLD_SIZE", "1") == "1":  # PyTorch is imported only if there is a group to join
        yield
        return
    from caedsl.training.parallel.processes import PartDoneError, training_with

    group = _joined_group()
    if group is None:
        yield
        return
    unheard = StringIO()
    with training_with(group), ExitStack() as quiet:
        if not group.first:
            quiet.enter_context(redirect_stdout(unheard))
            quiet.enter_context(redirect_stderr(unheard))
        try:
            yield
            group.leave()
        except PartDoneError:
            group.leave()
            # This process is done, and the first one writes the records. A normal exit would wait for PyTorch's
            # threads, and sometimes aborts on a busy machine while one of them still runs.
            os._exit(0)
        except (Exception, KeyboardInterrupt) as error:
            already_reported = isinstance(error, typer.Exit)
            if isinstance(error, typer.Exit) and error.exit_code == INTERRUPTED:
                group.leave()
                raise
            interrupted = isinstance(error, KeyboardInterrupt)
            failure = "interrupted" if interrupted else f"{type(error).__name__}: {error}"
            report = group.failure_message(unheard.getvalue() if already_reported else failure)
            quiet.close()
            if group.first or report:
                sys.stderr.write(report if already_reported else "")
                raise
            raise typer.Exit(COULD_NOT_RUN) from None


def _joined_group() -> "ProcessGroup | None":
    """Return the group of the processes started together, or None if this one was started alone."""
    from caedsl.data.errors import DataError
    from caedsl.training.parallel.distributed import ProcessGroup, is_started_with_others

    try:
        return ProcessGroup() if is_started_with_others() else None
    except DataError as error:
        raise fail(error) from None
    except (RuntimeError, ValueError) as error:
        place = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
        raise fail(f"cannot join the other processes at {place} ({str(error).splitlines()[0]})") from None
