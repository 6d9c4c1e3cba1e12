"""The scikit-learn estimator, held to what scikit-learn's own tools expect of one."""

import pickle
import pickletools
import re

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_parameters_default_constructible, parametrize_with_checks

from caedsl.sklearn import ConvAutoencoder

SPEC = """autoencoder digits
input 1x8x8
encoder { conv 8 relu; maxpool 2 }
bottleneck dense 8
decoder mirror
train { epochs 3; batch 64; optimizer adam lr=3e-3; validation 20% }
"""
SIGNALS = """autoencoder signals
input 1x{} in real
encoder {{ dense 4 relu }}
bottleneck dense 1
decoder mirror
train {{ epochs 1; batch 8 }}
"""
X = (load_digits().images / 16).astype(np.float32)


class Signals(ConvAutoencoder):
    """Estimator whose spec follows the number of features, which scikit-learn's checks vary."""

    def fit(self, x, y=None, sample_weight=None):  # type: ignore[no-untyped-def]
        spec, shape = self.spec, x.shape if hasattr(x, "shape") else np.asarray(x).shape
        self.spec = SIGNALS.format(max(1, shape[1]) if len(shape) > 1 else 1)
        try:
            return super().fit(x, y, sample_weight)
        finally:
            self.spec = spec


@pytest.fixture(scope="module")
def fitted() -> ConvAutoencoder:
    return ConvAutoencoder(SPEC, device="cpu").fit(X[:600])


@parametrize_with_checks(
    [Signals(device="cpu")],
    expected_failed_checks=lambda _: {
        "check_sample_weight_equivalence_on_dense_data": "a sample of weight 2 is drawn once per epoch, not twice"
    },
)
def test_scikit_learns_own_checks(estimator, check) -> None:  # type: ignore[no-untyped-def]
    check(estimator)


def test_it_is_default_constructible() -> None:
    check_parameters_default_constructible("ConvAutoencoder", ConvAutoencoder())


def test_each_parameter_is_documented_on_a_line_of_its_own() -> None:
    documented = re.findall(r"^    (\w+) : ", ConvAutoencoder.__doc__ or "", re.MULTILINE)
    assert documented[: len(documented) - 5] == ["spec", "settings", "device", "fpr"]
    assert set(ConvAutoencoder().get_params()) < {*documented}


def test_codes_and_samples(fitted: ConvAutoencoder) -> None:
    codes = fitted.transform(X[600:700])
    assert codes.shape == (100, 8)
    assert np.allclose(fitted.inverse_transform(codes), fitted.reconstruct(X[600:700]), atol=1e-6)
    assert fitted.n_features_in_ == 64
    assert list(fitted.get_feature_names_out()) == [f"convautoencoder{unit}" for unit in range(8)]


@pytest.mark.parametrize("shaped", [lambda x: x, lambda x: x[:, None], lambda x: x.reshape(len(x), -1)])
def test_the_same_samples_in_any_shape(fitted: ConvAutoencoder, shaped) -> None:  # type: ignore[no-untyped-def]
    assert np.allclose(fitted.transform(shaped(X[:5])), fitted.transform(X[:5]), atol=1e-6)


@pytest.mark.parametrize("shape", [(5, 9, 9), (5, 4, 16), (5, 1, 1, 8, 8), (5, 3, 8, 8), (5, 63)])
def test_samples_of_another_shape_are_an_error(fitted: ConvAutoencoder, shape: tuple[int, ...]) -> None:
    for method in (fitted.transform, fitted.score_samples, clone(fitted).fit):
        with pytest.raises(
            ValueError, match=r"but ConvAutoencoder is expecting (N x 1x8x8|64 features as input: 1x8x8)$"
        ):
            method(np.zeros(shape, np.float32))


@pytest.mark.parametrize("method", ["transform", "reconstruct", "score_samples", "predict", "inverse_transform"])
def test_values_that_cannot_be_used_are_value_errors(fitted: ConvAutoencoder, method: str) -> None:
    wrong = np.full((5, 8), np.nan, np.float32) if method == "inverse_transform" else X[:5] * 300
    with pytest.raises(ValueError, match=r"outside 0\.\.1|contain NaN"):
        getattr(fitted, method)(wrong)


