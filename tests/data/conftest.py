"""Small real files of every kind, and specs that read them."""

import gzip
import hashlib
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from caedsl.data.images import Images
from caedsl.data.loading import load
from caedsl.data.readers import mnist
from caedsl.model.autoencoder import Autoencoder, Bottleneck, Input
from caedsl.model.data import DataSource, InputRange
from caedsl.source import Source, Span

NOWHERE = Span(0, 0)
CLOSED = "http://127.0.0.1:9/"
"""The discard port, where nothing answers."""


def spec(
    *sources: DataSource,
    shape: tuple[int, ...] = (1, 8, 8),
    range: InputRange = InputRange(),
    folder: Path = Path(),
) -> Autoencoder:
    image = Input(shape, range, NOWHERE, NOWHERE)
    return Autoencoder(
        name="tiny",
        source=Source("", str(folder / "tiny.cae")),
        input=image,
        target=image,
        data=sources,
        encoder=(),
        bottleneck=Bottleneck("bare", shape, (), (), 0.0, 0.0, NOWHERE),
        decoder=(),
        mirrored=False,
        train=None,
        require=(),
    )


def idx(array: np.ndarray) -> bytes:
    codes = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}
    big_endian = array.astype(array.dtype.newbyteorder(">"))
    header = bytes([0, 0, codes[array.dtype.str[1:]], array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + big_endian.tobytes()


def mnist_files(size: int = 8, train: int = 12, test: int = 6, seed: int = 0) -> dict[str, bytes]:
    """Return the four files of a set by their published names; the label of an image is its number modulo 10."""
    draw = np.random.default_rng(seed)
    arrays = (
        draw.integers(0, 256, (train, size, size), dtype=np.uint8),
        np.arange(train, dtype=np.uint8) % 10,
        draw.integers(0, 256, (test, size, size), dtype=np.uint8),
        np.arange(test, dtype=np.uint8) % 10,
    )
    return {name: gzip.compress(idx(array), mtime=0) for name, array in zip(mnist.FILES, arrays, strict=True)}


def write_all(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the machine's data folder and network, so that a test reads only files that it made."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CAEDSL_DATA", raising=False)
    for name, a_set in mnist.SETS.items():
        monkeypatch.setitem(mnist.SETS, name, replace(a_set, files=replace(a_set.files, mirrors=(CLOSED,))))


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Images]:
    """Load one source, with paths from the test's own folder."""

    def read_source(
        name: str, *, shape=(1, 8, 8), range=InputRange(), data_dir=None, progress=None, **options
    ) -> Images:
        model = spec(DataSource(name, **options), shape=shape, range=range, folder=tmp_path)
        return load(model, data_dir) if progress is None else load(model, data_dir, progress)

    return read_source


class Site:
    """A web server on this machine: pages by path, and how often each was asked for."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.stall: Callable[[], None] = lambda: None
        self.declared_more = 0
        self.url = ""

    def publish(self, files: Mapping[str, bytes]) -> dict[str, str]:
        """Serve these files; return their checksums."""
        self.pages |= {f"/{name}": content for name, content in files.items()}
        return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(self.path)
            site.stall()
            if self.path not in site.pages:
                self.send_error(404)
                return
            content = site.pages[self.path]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content) + site.declared_more))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.url = f"http://127.0.0.1:{server.server_port}/"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(Site()) as started:
        yield started
