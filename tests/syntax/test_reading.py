"""Files that cannot be read: the message names the path, what is wrong and the remedy."""

from pathlib import Path

import pytest

from caedsl.syntax.reading import MAX_BYTES, SourceError, read_source


def test_the_text_is_kept_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.cae"
    path.write_bytes("\ufeffconv 64\r\n# é\r".encode())
    source = read_source(path)
    assert source.text == "\ufeffconv 64\r\n# é\r"
    assert source.path == str(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"conv \xff", "this file is not UTF-8 text (its byte 6 is 0xff); save it as UTF-8"),
        ("conv".encode("utf-16"), "this file is not UTF-8 text (it looks like UTF-16); save it as UTF-8"),
        (b"#" * (MAX_BYTES + 1), "this file is larger than 64 KiB, the limit for a spec; name a `.cae` file"),
    ],
    ids=["latin-1", "utf-16", "large"],
)
def test_content_that_is_no_spec(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.cae"
    path.write_bytes(content)
    with pytest.raises(SourceError) as raised:
        read_source(path)
    assert str(raised.value) == f"{path}: {message}"


def test_the_largest_file_that_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.cae"
    path.write_bytes(b"#" * MAX_BYTES)
    assert len(read_source(path).text) == MAX_BYTES


def test_paths_that_name_no_file(tmp_path: Path) -> None:
    for path, message in [
        (str(tmp_path), f"{tmp_path}: this is a folder; name a `.cae` file in it"),
        (str(tmp_path / "none.cae"), f"{tmp_path / 'none.cae'}: this file does not exist; check the path"),
        ("a\0b", r"'a\x00b': this is not a path, because it contains a NUL character"),
    ]:
        with pytest.raises(SourceError) as raised:
            read_source(path)
        assert str(raised.value) == message


def test_a_file_one_may_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.open", refuse)
    with pytest.raises(SourceError, match="no permission to read this file; change its permissions"):
        read_source(str(tmp_path / "a.cae"))
