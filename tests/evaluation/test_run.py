"""The files and the output of a whole run."""

import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from PIL import Image

from caedsl.evaluation.evaluate import Evaluation
from caedsl.evaluation.evaluated_run import EvaluatedRun, train_and_evaluate
from caedsl.evaluation.metrics import Metrics
from caedsl.evaluation.reconstructions import PictureRow, draw
from caedsl.evaluation.run_summary import verdict
from caedsl.runs.schema import read_troubles
from caedsl.training.pixel_range import PixelRange
from caedsl.training.reporter import Reporter
from tests.training.tiny import model_of

UNIT = PixelRange(0.0, 1.0)
SPEC = """
autoencoder small
input 1x8x8
data digits limit=60
encoder { conv 2 relu; maxpool 2 }
bottleneck dense 3
decoder mirror
train { optimizer adam lr=1e-2; batch 7; epochs 2; precision fp32 }
"""


class Listening(Reporter):
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.rows: list[list[str]] = []
        self.troubles: list[Sequence[str]] = []
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def trouble(self, lines: Sequence[str]) -> None:
        self.troubles.append(lines)

    def result(self, text: str) -> None:
        self.lines.append(text)

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self.rows = [list(headings), *map(list, rows)]


def run(tmp_path: Path, text: str = SPEC, reporter: Reporter | None = None) -> EvaluatedRun:
    return train_and_evaluate(model_of(text), spec_text=text, out=tmp_path / "run", reporter=reporter)


def test_an_interrupted_evaluation_says_how_to_repeat_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("caedsl.evaluation.evaluated_run.evaluate_run", interrupt)
    reporter = Listening()
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, reporter=reporter)
    assert reporter.notes[-1].endswith(f"caedsl train --resume {tmp_path / 'run'} evaluates them")


def test_a_run_is_compared_with_the_baselines(tmp_path: Path) -> None:
    reporter = Listening()
    evaluated = run(tmp_path, reporter=reporter)
    assert reporter.rows[0] == ["", "MSE", "PSNR dB", "SSIM"]
    assert [row[0] for row in reporter.rows[1:]] == ["model", "mean image", "PCA-3"]
    assert reporter.rows[1][1] == f"{evaluated.evaluation.model.mse:.5f}"
    said = "\n".join(reporter.lines)
    assert "finished in epoch 2" in said
    assert "on 6 validation images, pixels in 0..1" in said
    assert str(tmp_path / "run") in said
    assert str(evaluated.picture) in said


def test_metrics_are_in_the_folder(tmp_path: Path) -> None:
    evaluated = run(tmp_path)
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["evaluated_on"] == "validation"
    assert metrics["code_size"] == 3
    assert metrics["scores"]["model"]["mse"] == evaluated.evaluation.model.mse
    assert metrics["training"]["ended"] == "finished"
    assert metrics["training"]["epochs"] == 2
    assert metrics["training"]["parameters"] == sum(p.numel() for p in evaluated.run.module.parameters())


def test_the_model_is_evaluated_by_its_best_weights(tmp_path: Path) -> None:
    evaluated = run(tmp_path)
    best = evaluated.run.history.best
    assert best is not None
    assert evaluated.evaluation.model.mse == pytest.approx(best.validation, rel=1e-5)


def test_a_denoiser_is_shown_with_its_corrupted_inputs(tmp_path: Path) -> None:
    reporter = Listening()
    denoiser = SPEC.replace("batch 7", "batch 7; corrupt gaussian=0.3; loss bce")
    plain, noisy = run(tmp_path / "plain").picture, run(tmp_path / "noisy", denoiser, reporter).picture
    with Image.open(plain) as two_rows, Image.open(noisy) as three_rows:
        assert three_rows.height > 1.3 * two_rows.height
    assert reporter.rows[0][-2:] == ["BCE", "above floor"]
    assert [row[0] for row in reporter.rows[1:]] == [
        "model",
        "corrupted input",
        "mean image",
        "PCA-3",
        "median filter",
        "Gaussian blur",
    ]


def test_training_images_are_evaluated_where_nothing_is_held_out(tmp_path: Path) -> None:
    evaluated = run(tmp_path, SPEC.replace("batch 7", "validation 0%; batch 7"))
    assert (evaluated.evaluation.part, evaluated.evaluation.images) == ("training", 60)


def evaluation(model: float, mean: float, pca: float | None) -> Evaluation:
    scores = {"model": Metrics(model, 0, 0, 0), "mean image": Metrics(mean, 0, 0, 0)}
    if pca is not None:
        scores["PCA-8"] = Metrics(pca, 0, 0, 0)
    return Evaluation("test", 10, UNIT, 8, scores, ())


