"""Convolutional autoencoders as scikit-learn estimators: transformer, density-like scorer and outlier detector in one.

A fitted estimator holds text and bytes only: unpickling it runs no code beyond this class.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple
from os import PathLike
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, OutlierMixin, TransformerMixin
from sklearn.utils import Tags, TransformerTags
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from caedsl import api
from caedsl.data.errors import DataError
from caedsl.inference.opening import open_trained
from caedsl.inference.trained_run import TrainedRun
from caedsl.runs.file_names import BEST, SPEC
from caedsl.training.pixel_range import PixelRange
from caedsl.vocabulary.shape import Shape, elements, text

Array = NDArray[Any]
Floats = NDArray[np.float64]


@contextmanager
def _value_errors() -> Iterator[None]:
    """Raise a ``ValueError`` for samples that cannot be used, as scikit-learn's estimators do."""
    try:
        yield
    except DataError as error:
        raise ValueError(str(error)) from error


class ConvAutoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, OutlierMixin, BaseEstimator):  # type: ignore[misc]
    """Convolutional autoencoder, described by a spec.

    ``transform`` returns codes and ``inverse_transform`` samples. ``score_samples`` is the negative mean squared error:
    the higher, the more normal. ``predict`` is +1 for normals and -1 for outliers.

    Parameters
    ----------
    spec : str or path
        Path or text of a spec with a ``train`` block; its ``data`` line is not read.
    settings : mapping, optional
        Settings to change, as in ``caedsl.load``: ``{"train.epochs": 5}``.
    device : str
        auto, cpu or cuda.
    fpr : float
        Share of normal samples that ``predict`` may call outliers, measured on the samples held out of training.

    Attributes
    ----------
    n_features_in_ : int
        Number of values in a sample.
    offset_ : float
        Score of the threshold: ``decision_function`` is ``score_samples`` minus it.
    values_ : tuple
        Range of values that scores map to 0..1: lowest, highest, and whether the spec declares them.
    spec_ : str
        Text of the spec as it was trained.
    weights_ : bytes
        Trained weights, in the safetensors format.
    """

    def __init__(
        self,
        spec: str | PathLike[str] = "",
        *,
        settings: Mapping[str, object] | None = None,
        device: str = "auto",
        fpr: float = 0.05,
    ) -> None:
        self.spec = spec
        self.settings = settings
        self.device = device
        self.fpr = fpr

    def fit(self, X: Array, y: object = None, sample_weight: Array | None = None) -> Self:
        """Train on ``X``: N x channels x space, N x space, or N x ``n_features_in_``; ``y`` is ignored.

        Integers are scaled like those of image files; real numbers must be in the input's range. ``sample_weight``
        contains the N weights of the samples in the loss, at least 0; the threshold of ``predict`` does not depend on
        them.
        """
        if not 0 < self.fpr < 1:
            raise ValueError(f"fpr must lie between 0 and 1, and {self.fpr} does not")
        model = api.load(self.spec, self.settings)
        samples = self._samples(X, model.input.shape, fitting=True)
        with _value_errors(), tempfile.TemporaryDirectory() as folder:
            run = Path(folder) / "run"
            trained = api.train(
                model,
                device=self.device,
                out=run,
                pictures=False,
                baselines=False,
                images=samples,
                sample_weights=sample_weight,
            ).run
            self.spec_ = (run / SPEC).read_text("utf-8")
            self.weights_ = (run / BEST).read_bytes()
            index = trained.train.index if trained.validation is None else trained.validation.index
            self._opened = open_trained(run, self.device)
            self.values_ = astuple(self._opened.values)
            scores = -self._opened.score(samples[index.numpy()], "mse")
        self.n_features_in_ = elements(model.input.shape)
        self.offset_ = float(np.quantile(scores, self.fpr, method="lower"))
        return self

    def transform(self, X: Array) -> NDArray[np.float32]:
        """Return the codes of samples as N flat vectors."""
        run = self._run()
        samples = self._samples(X, run.model.input.shape)
        with _value_errors():
            return run.encode(samples).reshape(len(samples), -1)

    def inverse_transform(self, Z: Array) -> NDArray[np.float32]:
        """Return the samples that codes decode to, N x channels x space in the input's range."""
        with _value_errors():
            return self._run().decode(np.asarray(Z, np.float32))

    def reconstruct(self, X: Array) -> NDArray[np.float32]:
        """Return the reconstructions of samples, N x channels x space in the input's range."""
        run = self._run()
        with _value_errors():
            return run.reconstruct(self._samples(X, run.model.input.shape))

    def score_samples(self, X: Array) -> Floats:
        """Return the negative mean squared error of each sample, with values mapped to 0..1."""
        run = self._run()
        with _value_errors():
            return -run.score(self._samples(X, run.model.input.shape), "mse")

    def decision_function(self, X: Array) -> Floats:
        """Return ``score_samples`` minus the threshold: negative for outliers."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Array) -> NDArray[np.int64]:
        """Return +1 for normals and -1 for outliers."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def score(self, X: Array, y: object = None) -> float:
        """Return the mean of ``score_samples``, for scikit-learn's searches to maximise."""
        return float(self.score_samples(X).mean())

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in state.items() if name != "_opened"}

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags = TransformerTags(preserves_dtype=["float32"])
        return tags

    def _run(self) -> TrainedRun:
        check_is_fitted(self, "weights_")
        if not hasattr(self, "_opened"):
            with tempfile.TemporaryDirectory() as folder:
                (Path(folder) / SPEC).write_text(self.spec_, "utf-8")
                (Path(folder) / BEST).write_bytes(self.weights_)
                self._opened = open_trained(folder, self.device)
            self._opened.values = PixelRange(*self.values_)
        return self._opened

    @property
    def _n_features_out(self) -> int:
        return elements(self._run().model.code_shape)

    def _samples(self, X: Array, shape: Shape, fitting: bool = False) -> Array:
        """Return ``X`` as N x channels x space, or unchanged if it has another rank.

        Raise ``ValueError`` if it does not fit ``shape``, or if its columns are named differently from those of
        ``fit``.
        """
        validate_data(self, X, reset=fitting, skip_check_array=True, ensure_2d=False)  # names alone
        checked: Array = check_array(X, allow_nd=True, dtype="numeric", ensure_min_samples=2 if fitting else 1)
        channels, *space = shape
        given: Shape = checked.shape[1:]
        if given in (shape, (*space, channels)) or (given == tuple(space) and channels == 1):
            return checked
        if len(given) > 1:
            raise ValueError(f"X is N x {text(given)}, but ConvAutoencoder is expecting N x {text(shape)}")
        if given[0] != elements(shape):
            raise ValueError(
                f"X has {given[0]} features, but ConvAutoencoder is expecting {elements(shape)} features as input: "
                f"{text(shape)}"
            )
        return checked.reshape(len(checked), *shape)
