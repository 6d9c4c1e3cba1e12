"""PyTorch losses and optimizers as what follows the words ``loss`` and ``optimizer`` of a spec."""

from typing import Any

from torch import nn
from torch.nn import functional
from torch.optim import Optimizer

from caedsl.importing.errors import ImportFailure
from caedsl.vocabulary.losses import LOSSES
from caedsl.vocabulary.optimizers import OPTIMIZERS, OptimizerKind
from caedsl.vocabulary.spelling import number_text, written

_LOSSES = {
    nn.MSELoss: "mse",
    nn.L1Loss: "mae",
    nn.BCELoss: "bce",
    nn.BCEWithLogitsLoss: "bce",
    nn.HuberLoss: "huber",
    functional.mse_loss: "mse",
    functional.l1_loss: "mae",
    functional.binary_cross_entropy: "bce",
    functional.binary_cross_entropy_with_logits: "bce",
    functional.huber_loss: "huber",
}
_LOGITS = (nn.BCEWithLogitsLoss, functional.binary_cross_entropy_with_logits)
_NEUTRAL = {"dampening": 0, "momentum_decay": 4e-3, "initial_accumulator_value": 0}
"""Options that a spec cannot state, with the values that are PyTorch's defaults."""
_OUTSIDE = (
    "params",
    "betas",
    "foreach",
    "capturable",
    "differentiable",
    "fused",
    "initial_lr",
    "decoupled_weight_decay",
)


def takes_logits(loss: Any) -> bool:
    """Return whether a loss applies the sigmoid itself."""
    return loss in _LOGITS or isinstance(loss, nn.BCEWithLogitsLoss)


def loss_text(loss: Any) -> str:
    """Return the words of a loss: a spec's own words, a loss of ``torch.nn`` or a function of ``torch.nn.functional``.

    Raise ``ImportFailure`` if a spec cannot state it.
    """
    if isinstance(loss, str):
        return loss
    word = _LOSSES.get(type(loss)) or (_LOSSES.get(loss) if callable(loss) else None)
    if word is None:
        name = getattr(loss, "__name__", type(loss).__name__)
        raise ImportFailure(
            f"the loss {name} is not supported: give the closest, one of {', '.join(LOSSES)}, as in loss='mse'"
        )
    options = (
        f" delta={number_text(loss.delta, exact=True)}" if isinstance(loss, nn.HuberLoss) and loss.delta != 1 else ""
    )
    if getattr(loss, "weight", None) is not None or getattr(loss, "pos_weight", None) is not None:
        raise ImportFailure("the loss weights its terms (weight, pos_weight), but a spec only weights whole losses")
    return f"{word}{options}{' reduction=sum' if getattr(loss, 'reduction', 'mean') == 'sum' else ''}"


def optimizer_text(optimizer: Any) -> str:
    """Return the words of an optimizer, which may be a spec's own.

    Raise ``ImportFailure`` if a spec has no words for its options.
    """
    if isinstance(optimizer, str):
        return optimizer
    kinds = {_class_name(kind): kind for kind in OPTIMIZERS.values()}
    name = type(optimizer).__name__
    kind = kinds.get(name)
    if kind is None or not isinstance(optimizer, Optimizer):
        raise ImportFailure(
            f"the optimizer {name} is not supported: give the closest, such as optimizer='adam lr=1e-3'; there are "
            f"{', '.join(OPTIMIZERS)}"
        )
    groups = [_options(kind, group) for group in optimizer.param_groups]
    if any(group != groups[0] for group in groups):
        raise ImportFailure(f"the optimizer {name} has {len(groups)} parameter groups that differ, but a spec has one")
    for group in optimizer.param_groups:
        _refuse_others(name, kind, group)
    given = groups[0]
    options = [
        written(option, given[option.name], exact=True)
        for option in kind.options
        if option.name in given and (option.name == "lr" or given[option.name] != option.default)
    ]
    return " ".join([kind.name, *options])


def _class_name(kind: OptimizerKind) -> str:
    return kind.torch({option.name: option.default for option in kind.options if option.name != "lr"}).name


def _options(kind: OptimizerKind, group: dict[str, Any]) -> dict[str, Any]:
    betas = dict(zip(("beta1", "beta2"), group.get("betas", ()), strict=False))
    values = {**group, **betas}
    named = {option.name: values[option.name] for option in kind.options if option.name in values}
    return {name: value if isinstance(value, bool) else float(value) for name, value in named.items()}


def _refuse_others(name: str, kind: OptimizerKind, group: dict[str, Any]) -> None:
    words = {option.name for option in kind.options}
    for option, value in group.items():
        if option not in words and option not in _OUTSIDE and value not in (False, None, _NEUTRAL.get(option)):
            raise ImportFailure(f"the optimizer {name} has {option}={value}, which a spec cannot state")
