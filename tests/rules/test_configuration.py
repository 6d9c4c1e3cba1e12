"""``[tool.caedsl]`` in pyproject.toml."""

from pathlib import Path

import pytest

from caedsl.diagnostics.finding import Severity
from caedsl.rules.engine import catalogue
from caedsl.rules.engine.checking import Selection, examine
from caedsl.rules.engine.configuration import Configuration, ConfigurationError, read_configuration, rule_names
from caedsl.rules.engine.example import examples, whole_spec
from caedsl.source import Source


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def project(text: str, folder: str = ".") -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    Path(folder, "pyproject.toml").write_text(text)


def test_every_key() -> None:
    project(
        '[tool.caedsl]\nselect = ["shapes"]\nignore = ["CAE143"]\nstrict = true\noutput-format = "json"\nexclude = ["a"]\n'
    )
    configuration = read_configuration("a.cae")
    assert configuration.select == frozenset(catalogue.names("shapes"))
    assert configuration.ignore == {"unused-constant"}
    assert configuration.strict is True
    assert configuration.output_format == "json"
    assert configuration.exclude == ("a",)


def test_the_nearest_file_with_a_table_for_caedsl_is_used() -> None:
    project("[tool.caedsl]\nstrict = true\n")
    project("[tool.caedsl]\nstrict = false\n", "one/two")
    project("[tool.other]\n", "one/two/three")
    assert read_configuration("one/two/three/a.cae").strict is False
    assert read_configuration("one/two").strict is False
    assert read_configuration("one/a.cae").strict is True


@pytest.mark.parametrize("text", ["[tool]\ncaedsl = {strict = true}\n", "[ tool . caedsl ]\nstrict = true\n"])
def test_a_table_may_be_written_otherwise(text: str) -> None:
    project(text)
    assert read_configuration("a.cae").strict is True


def test_another_encoding_is_reported() -> None:
    Path("pyproject.toml").write_bytes("[tool.caedsl]\nstrict = true\n".encode("utf-16"))
    with pytest.raises(ConfigurationError, match="invalid TOML"):
        read_configuration("a.cae")


def test_without_a_file_nothing_is_set() -> None:
    project("this is no TOML, but it does not speak of the program either")
    assert read_configuration("a.cae") == Configuration()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("strcit = true", ["`strcit`", "did you mean `strict`?"]),
        ("zzz = true", ["`zzz`", "`select`", "`exclude`"]),
        ("strict = 1", ["`strict`", "1", "`true` or `false`"]),
        ('select = "shapes"', ["`select`", '"shapes"', "list"]),
        ("ignore = [3]", ["`ignore`", "[3]", "list"]),
        ('ignore = ["overcomplet"]', ["`ignore`", '"overcomplet"', "did you mean `overcomplete`?"]),
        ('output-format = "jsno"', ["`output-format`", '"jsno"', "did you mean `json`?"]),
        ("output-format = 4", ["`output-format`", "4", "`full`"]),
        ("strict = true\nstrict = false", ["TOML"]),
    ],
)
def test_what_is_wrong_names_the_file_the_key_and_the_remedy(text: str, words: list[str]) -> None:
    project(f"[tool.caedsl]\n{text}\n")
    with pytest.raises(ConfigurationError) as raised:
        read_configuration("a.cae")
    message = str(raised.value)
    assert message.startswith("pyproject.toml: ")
    assert "\n" not in message
    assert all(word in message for word in words), message


def test_a_table_that_is_none() -> None:
    project('tool.caedsl = "strict"\n')
    with pytest.raises(ConfigurationError, match=r"must be a table"):
        read_configuration("a.cae")


def test_a_file_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    project("[tool.caedsl]\n")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(ConfigurationError, match=r"pyproject.toml: .*Permission denied"):
        read_configuration("a.cae")


@pytest.mark.parametrize(
    ("pattern", "path", "out"),
    [
        ("drafts", "drafts/a.cae", True),
        ("drafts/", "x/drafts/a.cae", True),
        ("bad_*.cae", "x/bad_1.cae", True),
        ("x/*.cae", "x/a.cae", True),
        ("x/y", "x/y/z/a.cae", True),
        ("x/y", "y/a.cae", False),
        ("a", "ab.cae", False),
    ],
)
def test_exclude(pattern: str, path: str, out: bool) -> None:
    project(f'[tool.caedsl]\nexclude = ["{pattern}"]\n')
    assert read_configuration(".").excludes(path) is out


def test_words_choose_rules() -> None:
    assert rule_names(["all"], "x") == frozenset(catalogue.all_names())
    assert rule_names(["CAE1"], "x") == rule_names(["language"], "x")
    assert rule_names([" CAE121 ", "overcomplete"], "x") >= {"overcomplete"}
    assert rule_names([], "x") == frozenset()
    for word in ("CA", "", "C", "nothing-like-it"):
        with pytest.raises(ConfigurationError):
            rule_names([word], "x")


def test_errors_are_found_whatever_is_selected() -> None:
    """Rules without errors then do not run: this is how fixes of errors are verified."""
    some = False
    for entry in catalogue.every():
        for fragment in examples(entry.documentation, "Example"):
            source = Source(whole_spec(fragment))
            every = examine(source).findings
            found, errors = (
                [(f.name, f.primary, f.message) for f in findings if f.severity is Severity.ERROR]
                for findings in (every, examine(source, Selection(frozenset())).findings)
            )
            assert errors == found
            some |= bool(found) and len(every) > len(found)
    assert some
