"""The ``train`` block of a Keras model: its loss and its optimizer, and the parts that have no word."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from caedsl.importing.keras.options import class_and_config, shown
from caedsl.importing.keras.topology import Config, snake_case
from caedsl.vocabulary.optimizers import OPTIMIZERS

_LOSSES = {
    "mse": "mse",
    "mean_squared_error": "mse",
    "mae": "mae",
    "mean_absolute_error": "mae",
    "binary_crossentropy": "bce",
    "huber": "huber",
    "huber_loss": "huber",
    "log_cosh": "logcosh",
    "logcosh": "logcosh",
}
_ADAM = {"beta_1": "beta1", "beta_2": "beta2"}
_UNSUPPORTED = ("clipnorm", "clipvalue", "amsgrad", "centered", "gradient_accumulation_steps")


class _Optimizer(NamedTuple):
    """Optimizer of the language: its word, its options by Keras's names, and how its meaning differs."""

    word: str
    options: Mapping[str, str]
    differs: Callable[[Config], str] = lambda config: ""


_OPTIMIZERS = {
    "adam": _Optimizer("adam", {**_ADAM, "epsilon": "eps_hat"}),
    "adamw": _Optimizer("adamw", {**_ADAM, "epsilon": "eps_hat", "weight_decay": "weight_decay"}),
    "adamax": _Optimizer("adamax", {**_ADAM, "epsilon": "eps"}),
    "nadam": _Optimizer("nadam", {**_ADAM, "epsilon": "eps"}),
    "sgd": _Optimizer("sgd", {"momentum": "momentum"}),
    "rmsprop": _Optimizer("rmsprop", {"rho": "alpha", "momentum": "momentum", "epsilon": "eps"}),
    "adadelta": _Optimizer("adadelta", {"rho": "rho", "epsilon": "eps"}),
    "adagrad": _Optimizer(
        "adagrad",
        {"epsilon": "eps"},
        lambda config: f"its sums start at {shown(config.get('initial_accumulator_value', 0.1))}, and at 0 in a spec",
    ),
}


class Settings(NamedTuple):
    """Settings of a ``train`` block with what follows their words, and notes for the user about them."""

    train: Mapping[str, str]
    notes: tuple[str, ...]


def settings_of(training: Config) -> Settings:
    """Return the settings of a model's compile configuration."""
    notes: list[str] = []
    train = dict((*_loss(training.get("loss"), notes), *_optimizer(training.get("optimizer"), notes)))
    if train:
        notes.append("Keras files do not contain batch size and epochs: the spec has caedsl's defaults")
    return Settings(train, tuple(notes))


def _loss(value: Any, notes: list[str]) -> Iterator[tuple[str, str]]:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict) and len(value) == 1:
        value = next(iter(value.values()))
    if value is None:
        return
    name, config = _name_and_config(value)
    word = _LOSSES.get(snake_case(name))
    if word is None:
        notes.append(f"the loss `{name}` cannot be written in a spec: `mse`, the default, replaces it")
        return
    if config.get("from_logits"):
        notes.append("its loss takes logits: a spec applies `sigmoid` in its last layer, which changes the output")
    if config.get("label_smoothing"):
        notes.append("the loss's `label_smoothing` is not supported")
    if config.get("reduction", "sum_over_batch_size") not in ("sum_over_batch_size", "auto", "mean"):
        notes.append(
            f"the loss's reduction `{config['reduction']}` is not supported: a spec takes the mean over samples"
        )
    delta = config.get("delta", 1)
    yield "loss", word + (f" delta={shown(delta)}" if word == "huber" and delta != 1 else "")


def _optimizer(value: Any, notes: list[str]) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    name, config = _name_and_config(value)
    found = _OPTIMIZERS.get(name.rpartition(">")[2].lower())
    if found is None:
        notes.append(f"the optimizer `{name}` cannot be written in a spec: `adam`, the default, replaces it")
        return
    word, names = found.word, dict(found.options)
    if config.get("weight_decay") and word == "adam":
        word, names["weight_decay"] = "adamw", "weight_decay"
    texts = [f"lr={shown(_rate(config.get('learning_rate', config.get('lr')), notes))}"]
    defaults = {option.name: option.default for option in OPTIMIZERS[word].own}
    texts += [
        f"{ours}={shown(config[theirs])}"
        for theirs, ours in names.items()
        if _is_number(config.get(theirs)) and config[theirs] != defaults[ours]
    ]
    if word == "sgd" and config.get("nesterov") and config.get("momentum"):
        texts.append("nesterov")
    yield "optimizer", f"{word} {' '.join(texts)}"
    if config.get("global_clipnorm"):
        yield "clip", shown(config["global_clipnorm"])
    if config.get("use_ema"):
        yield "ema", shown(config.get("ema_momentum", 0.99))
    if config.get("weight_decay") and "weight_decay" not in names:
        notes.append(f"the weight decay of `{name}` is decoupled from the gradient, which in a spec only `adamw` has")
    notes += [f"the optimizer's `{each}` is not supported" for each in _UNSUPPORTED if config.get(each)]
    notes += filter(None, [found.differs(config) and f"`{name}`: {found.differs(config)}"])


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _rate(value: Any, notes: list[str]) -> float:
    if isinstance(value, (int, float)) and value > 0:
        return float(value)
    kind, config = _name_and_config(value)
    start = config.get("initial_learning_rate", config.get("lr", 1e-3))
    notes.append(
        f"the schedule `{kind}` counts steps of a run that the file does not record: choose one of `schedule`, from "
        f"{shown(start)}"
    )
    return float(start)


def _name_and_config(value: Any) -> tuple[str, Config]:
    """Return the class and the configuration of a serialized object, or the name of a function."""
    if isinstance(value, dict) and value.get("class_name") == "function" and isinstance(value.get("config"), str):
        return value["config"], {}
    return class_and_config(value)