def test_the_verdict_says_plainly_when_a_simple_predictor_is_better() -> None:
    assert verdict(evaluation(0.01, 0.07, 0.02)) == ()
    assert verdict(evaluation(0.01, 0.07, None)) == ()
    assert "linear map to 8 numbers, is better: its error is 50%" in verdict(evaluation(0.04, 0.07, 0.02))[0]
    assert "no better than the mean image" in verdict(evaluation(0.08, 0.07, 0.02))[0]


FAILING = SPEC.replace("1e-2", "1e-6")


def test_a_run_no_better_than_the_mean_image_gets_a_finding_with_causes(tmp_path: Path) -> None:
    reporter = Listening()
    text = FAILING.replace("epochs 2", "epochs 2  # cae: allow[too-few-steps] nothing but the data may be wrong\n")
    folder = run(tmp_path, text, reporter).run.folder.path
    (found,) = read_troubles(folder)
    assert (found.monitor, found.setting) == ("worse-than-mean", "train.epochs")
    assert "the images use a small part of the declared range" in found.message
    assert "targets" not in found.message, "the images are their own targets"
    assert "clipped" not in found.message, "nothing is clipped"
    assert found.remedy.startswith("more epochs") and f"caedsl doctor {folder}" in found.remedy
    assert any("to change: more epochs" in line for line in reporter.troubles[-1])


def test_a_cause_that_the_check_knows_explains_a_failed_run(tmp_path: Path) -> None:
    (found,) = read_troubles(run(tmp_path, FAILING.replace("epochs 2", "epochs 40")).run.folder.path)
    assert "`low-learning-rate` of `caedsl check`" in found.remedy
    assert "possible causes" not in found.message


@pytest.mark.parametrize(("beta", "monitor"), [("50", "posterior-collapse"), ("0.01", "worse-than-mean")])
def test_a_code_that_collapses_in_a_short_run(beta: str, monitor: str, tmp_path: Path) -> None:
    text = SPEC.replace("dense 3", f"variational 3 beta={beta}").replace("epochs 2", "loss huber; epochs 6")
    (found,) = read_troubles(run(tmp_path, text).run.folder.path)
    assert found.monitor == monitor
    if monitor == "posterior-collapse":
        assert found.setting == "bottleneck"
        assert "the divergence has fallen from" in found.message and found.remedy.startswith("a tenth of `beta`")


def picture(*rows: PictureRow, pixels: PixelRange = UNIT) -> Image.Image:
    return Image.open(io.BytesIO(draw(rows, pixels))).convert("RGB")


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32), (1, 20, 60), (3, 200, 300), (2, 9, 5)])
@pytest.mark.parametrize("columns", [1, 10])
def test_a_picture_fits_a_page_whatever_its_images(shape: tuple[int, int, int], columns: int) -> None:
    x = torch.zeros(columns, *shape)
    width = picture(PictureRow("original", x), PictureRow("reconstruction", x)).width
    assert 700 <= width <= 1100


def test_pixels_become_squares_of_their_value() -> None:
    x = torch.tensor([[-1.0, 1.0], [0.0, 5.0]]).view(1, 1, 2, 2)
    shown = picture(PictureRow("original", x), pixels=PixelRange(-1.0, 1.0))
    side = (shown.width - 48) // 2
    top = shown.height - 24 - 2 * side
    places = [(24 + side // 2 + column * side, top + side // 2 + row * side) for row in (0, 1) for column in (0, 1)]
    corners = [shown.getpixel(place) for place in places]
    assert corners == [(0, 0, 0), (255, 255, 255), (128, 128, 128), (255, 255, 255)]


def test_the_contrast_of_dark_samples_is_raised_and_that_is_reported() -> None:
    x = torch.linspace(0, 0.05, 64).reshape(1, 1, 8, 8)
    dark = picture(PictureRow("original", x), PictureRow("reconstruction", x / 2))
    told = f"contrast raised: {0.05:.3g} is white"
    same = picture(PictureRow("original", x / 0.05, told), PictureRow("reconstruction", x / 0.1))
    assert dark.tobytes() == same.tobytes()
    assert PixelRange(0.0, 1.0).seen(0.2) == PixelRange(0.0, 1.0)
    assert PixelRange(0.0, 1.0).seen(0.0) == PixelRange(0.0, 1.0)


def test_three_channels_are_colours() -> None:
    x = torch.tensor([1.0, 0.5, 0.0]).view(1, 3, 1, 1)
    shown = picture(PictureRow("original", x))
    assert shown.getpixel((shown.width // 2, shown.height - 60)) == (255, 128, 0)