def test_columns_keep_their_names_and_order() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X[:40].reshape(40, 64), columns=[f"pixel {place}" for place in range(64)])
    fitted = ConvAutoencoder(SPEC, settings={"train.epochs": 1}, device="cpu").fit(frame)
    assert list(fitted.feature_names_in_) == list(frame.columns)
    assert fitted.transform(frame).shape == (40, 8)
    with pytest.raises(ValueError, match="Feature names must be in the same order as they were in fit"):
        fitted.transform(frame[frame.columns[::-1]])
    assert not hasattr(fitted.fit(frame.to_numpy()), "feature_names_in_")


def test_weights_are_those_of_training() -> None:
    settings = {"train.epochs": 1}
    weights = np.r_[np.ones(40), np.zeros(40)]
    weighted = ConvAutoencoder(SPEC, settings=settings, device="cpu").fit(X[:80], sample_weight=weights)
    equal = ConvAutoencoder(SPEC, settings=settings, device="cpu").fit(X[:80], sample_weight=np.full(80, 3.0))
    plain = ConvAutoencoder(SPEC, settings=settings, device="cpu").fit(X[:80])
    assert np.allclose(equal.transform(X[:5]), plain.transform(X[:5]), atol=1e-5)
    assert not np.allclose(weighted.transform(X[:5]), plain.transform(X[:5]), atol=1e-3)
    for wrong in (np.ones(3), -np.ones(80), np.full(80, np.nan)):
        with pytest.raises(ValueError, match="the array of weights"):
            clone(plain).fit(X[:80], sample_weight=wrong)


def test_scores_are_higher_for_normals(fitted: ConvAutoencoder) -> None:
    noise = np.random.default_rng(0).random((100, 8, 8)).astype(np.float32)
    assert np.allclose(
        fitted.score_samples(X[:9]), -np.square(fitted.reconstruct(X[:9])[:, 0] - X[:9]).mean((1, 2)), atol=1e-6
    )
    assert np.array_equal(fitted.predict(noise), np.where(fitted.decision_function(noise) < 0, -1, 1))
    assert (fitted.predict(noise) == -1).mean() > 0.9
    assert (fitted.predict(X[600:]) == 1).mean() > 0.85
    assert set(ConvAutoencoder(SPEC, device="cpu").fit_predict(X[:100])) <= {-1, 1}


def test_the_same_seed_gives_the_same_estimator(fitted: ConvAutoencoder) -> None:
    again = clone(fitted).fit(X[:600])
    assert not hasattr(clone(fitted), "weights_")
    assert again.weights_ == fitted.weights_


def test_a_pickle_holds_text_and_bytes_alone(fitted: ConvAutoencoder) -> None:
    fitted.transform(X[:2])
    stored = pickle.dumps(fitted)
    again = pickle.loads(stored)
    assert np.array_equal(again.transform(X[:5]), fitted.transform(X[:5]))
    assert again.offset_ == fitted.offset_
    strings: list[str] = []
    imported = set()
    for opcode, argument, _ in pickletools.genops(stored):
        if isinstance(argument, str):
            strings.append(argument)
        if opcode.name == "STACK_GLOBAL":
            imported.add(strings[-2])
    assert all(not name.startswith("torch") for name in imported), imported


def test_in_a_pipeline_and_a_search() -> None:
    labels = load_digits().target[:400]
    pipeline = make_pipeline(ConvAutoencoder(SPEC, device="cpu"), LogisticRegression(max_iter=1000))
    assert pipeline.fit(X[:400], labels).score(X[:400], labels) > 0.6
    search = GridSearchCV(
        ConvAutoencoder(SPEC, device="cpu"),
        {"settings": [{"train.epochs": 1}, {"train.epochs": 4}]},
        cv=2,
    ).fit(X[:300])
    assert search.best_params_ == {"settings": {"train.epochs": 4}}


def test_bad_input() -> None:
    with pytest.raises(NotFittedError):
        ConvAutoencoder(SPEC).transform(X[:2])
    with pytest.raises(ValueError, match="X has 63 features, but ConvAutoencoder is expecting 64"):
        ConvAutoencoder(SPEC, device="cpu").fit(X.reshape(len(X), -1)[:9, :63])
    with pytest.raises(ValueError, match="NaN"):
        ConvAutoencoder(SPEC, device="cpu").fit(np.full((9, 8, 8), np.nan))
    with pytest.raises(ValueError, match=r"outside 0\.\.1"):
        ConvAutoencoder(SPEC, device="cpu").fit(X[:50] * 16)
    with pytest.raises(ValueError, match="fpr must lie between 0 and 1"):
        ConvAutoencoder(SPEC, fpr=0).fit(X[:9])
