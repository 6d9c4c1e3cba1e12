"""Downloads from a server on this machine: good ones, wrong checksums, silence, nothing there."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from caedsl.data.errors import DataError
from caedsl.data.files import download
from caedsl.data.loading import load
from caedsl.data.readers import mnist
from caedsl.model.data import DataSource

from .conftest import CLOSED, Site, mnist_files, spec


def publish(site: Site, monkeypatch, files: dict[str, bytes], mirrors: tuple[str, ...] = ()) -> None:
    standard = mnist.SETS["mnist"]
    files_set = replace(standard.files, files=site.publish(files), mirrors=(*mirrors, site.url))
    monkeypatch.setitem(mnist.SETS, "mnist", replace(standard, files=files_set))


def left_behind(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_missing_files_are_downloaded_once(site: Site, tmp_path: Path, monkeypatch) -> None:
    publish(site, monkeypatch, mnist_files())
    seen = []
    images = load(spec(DataSource("mnist")), tmp_path / "data", lambda *step: seen.append(step))
    assert images.train.shape == (12, 1, 8, 8)
    assert images.notes == ()
    assert left_behind(tmp_path / "data") == ["mnist", *sorted(f"mnist/{name}" for name in mnist.FILES)]
    assert len(site.asked) == 4
    size = len(site.pages[f"/{mnist.FILES[0]}"])
    assert (f"downloading {mnist.FILES[0]}", size, size, "bytes") in seen
    assert all(done <= total for _, done, total, _ in seen)
    load(spec(DataSource("mnist")), tmp_path / "data")
    assert len(site.asked) == 4


def test_the_next_mirror_is_tried_and_a_dead_one_only_once(site: Site, tmp_path: Path, monkeypatch) -> None:
    publish(site, monkeypatch, mnist_files(), mirrors=(CLOSED,))
    assert len(load(spec(DataSource("mnist")), tmp_path)) == 12


def test_a_wrong_checksum_leaves_nothing(site: Site, tmp_path: Path, monkeypatch) -> None:
    publish(site, monkeypatch, mnist_files())
    site.pages[f"/{mnist.FILES[0]}"] = b"something else"
    with pytest.raises(DataError, match=f"{mnist.FILES[0]}: the checksum of the file differs"):
        load(spec(DataSource("mnist")), tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_a_broken_connection_leaves_nothing(site: Site, tmp_path: Path, monkeypatch) -> None:
    publish(site, monkeypatch, mnist_files())
    site.declared_more = 1000
    with pytest.raises(DataError, match="the connection was lost"):
        load(spec(DataSource("mnist")), tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_a_silent_server_is_given_up(site: Site, tmp_path: Path, monkeypatch) -> None:
    publish(site, monkeypatch, mnist_files())
    monkeypatch.setattr(download, "READ_SECONDS", 0.1)
    site.stall = lambda: time.sleep(0.5)
    with pytest.raises(DataError, match=r"no answer within 5 s, or no data for 0.1 s"):
        load(spec(DataSource("mnist")), tmp_path / "data")
    assert len(site.asked) == 1
    assert not (tmp_path / "data").exists()


def test_no_source_at_all_says_what_was_tried_and_how_to_continue(site: Site, tmp_path: Path, monkeypatch) -> None:
    publish(site, monkeypatch, mnist_files(), mirrors=(CLOSED,))
    site.pages.clear()
    model = spec(DataSource("mnist"), DataSource("npy", path="x.npy"), folder=tmp_path)
    with pytest.raises(DataError) as caught:
        load(model, tmp_path / "data")
    text = str(caught.value)
    assert "no data for tiny" in text
    assert f"no files of mnist in {tmp_path / 'data'} (no such folder), {tmp_path / 'cache' / 'caedsl'}" in text
    assert f"{CLOSED}{mnist.FILES[0]}: no connection" in text
    assert f"{site.url}{mnist.FILES[0]}: the server answered 404 Not Found" in text
    assert f'npy "x.npy": {tmp_path / "x.npy"} does not exist' in text
    assert f"put {', '.join(mnist.FILES)} into {tmp_path / 'data' / 'mnist'}" in text
    assert "--data-dir or the environment variable CAEDSL_DATA" in text
    assert "add `else digits`" in text


def test_falling_back_is_reported_first_and_with_its_reason(tmp_path: Path) -> None:
    images = load(spec(DataSource("mnist"), DataSource("digits")), tmp_path / "data")
    assert len(images) == 1797
    assert images.source.name == "digits"
    assert images.notes[0].startswith("using digits, because mnist is not available: no files of mnist in")
    assert "no connection" in images.notes[0]


def test_a_folder_that_cannot_be_made_is_a_reason_too(site: Site, tmp_path: Path, monkeypatch) -> None:
    publish(site, monkeypatch, mnist_files())
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(DataError, match="is not writable: "):
        load(spec(DataSource("mnist")), tmp_path / "data")
    assert not any(name.endswith(".tmp") for name in os.listdir(tmp_path))
