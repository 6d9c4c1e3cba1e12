"""The proof by training: results are saved and read again."""

import json
from pathlib import Path

from benchmarks.faults import proof


def test_what_is_kept_is_not_trained_again(tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    kept.write_text(json.dumps({"a spec": [0.25, 0.5, 0.75]}))
    assert proof._outcomes(["a spec"], kept) == {"a spec": [0.25, 0.5, 0.75]}
