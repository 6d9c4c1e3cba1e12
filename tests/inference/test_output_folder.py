"""Output files stay in their folder, one per sample, whatever the samples are called."""

import io
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from caedsl.inference.output_folder import OutputError, new_files
from tests.inference.test_commands import Run

HOSTILE = ("/etc/x", "../x", "a/../../x", "..", ".", "", "/", "\0", "a\0b", "x", "x", "X", "x.png", "x.png/y", "x/y")


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def write(folder: Path, interrupted: bool, name: str = "deep/b.png") -> None:
    with new_files(folder) as files:
        files.write("a.png", b"new")
        files.write(name, b"new")
        assert b"new" not in [path.read_bytes() for path in folder.glob("*") if path.is_file()]
        if interrupted:
            raise KeyboardInterrupt


def image(path: Path, grey: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (8, 8), grey).save(path)
    return path


@given(st.lists(st.sampled_from(HOSTILE) | st.text(max_size=300), max_size=12))
def test_any_names_give_as_many_files_inside(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    around = tmp_path_factory.mktemp("around")
    inside = around / "inside"
    inside.mkdir()
    with new_files(inside) as folder:
        for number, name in enumerate(names):
            folder.write(folder.claim(name, ".png"), str(number).encode())
    below = [path for path in inside.rglob("*") if path.is_file()]
    assert {path.read_text() for path in below} == {str(number) for number in range(len(names))}
    assert len({str(path).casefold() for path in below}) == len(names)
    assert [path.name for path in around.iterdir()] == ["inside"]


def test_names_that_are_files_of_the_folder_stay_as_they_are(tmp_path: Path) -> None:
    with new_files(tmp_path) as folder:
        names = ["a.png", "deep/a.png", "1.5 mm.png", ".hidden", "é/漢.png"]
        assert [folder.claim(name) for name in names] == names
        assert folder.renamed == 0
        assert [folder.claim("a.png") for _ in range(2)] == ["a-2.png", "a-3.png"]
        assert folder.claim("/srv/b.png") == "srv/b.png"
        assert folder.renamed == 3


def test_an_ending_is_appended_once(tmp_path: Path) -> None:
    with new_files(tmp_path) as folder:
        assert [folder.claim(name, ".png") for name in ("a.png", "b.PNG", "c.jpg", "d")] == [
            "a.png",
            "b.PNG",
            "c.jpg.png",
            "d.png",
        ]
        assert folder.renamed == 0
        assert folder.claim("a", ".png") == "a-2.png"
        assert folder.renamed == 1


def test_a_folder_gets_all_files_or_none(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("old")
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, interrupted=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert (tmp_path / "a.png").read_text() == "old"
    write(tmp_path, interrupted=False)
    assert files_below(tmp_path) == {"a.png", "deep/b.png"}
    assert (tmp_path / "a.png").read_text() == "new"


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_in_the_folder_are_not_followed(tmp_path: Path) -> None:
    for name in ("inside", "outside"):
        (tmp_path / name).mkdir()
    (tmp_path / "inside" / "deep").symlink_to(tmp_path / "outside")
    (tmp_path / "inside" / "a.png").symlink_to(tmp_path / "outside" / "victim")
    (tmp_path / "inside" / ".a.png.part").symlink_to(tmp_path / "outside" / "victim")
    with new_files(tmp_path / "inside") as folder:
        folder.write("a.png", b"new")
        with pytest.raises(OutputError, match=r"symbolic link.*choose another folder"):
            folder.write("deep/b.png", b"new")
    assert list((tmp_path / "outside").iterdir()) == []
    assert (tmp_path / "inside" / "a.png").read_text() == "new"
    assert not (tmp_path / "inside" / "a.png").is_symlink()


def test_a_folder_in_the_place_of_a_file_is_an_error_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "b.png").mkdir()
    with pytest.raises(OutputError, match=r"b\.png cannot be written.*folder"):
        write(tmp_path, interrupted=False, name="b.png")
    assert [path.name for path in tmp_path.iterdir()] == ["b.png"]


def test_maps_of_files_from_anywhere_stay_in_their_folder(
    grey: Path, tmp_path: Path, caedsl: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [image(tmp_path / "one" / "a.png"), image(tmp_path / "two" / "a.png", 90)]
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    listed = "\n".join([str(names[0]), "../two/a.png", str(names[0])]).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(listed)))
    before = files_below(tmp_path)
    code, out, err = caedsl("score", grey, "-", names[1], "--maps", "maps")
    assert code == 0, err
    assert len(out.splitlines()) == 5
    made = files_below(tmp_path) - before
    assert len(made) == 4
    assert all(name.startswith("here/maps/") for name in made)
    assert "renamed 3 files in maps" in err


def test_error_maps_never_replace_reconstructions(grey: Path, tmp_path: Path, caedsl: Run) -> None:
    for name in ("a.png", "a.png.error.png"):
        image(tmp_path / "in" / name, 200)
    code, _, err = caedsl("reconstruct", grey, tmp_path / "in", "-o", tmp_path / "out", "--error-maps")
    assert code == 0, err
    assert len(files_below(tmp_path / "out")) == 4


def test_decoded_codes_have_a_file_each(grey: Path, tmp_path: Path, caedsl: Run) -> None:
    codes = tmp_path / "codes.npz"
    np.savez(codes, names=np.array(["/etc/x", "../x", "a", "a", "a/b", "a_b"]), codes=np.zeros((6, 6), np.float32))
    before = files_below(tmp_path)
    code, _, err = caedsl("decode", grey, codes, "-o", tmp_path / "out")
    assert code == 0, err
    made = files_below(tmp_path) - before
    assert made == {f"out/{name}.png" for name in ("etc/x", "x", "a", "a-2", "a/b", "a_b")}
    assert "3 files" in err


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_no_file_is_written_through_a_link_beside_it(grey: Path, tmp_path: Path, caedsl: Run) -> None:
    """A run folder from a stranger may already contain the temporary name of a file."""
    victim = tmp_path / "victim"
    victim.write_text("kept")
    (tmp_path / ".codes.csv.part").symlink_to(victim)
    image(tmp_path / "in" / "a.png")
    assert caedsl("encode", grey, tmp_path / "in", "-o", tmp_path / "codes.csv")[0] == 0
    assert victim.read_text() == "kept"
    assert not os.path.islink(tmp_path / "codes.csv")
