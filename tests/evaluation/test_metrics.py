"""Metrics against hand computation, baselines against scikit-learn and the published yardsticks."""

import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn import decomposition

from caedsl.backends.torch.instantiate import build
from caedsl.backends.torch.ssim import ssim_per_image
from caedsl.data.sample_format import SampleFormat, ValueScale
from caedsl.data.stacks.pixels import Held
from caedsl.evaluation import baselines, metrics
from caedsl.evaluation.baselines import PCA, MeanImage, fit_pca
from caedsl.evaluation.evaluate import EvaluationSet, evaluate, predictor_of
from caedsl.evaluation.metrics import metrics_of
from caedsl.model.data import InputRange
from caedsl.model.settings import Corrupt
from caedsl.training.batches import Batches
from caedsl.training.pixel_range import PixelRange
from tests.training.tiny import model_of

UNIT = PixelRange(0.0, 1.0)


def images(seed: int, *shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def test_scores_are_their_definitions_and_do_not_depend_on_the_batches() -> None:
    x, y = images(0, 5, 2, 4, 3), 1.4 * images(1, 5, 2, 4, 3)
    scores = metrics_of(zip(y.split(2), x.split(2), strict=True), UNIT)
    t, p = x.double().numpy(), y.double().numpy()
    clipped = np.clip(p, 1e-44, 1)
    assert scores.mse == pytest.approx(((p - t) ** 2).mean(), rel=1e-6)
    assert scores.mae == pytest.approx(np.abs(p - t).mean(), rel=1e-6)
    assert scores.psnr == pytest.approx((-10 * np.log10(((clipped - t) ** 2).mean((1, 2, 3)))).mean(), rel=1e-6)
    with np.errstate(divide="ignore"):
        bce = -(t * np.log(clipped) + (1 - t) * np.maximum(np.log(1 - clipped), -100)).mean()
    floor = -(t * np.log(t) + (1 - t) * np.log(1 - t)).mean()
    assert scores.bce == pytest.approx(bce, rel=1e-5)
    assert scores.bce_above_floor == pytest.approx(bce - floor, rel=1e-5)
    whole = metrics_of([(y, x)], UNIT)
    assert whole.mse == pytest.approx(scores.mse, rel=1e-6)
    assert whole.ssim == pytest.approx(scores.ssim, rel=1e-5)


def test_a_large_batch_is_scored_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = images(0, 5, 2, 12, 12), images(1, 5, 2, 12, 12)
    whole = metrics_of([(y, x)], UNIT)
    sizes: list[int] = []

    def ssim(prediction: torch.Tensor, target: torch.Tensor, data_range: float) -> torch.Tensor:
        sizes.append(len(target))
        return ssim_per_image(prediction, target, data_range)

    monkeypatch.setattr(metrics, "ssim_per_image", ssim)
    monkeypatch.setitem(metrics.PIECES, "cpu", 2 * 2 * 12 * 12)
    assert vars(metrics_of([(y, x)], UNIT)) == pytest.approx(vars(whole), rel=1e-12)
    assert sizes == [2, 2, 1]


def test_an_exact_image_scores_one_hundred_decibels() -> None:
    x = images(0, 2, 1, 12, 12)
    scores = metrics_of([(x, x)], UNIT)
    assert (scores.mse, scores.mae, scores.psnr, scores.bce_above_floor) == (0, 0, 100, 0)
    assert scores.ssim == pytest.approx(1)


def test_other_ranges_are_mapped_to_zero_and_one() -> None:
    x, y = images(0, 4, 1, 12, 12), images(1, 4, 1, 12, 12)
    unit = metrics_of([(y, x)], UNIT)
    wide = metrics_of([(6 * y - 3, 6 * x - 3)], PixelRange(-3.0, 3.0))
    assert (wide.mse, wide.mae, wide.psnr, wide.ssim) == pytest.approx(
        (unit.mse, unit.mae, unit.psnr, unit.ssim), rel=1e-4
    )
    assert wide.bce is None
    assert wide.bce_above_floor is None


def test_only_a_range_with_ends_clips() -> None:
    x, y = torch.zeros(1, 1, 3, 3), torch.full((1, 1, 3, 3), -0.5)
    assert metrics_of([(y, x)], UNIT).psnr == 100
    assert metrics_of([(y, x)], PixelRange(0.0, 1.0, bounded=False)).psnr == pytest.approx(-10 * math.log10(0.25))


def test_the_mean_image_is_that_of_the_training_images() -> None:
    x = images(0, 6, 1, 2, 2)
    mean = MeanImage.of(Batches(x, torch.tensor([0, 2, 4])))
    torch.testing.assert_close(mean(x[:2]), x[[0, 2, 4]].double().mean(0).expand(2, 1, 2, 2))


def correlated(count: int, *shape: int) -> torch.Tensor:
    size = math.prod(shape)
    mix = images(3, size, size) - 0.5
    return ((images(2, count, size) - 0.5) @ mix).view(count, *shape)


@pytest.mark.parametrize("largest", [4096, 8])
def test_pca_is_that_of_scikit_learn_by_either_way(largest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "LARGEST_MATRIX", largest)
    monkeypatch.setattr(baselines, "BLOCK", 7)
    x = correlated(40, 2, 3, 4)[:30] if largest == 4096 else correlated(8, 2, 3, 4)
    new = correlated(50, 2, 3, 4)[40:]
    found, note, _ = fit_pca(Batches(x), 5)
    assert isinstance(found, PCA)
    assert note == ""
    reference = decomposition.PCA(5, svd_solver="full").fit(x.flatten(1).double().numpy())
    expected = reference.inverse_transform(reference.transform(new.flatten(1).double().numpy()))
    np.testing.assert_allclose(found(new).flatten(1).numpy(), expected, atol=1e-4)


def stored_bytes(range_: InputRange, count: int) -> Held:
    """Images whose values are mostly at the ends, where products of bytes are largest."""
    values = (255 * correlated(count, 1, 3, 4).sigmoid_().mul_(1.6).sub_(0.3).clamp_(0, 1)).round().byte()
    return Held(values, ValueScale(255, SampleFormat((1, 3, 4), range_, False, "stretch")))


@pytest.mark.parametrize("sampled", [False, True])
@pytest.mark.parametrize("range_", [InputRange(), InputRange(-2.0, 3.0)], ids=str)
def test_pca_of_bytes_is_that_of_their_values(
    range_: InputRange, sampled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sampled:
        monkeypatch.setattr(baselines, "MOST_PRODUCTS", 700 * 12**2)
    bytes_ = Batches(stored_bytes(range_, 3000))
    values = Batches(Held(bytes_.images.everything().double()))
    by_bytes, by_values = fit_pca(bytes_, 4), fit_pca(values, 4)
    assert by_bytes.note == by_values.note
    assert by_bytes.predictor is not None
    assert by_values.predictor is not None
    new = correlated(20, 1, 3, 4).double()
    torch.testing.assert_close(by_bytes.predictor(new), by_values.predictor(new), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(by_bytes.mean(new), by_values.mean(new), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("byte", [0, 1, 255])
def test_products_of_bytes_are_exact(byte: int) -> None:
    x = torch.full((5000, 3), byte - baselines.MIDDLE, dtype=torch.float32)
    products = torch.zeros(3, 3, dtype=torch.float64)
    baselines._add_products(x, products)
    assert products[0, 0].item() == 5000 * (byte - baselines.MIDDLE) ** 2


def test_pca_with_as_many_numbers_as_the_image_is_called_exact() -> None:
    predictor, note, _ = fit_pca(Batches(images(0, 9, 1, 2, 2)), 4)
    assert predictor is None
    assert note == "PCA with as many numbers as the image (4) is exact: it returns its input"


def test_few_images_have_few_components_and_that_is_reported() -> None:
    predictor, note, _ = fit_pca(Batches(images(0, 4, 1, 5, 5)), 10)
    assert predictor is not None
    assert predictor.components_kd.shape == (3, 25)
    assert note == "PCA has 3 components: 4 training images allow no more"


def test_too_many_images_are_sampled_and_too_large_codes_are_not_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "MOST_PRODUCTS", 20 * 16**2)
    train = Batches(correlated(50, 1, 4, 4))
    assert fit_pca(train, 5).note == "PCA is fitted on 20 of 50 training images"
    monkeypatch.setattr(baselines, "MOST_PRODUCTS", 4 * 16**2)
    predictor, note, _ = fit_pca(train, 5)
    assert predictor is None
    assert note == "PCA is not computed: 5 components of 16 values take too long"


def test_a_denoiser_and_the_baselines_see_the_same_corrupted_images() -> None:
    x = images(0, 20, 1, 6, 6)
    seen: list[torch.Tensor] = []

    def model(x_bchw: torch.Tensor) -> torch.Tensor:
        seen.append(x_bchw)
        return x_bchw

    eval_set = EvaluationSet(Batches(x), 8, InputRange(), Corrupt({"gaussian": 0.3}), seed=0)
    evaluation = evaluate(model, eval_set, Batches(x), UNIT, code_size=3, part="test")
    assert list(evaluation.scores) == [
        "model",
        "corrupted input",
        "mean image",
        "PCA-3",
        "median filter",
        "Gaussian blur",
    ]
    assert evaluation.model == evaluation.scores["corrupted input"]
    assert evaluation.model.mse > 0.01
    assert not torch.equal(torch.cat(seen), x)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_a_saturated_output_is_scored_as_in_64_bits(activation: str) -> None:
    """In 32 bits, tanh is exactly 1 here, and the cross-entropy of a black pixel would be 100."""
    spec = f"autoencoder a; input 1x8x8; encoder {{ conv 2 }}; bottleneck; decoder {{ conv 1 {activation} }}"
    module = build(model_of(spec)).eval()
    for weight in module.parameters():
        torch.nn.init.zeros_(weight)
    torch.nn.init.constant_([*module.parameters()][-1], 12.0)
    eval_set = EvaluationSet(Batches(torch.zeros(4, 1, 8, 8)), 4, InputRange(), Corrupt(), seed=0)
    model = evaluate(
        predictor_of(module, eval_set.images), eval_set, eval_set.images, UNIT, 3, "test", baselines=False
    ).model
    expected = {"sigmoid": 12, "tanh": 24 - math.log(2)}[activation]
    assert model.bce == pytest.approx(expected, rel=1e-5)


class Counted(Held):
    """Images that count how often each of them is read."""

    def __init__(self, values: torch.Tensor) -> None:
        super().__init__(values)
        self.reads = torch.zeros(len(values), dtype=torch.int64)

    def take(self, index: torch.Tensor) -> torch.Tensor:
        self.reads[index] += 1
        return super().take(index)


@pytest.mark.parametrize("count", [10, 60])
def test_all_images_are_read_once(count: int) -> None:
    """This holds for both ways to the components; some images are read once more, to choose a filter."""
    train, held_out = Counted(images(0, count, 1, 6, 6)), Counted(images(1, 20, 1, 6, 6))
    eval_set = EvaluationSet(Batches(held_out), 8, InputRange(), Corrupt({"gaussian": 0.3}), seed=0)
    evaluation = evaluate(lambda x: x, eval_set, Batches(train), UNIT, code_size=3, part="test")
    assert len(evaluation.scores) == 6
    assert set(held_out.reads.tolist()) == {1}
    assert set(train.reads.tolist()) == {2}
    train.reads.zero_()
    eval_set = EvaluationSet(Batches(held_out), 8, InputRange(), Corrupt(), seed=0)
    evaluate(lambda x: x, eval_set, Batches(train), UNIT, code_size=3, part="test")
    assert set(train.reads.tolist()) == {1}


def test_without_baselines_the_training_images_are_not_read() -> None:
    train = Counted(images(0, 30, 1, 6, 6))
    eval_set = EvaluationSet(Batches(images(1, 20, 1, 6, 6)), 8, InputRange(), Corrupt(), seed=0)
    evaluation = evaluate(lambda x: x, eval_set, Batches(train), UNIT, code_size=3, part="test", baselines=False)
    assert list(evaluation.scores) == ["model"]
    assert evaluation.pca is None
    assert not train.reads.any()


YARDSTICKS = {
    "mnist": (0.06747, 0.2625, 0.0581, {32: (0.01683, 18.56)}),
    "fashion_mnist": (0.08664, 0.4911, 0.2422, {64: (0.01037, 20.81)}),
}


@pytest.mark.skipif("CAEDSL_DATA" not in os.environ, reason="needs the real files: set CAEDSL_DATA")
@pytest.mark.parametrize("name", YARDSTICKS)
def test_the_yardsticks_are_reproduced_on_the_real_files(name: str) -> None:
    from caedsl.data.loading import load

    spec = f"autoencoder a; input 1x28x28; data {name}; encoder {{ conv 1 }}; bottleneck; decoder mirror"
    data = load(model_of(spec), Path(os.environ["CAEDSL_DATA"]))
    assert data.test is not None
    train = Batches(data.train)
    eval_set = EvaluationSet(Batches(data.test), 1000, InputRange(), Corrupt(), seed=0)
    mean_mse, mean_bce, floor, table = YARDSTICKS[name]
    for code_size, (mse, psnr) in table.items():
        evaluation = evaluate(MeanImage.of(train), eval_set, train, UNIT, code_size, "test")
        mean, pca = evaluation.model, evaluation.pca
        assert pca is not None
        assert mean.bce is not None
        assert mean.bce_above_floor is not None
        assert (round(mean.mse, 5), round(mean.bce, 4)) == (mean_mse, mean_bce)
        assert round(mean.bce - mean.bce_above_floor, 4) == floor
        assert (round(pca.mse, 5), round(pca.psnr, 2)) == (mse, psnr)
