"""Filters as baselines of a denoiser, and the sweep over corruption amounts."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage

import caedsl
from caedsl.evaluation.corruption_sweep import SweepError, read_range
from caedsl.evaluation.filters import Blur, Median, best_blur
from caedsl.evaluation.schema import read_sweep
from caedsl.report.charts import sweep_curves
from caedsl.training.sample import Sample

SPEC = """autoencoder a
input 1x8x8
data digits limit=200
encoder { conv 4 relu; maxpool 2 }
bottleneck dense 6
decoder mirror
train { epochs 1; batch 32; validation 20%; corrupt gaussian=0.3 }
"""
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def denoiser(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("denoising") / "run"
    caedsl.train(SPEC, out=folder, device="cpu", pictures=False)
    return folder


@pytest.mark.parametrize("shape", [(2, 3, 20), (2, 3, 9, 7), (2, 1, 5, 6, 7)])
def test_filters_treat_each_channel_of_each_sample_alone(shape: tuple[int, ...]) -> None:
    x = torch.rand(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for predictor in (Median(), Blur(0.8)):
        whole = predictor(x)
        assert (whole.shape, whole.dtype) == (x.shape, x.dtype)
        assert torch.equal(predictor(x[1:, :1]), whole[1:, :1])
    window = ndimage.median_filter(x[1, 0].numpy(), size=3, mode="nearest")
    np.testing.assert_array_equal(Median()(x)[1, 0].numpy(), window)


def test_the_median_removes_single_pixels() -> None:
    clean = torch.full((1, 1, 9, 9), 0.5)
    noisy = clean.clone()
    noisy[..., 4, 4] = 1.0
    assert torch.equal(Median()(noisy), clean)


def test_more_noise_takes_a_wider_blur() -> None:
    draw = torch.Generator().manual_seed(0)
    y, x = torch.meshgrid(torch.linspace(0, 6, 24), torch.linspace(0, 6, 24), indexing="ij")
    clean = (0.5 + 0.3 * torch.sin(x) * torch.cos(y)).expand(8, 1, 24, 24)

    def width(noise: float) -> float:
        return best_blur([Sample(clean, clean + noise * torch.randn(clean.shape, generator=draw))]).width

    assert width(0.001) < width(0.1) <= width(0.5)


def test_filters_are_compared_with_the_model(denoiser: Path) -> None:
    metrics = json.loads((denoiser / "metrics.json").read_text())
    assert {"corrupted input", "median filter", "Gaussian blur", "PCA-6"} < set(metrics["scores"])
    assert metrics["scores"]["Gaussian blur"]["mse"] < metrics["scores"]["corrupted input"]["mse"]
    assert any("pixels, the best on training samples" in note for note in metrics["notes"])


def test_a_sweep_goes_through_the_amount_of_training(denoiser: Path, run_caedsl: Run) -> None:
    code, out, err = run_caedsl("evaluate", denoiser, "--sweep", "gaussian=0.1..0.5/3")
    assert code == 0, err
    found = json.loads((denoiser / "sweep.json").read_text())
    assert (found["corruption"], found["trained"]) == ("gaussian", 0.3)
    assert [row["amount"] for row in found["rows"]] == [0.1, 0.3, 0.5]
    metrics = json.loads((denoiser / "metrics.json").read_text())
    assert found["rows"][1]["scores"] == metrics["scores"]
    noisy = [row["scores"]["corrupted input"]["psnr"] for row in found["rows"]]
    assert noisy == sorted(noisy, reverse=True)
    assert out.splitlines()[0].split() == [
        *("gaussian", "model", "corrupted", "input", "mean", "image", "PCA-6"),
        *("median", "filter", "Gaussian", "blur", "SSIM"),
    ]
    assert "the model was trained with gaussian=0.3" in out


def test_a_sweep_says_from_which_amounts_training_drew(denoiser: Path, run_caedsl: Run, tmp_path: Path) -> None:
    run = tmp_path / "run"
    caedsl.train(SPEC.replace("gaussian=0.3", "gaussian=0.1..0.5"), out=run, device="cpu", pictures=False)
    assert run_caedsl("evaluate", run)[0] == 0
    code, out, err = run_caedsl("evaluate", run, "--sweep", "gaussian=0.2..0.5/2")
    assert code == 0, err
    assert "the model was trained with gaussian=0.1..0.5" in out
    swept = read_sweep(run)
    assert swept is not None
    assert swept.trained == (0.1, 0.5)
    assert "amounts in training" in sweep_curves(swept)
    psnr = json.loads((run / "metrics.json").read_text())["scores"]["corrupted input"]["psnr"]
    assert swept.rows[1].scores["corrupted input"].psnr < psnr < swept.rows[0].scores["corrupted input"].psnr


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("gaussian", r"write gaussian=0.1\.\.0.5"),
        ("rain=0..1", "corruptions are mean, gaussian"),
        ("masking=0.5..1.5", "write the amounts of masking in ascending order"),
        ("gaussian=0.5..0.1", "ascending order"),
        ("gaussian=0..1/1", "sweep 2 to 50 amounts"),
    ],
)
def test_wrong_sweeps(denoiser: Path, run_caedsl: Run, written: str, said: str) -> None:
    with pytest.raises(SweepError, match=said):
        read_range(written)
    code, _, err = run_caedsl("evaluate", denoiser, "--sweep", written)
    assert code == 2
    assert err.startswith(f"caedsl: --sweep {written}: ")
    assert run_caedsl("evaluate", denoiser, "--sweep", "gaussian=0..1", "--probe")[0] == 2
