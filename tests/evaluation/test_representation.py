"""The quality of codes, on data where it is known."""

from pathlib import Path

import numpy as np
import pytest

import caedsl
from caedsl.cli.main import main
from caedsl.data.errors import DataError
from caedsl.evaluation.code_statistics import _effective_rank
from caedsl.evaluation.representation import represent
from caedsl.training.reporter import Reporter

SPEC = """autoencoder a
input 1x8x8
data digits limit=400
encoder { conv 4 relu; maxpool 2 }
bottleneck dense 6
decoder mirror
train { epochs 4; batch 32; optimizer adam lr=1e-2; validation 25% }
"""


def test_classes_are_predicted_from_codes_and_compared_with_pca(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    caedsl.train(SPEC, out=str(tmp_path / "run"), device="cpu", pictures=False)
    found = represent(tmp_path / "run", "cpu", None, Reporter())
    assert (found.part, found.samples, len(found.statistics.deviations)) == ("validation", 100, 6)
    assert set(found.accuracies) == {"model", "PCA-6"}
    # With ten classes, chance is 0.1, and six principal components of digits distinguish most of them.
    assert min(found.accuracies["PCA-6"]) > 0.6
    assert min(found.accuracies["model"]) > 0.3
    assert 1 <= found.statistics.effective_rank <= 6
    assert main(["evaluate", str(tmp_path / "run"), "--probe"]) == 0
    assert "linear probe" in capsys.readouterr().out
    assert main(["evaluate", str(tmp_path / "run"), "--probe", "--score", "mse"]) == 2


def test_data_without_labels_are_an_error(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((40, 8, 8), np.float32))
    (tmp_path / "a.cae").write_text(SPEC.replace("digits limit=400", 'npy "x.npy"'))
    caedsl.train(str(tmp_path / "a.cae"), out=str(tmp_path / "run"), device="cpu", pictures=False)
    with pytest.raises(DataError, match="have no labels"):
        represent(tmp_path / "run", "cpu", None, Reporter())


def test_effective_rank_counts_directions() -> None:
    drawn = np.random.default_rng(0)
    assert _effective_rank(np.outer(drawn.normal(size=200), [1.0, 2.0, 3.0])) == pytest.approx(1.0)
    assert _effective_rank(drawn.normal(size=(5000, 4))) == pytest.approx(4.0, abs=0.02)
    assert _effective_rank(np.ones((5, 3))) == 0.0
