"""Ways to train one model: caedsl and its alternatives. Each is a file with a function that trains for a task."""

from typing import NamedTuple


class Contender(NamedTuple):
    """``module`` has the function ``train(task, gate, precision)``; ``environment`` are variables of its process."""

    module: str
    precision: str
    environment: dict[str, str] = {}  # noqa: RUF012


OURS, LOOP = "caedsl", "emitted loop"
CONTENDERS = {
    OURS: Contender("ours", "auto"),
    "caedsl fp32": Contender("ours", "fp32"),
    "by hand fp32": Contender("by_hand", "fp32"),
    "by hand bf16": Contender("by_hand", "bf16"),
    "by hand bf16, kept": Contender("by_hand", "bf16 kept"),
    "by hand bf16, compiled": Contender("by_hand", "bf16 kept compiled"),
    LOOP: Contender("by_emitted_loop", "fp32"),
    "Lightning fp32": Contender("by_lightning", "32-true"),
    "Lightning bf16": Contender("by_lightning", "bf16-mixed"),
    "Keras TensorFlow fp32": Contender("by_keras", "float32", {"KERAS_BACKEND": "tensorflow"}),
    "Keras TensorFlow bf16": Contender("by_keras", "mixed_bfloat16", {"KERAS_BACKEND": "tensorflow"}),
    "Keras JAX fp32": Contender("by_keras", "float32", {"KERAS_BACKEND": "jax"}),
    "Keras JAX bf16": Contender("by_keras", "mixed_bfloat16", {"KERAS_BACKEND": "jax"}),
}
