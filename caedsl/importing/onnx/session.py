"""Session of onnxruntime for a model, as it runs in a separate process."""

from typing import Any

import numpy as np
import onnxruntime

from caedsl.importing.network import Array

_FREE, _TIMES = 64 << 20, 4
"""Bytes of the values that do not depend on the samples, and additional bytes per byte of the model."""


class OnnxSession:
    """Model that runs; every tensor is among its outputs."""

    def __init__(self, content: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = 4
        self._session = onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])
        self._left = _FREE + _TIMES * len(content)
        self._computed: dict[str, Any] = {}

    def sample(self, input_: str, shape: list[int], names: list[str]) -> dict[str, list[int]]:
        """Compute all tensors for a batch of random samples; return their shapes."""
        sample = np.random.default_rng(0).random(shape, dtype=np.float32)
        made = self._session.run(names, {input_: sample})
        self._computed = dict(zip(names, made, strict=True))
        return {name: list(np.shape(value)) for name, value in self._computed.items()}

    def value(self, name: str) -> Array:
        """Return the computed value of a tensor."""
        value = np.asarray(self._computed[name])
        self._left -= value.nbytes
        if self._left < 0:
            raise MemoryError("its constants have more bytes than the whole file can contain")
        return value

    def output(self, input_: str, name: str, samples: Array) -> Array:
        """Compute one output for a batch of samples."""
        self._computed = {}
        return np.asarray(self._session.run([name], {input_: samples})[0])
