"""Download of one file with pooch: to a temporary name, verified, then moved to its place."""

from collections.abc import Callable
from pathlib import Path

CONNECT_SECONDS, READ_SECONDS = 5.0, 20.0
"""Limit the time to connect to a server, and to receive the next piece."""


class _Bar:
    """Progress bar in the interface of pooch."""

    def __init__(self, show: Callable[[int, int], None]) -> None:
        self.total = 0
        self._done = 0
        self._show = show

    def update(self, amount: int) -> None:
        # pooch counts whole chunks, and resets the bar before it fills it at the end.
        self._done = min(self._done + amount, self.total or self._done + amount)
        self._show(self._done, self.total)

    def reset(self) -> None:
        self._done = 0

    def close(self) -> None:
        """Do nothing."""


def download(url: str, path: Path, sha256: str, show: Callable[[int, int], None]) -> str | None:
    """Download ``url`` to ``path`` and verify it; return None, or the reason of a failure, and then write nothing.

    ``show`` is called with the bytes done and their total (0 if unknown). An ``OSError`` means that ``path`` cannot be
    written.
    """
    import pooch
    from requests import RequestException

    pooch.get_logger().setLevel("WARNING")
    downloader = pooch.HTTPDownloader(
        progressbar=_Bar(show), chunk_size=1 << 16, timeout=(CONNECT_SECONDS, READ_SECONDS)
    )
    try:
        pooch.retrieve(url, f"sha256:{sha256}", fname=path.name, path=path.parent, downloader=downloader)
    except RequestException as error:
        return _why(error)
    except ValueError:
        return "the checksum of the file differs from the published one"
    return None


def _why(error: Exception) -> str:
    from requests import ConnectionError as NoConnection
    from requests import HTTPError, Timeout

    if isinstance(error, HTTPError) and error.response is not None:
        return f"the server answered {error.response.status_code} {error.response.reason}".rstrip()
    if isinstance(error, Timeout) or "timed out" in str(error):
        return f"no answer within {CONNECT_SECONDS:g} s, or no data for {READ_SECONDS:g} s"
    if isinstance(error, NoConnection):
        return "the server's name cannot be resolved" if "resolve" in str(error) else "no connection"
    return "the connection was lost"
