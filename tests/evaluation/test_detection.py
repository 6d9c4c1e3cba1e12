import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from caedsl.evaluation.detection import detection, per_region_overlap, pixel_auroc


def test_perfect_and_useless_scores() -> None:
    labels = np.repeat([0, 1], 50)
    perfect = detection(labels, labels.astype(float))
    assert (perfect.auroc.value, perfect.average_precision.value, perfect.fpr_at_95_tpr.value) == (1.0, 1.0, 0.0)
    assert perfect.auroc.low == perfect.auroc.high == 1.0
    useless = detection(labels, np.zeros(100))
    assert useless.auroc.value == 0.5
    assert useless.fpr_at_95_tpr.value == 1.0


def test_the_interval_holds_the_value_of_the_population(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("caedsl.evaluation.detection.RESAMPLES", 100)
    held = 0
    for seed in range(20):
        drawn = np.random.default_rng(seed)
        scores = np.concatenate((drawn.normal(0, 1, 60), drawn.normal(1, 1, 40)))
        found = detection(np.repeat([0, 1], [60, 40]), scores, seed)
        held += found.auroc.low <= 0.7602 <= found.auroc.high  # Φ(1/√2)
    assert held >= 17


def test_false_positives_at_95_percent() -> None:
    labels, scores = np.repeat([0, 1], [10, 20]), np.concatenate((np.arange(10.0), np.arange(20.0) + 5))
    # All but one of 20 anomalies (95 %) have a score of 6 or more, and so have 4 of 10 normals.
    assert detection(labels, scores).fpr_at_95_tpr.value == pytest.approx(0.4)


def test_values_are_those_of_scikit_learn_also_with_ties() -> None:
    drawn = np.random.default_rng(0)
    for step in (1e-9, 0.3, 1.0):
        labels = drawn.integers(0, 2, 200)
        scores = np.round((drawn.normal(size=200) + labels) / step) * step
        found = detection(labels, scores)
        assert found.auroc.value == pytest.approx(roc_auc_score(labels, scores))
        assert found.average_precision.value == pytest.approx(average_precision_score(labels, scores))
        false, true, _ = roc_curve(labels, scores, drop_intermediate=False)
        assert found.fpr_at_95_tpr.value == pytest.approx(false[np.argmax(true >= 0.95)])


def test_scores_that_are_no_numbers_are_the_most_abnormal() -> None:
    found = detection(np.array([0, 0, 1, 1]), np.array([1.0, 2.0, np.nan, np.inf]))
    assert found.auroc.value == 1.0


@pytest.mark.parametrize("labels", [np.zeros(4, int), np.ones(4, int)])
def test_one_class_alone_is_an_error(labels: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"there are no (anomalies|normals) among 4"):
        detection(labels, np.arange(4.0))


def masks_and_maps() -> tuple[np.ndarray, np.ndarray]:
    masks = np.zeros((2, 20, 20), bool)
    masks[0, 2:4, 2:4] = masks[0, 10:18, 10:18] = masks[1, 5, 5] = True
    return masks, np.random.default_rng(0).random((2, 20, 20)) + masks * 0.5


def test_pro_counts_every_region_alike_and_follows_its_definition() -> None:
    masks, maps = masks_and_maps()
    regions = [(0, slice(2, 4), slice(2, 4)), (0, slice(10, 18), slice(10, 18)), (1, slice(5, 6), slice(5, 6))]
    points = []
    for threshold in np.unique(maps)[::-1]:
        found = maps >= threshold
        points.append((found[~masks].mean(), np.mean([found[region].mean() for region in regions])))
    false, overlap = np.array([(0.0, 0.0), *points]).T
    grid = np.linspace(0, 0.3, 200_001)
    expected = np.trapezoid(np.interp(grid, false, overlap), grid) / 0.3
    assert per_region_overlap(masks, maps) == pytest.approx(expected, abs=2e-3)
    assert per_region_overlap(masks, masks.astype(float)) == pytest.approx(1.0)


def test_pixel_auroc_is_that_of_all_pixels() -> None:
    masks, maps = masks_and_maps()
    assert pixel_auroc(masks, maps) == roc_auc_score(masks.ravel(), maps.ravel())
