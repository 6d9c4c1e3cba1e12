from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

import caedsl
from caedsl.inference.scores import SCORES, Compared, Score, ScoreError, blurred, read_score
from tests.inference.conftest import GREY, write_run


def compared(*space: int, batch: int = 3) -> Compared:
    generator = torch.Generator().manual_seed(0)
    target, made = (torch.rand(batch, 2, *space, generator=generator) for _ in range(2))
    code, again = (torch.rand(batch, 5, generator=generator) for _ in range(2))
    return Compared(target, made, code, again)


SPACES = [(40,), (17, 12), (6, 7, 8)]
MEASURED = [(score, space) for score in SCORES for space in SPACES if score.name != "ssim" or len(space) == 2]
"""SSIM is a measure of images."""


@pytest.mark.parametrize(("score", "space"), MEASURED, ids=lambda value: getattr(value, "name", str(value)))
def test_every_score_is_one_number_a_sample_and_one_map(score: Score, space: tuple[int, ...]) -> None:
    sample = compared(*space)
    values, maps = score.of(sample, score.parameter or 0.0), score.map(sample)
    assert values.shape == (3,)
    assert maps.shape == (3, *space)
    perfect = Compared(sample.target, sample.target, sample.code, sample.code)
    assert score.of(perfect, score.parameter or 0.0).abs().max() < 1e-6
    assert values.min() > 1e-3


def test_the_largest_errors_of_one_percent() -> None:
    target = torch.zeros(1, 1, 10, 20)
    made = torch.zeros(1, 1, 10, 20)
    made[0, 0, 3, 3], made[0, 0, 5, 5] = 1.0, 0.5
    top = read_score("top=1%")
    assert top.kind.of(Compared(target, made, target, None), top.parameter).item() == pytest.approx((1.0 + 0.25) / 2)


@pytest.mark.parametrize("space", [(90,), (40, 50), (30, 32, 34)], ids=str)
def test_the_blur_is_that_of_scipy(space: tuple[int, ...]) -> None:
    maps = torch.rand(2, *space, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = np.stack([gaussian_filter(m.numpy(), 4.0, mode="nearest", truncate=3.0) for m in maps])
    assert np.allclose(blurred(maps).numpy(), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("text", "said"),
    [("ms", 'unknown score "ms"'), ("mse=3", "takes no number"), ("top=0%", "share"), ("top=x", "share")],
)
def test_a_score_that_is_none_says_what_may_be_written(text: str, said: str) -> None:
    with pytest.raises(ScoreError, match=said):
        read_score(text)


def test_a_score_is_reported_as_it_is_written() -> None:
    assert [str(read_score(text)) for text in ("mse", "top", "top=0.5%", "top=0.02")] == [
        "mse",
        "top=1%",
        "top=0.5%",
        "top=2%",
    ]


@pytest.mark.parametrize("kind", ["mse", "top=5%", "ssim", "blurmax"])
def test_scores_after_contrast_normalisation_do_not_depend_on_contrast(tmp_path: Path, kind: str) -> None:
    run = caedsl.open(write_run(tmp_path / "run", GREY.replace("input", "data digits normalize=gcn; input")))
    x = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    assert np.allclose(run.score(x, kind), run.score(0.3 * x + 0.2, kind), rtol=1e-4)
