"""Findings of monitors in a run folder."""

from pathlib import Path

from caedsl.runs.file_names import TROUBLE
from caedsl.runs.schema import read_troubles
from caedsl.runs.trouble import Trouble


def test_findings_that_name_files_which_are_not_utf8_are_kept(tmp_path: Path) -> None:
    line = Trouble(1, 1, "dead-layer", None, "batch", 1, "see a\udcff.cae", "train a\udcff.cae").to_json_line()
    (tmp_path / TROUBLE).write_bytes(line.encode())
    assert [trouble.message for trouble in read_troubles(tmp_path)] == ["see a?.cae"]
