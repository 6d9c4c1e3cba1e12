"""Render the loss of an emitted training loop: forward pass, terms, penalties and the code's own losses."""

from collections.abc import Sequence

from caedsl.backends.torch.printed import definitions
from caedsl.backends.torch.program import CODE, Penalty, Program
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Loss, LossTerm, Train
from caedsl.vocabulary.term import Term


class _Name(str):
    """Variable of the emitted loop that replaces a number: it is printed without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def forward_lines(model: Autoencoder, settings: Train, program: Program) -> list[str]:
    """Return the lines that reconstruct the samples ``x`` and compare the result with the target."""
    terms = program.terms
    seen = "seen" if settings.corrupt.amounts() else "x"
    loss = _loss_lines(settings.loss, model)
    if terms and program.linked:
        decoded = "x_hat = model.decode(z, maps)"
        before = ["h = inputs.pop()"] if _has_own_loss(terms) else []
        return [f"z, maps = model.encode_with_maps({seen})", *before, decoded, *loss]
    if _has_own_loss(terms):
        return [
            f"h = model.bottleneck[:-1](model.encoder({seen}))",
            "z = model.bottleneck[-1](h)",
            "x_hat = model.decode(z)",
            *loss,
        ]
    if terms:
        return [f"z = model.encode({seen})", "x_hat = model.decode(z)", *loss]
    return [f"x_hat = model({seen})", *loss]


def _has_own_loss(terms: Sequence[Term]) -> bool:
    """Return whether the last module of the bottleneck computes a term from its input ``h``."""
    return any(term.source != CODE for term in terms)


def _wanted(model: Autoencoder) -> str:
    return "y" if model.paired else "x"


def compares_normalised(model: Autoencoder) -> bool:
    """Return whether the loss compares values as preprocessed by the network's first module."""
    return model.preprocessing is not None and model.target is model.input


def _loss_lines(loss: Loss, model: Autoencoder) -> list[str]:
    compared, before = ("x_hat", _wanted(model)), []
    if compares_normalised(model):
        by_sample = model.preprocessing is not None and model.preprocessing.by_sample
        own = f"{compared[0]}, {compared[1]}" if by_sample else compared[0]  # the target's contrast scales both
        before = [
            f"{name}_n = model.encoder[0]({given})" for name, given in zip(compared, (own, compared[1]), strict=True)
        ]
        compared = (f"{compared[0]}_n", f"{compared[1]}_n")
    lines: list[str] = []
    for term in loss.terms:
        text = _term(term, loss.worst, model, compared)
        weighted = text if term.weight == 1 else f"{term.weight!r} * {text}"
        lines.append(f"loss = loss + {weighted}" if lines else f"loss = {weighted}")
    if loss.reduction == "sum":
        share = "" if loss.worst is None else f" * {loss.worst!r}"
        lines.append(f"loss = loss * {_wanted(model)}[0].numel(){share}  # summed over the pixels of an image")
    return [*before, *lines]


def _term(term: LossTerm, worst: float | None, model: Autoencoder, compared: tuple[str, str]) -> str:
    low, high = model.target.range.low, model.target.range.high
    named = low is None or high is None or compares_normalised(model)
    width = _Name("width") if named or low is None or high is None else high - low
    call = term.kind.torch(term.options, width)
    name = call.name if call.name in definitions("losses") else f"functional.{call.name}"
    words = [*map(repr, call.args), *(f"{word}={value!r}" for word, value in call.kwargs)]
    if term.kind.probabilities and compares_normalised(model):  # which rounding and new samples take out of 0..1
        compared = (f"{compared[0]}.clamp(0, 1)", f"{compared[1]}.clamp(0, 1)")
    if model.weighted and term.kind.of_batch:
        compared = (f"with_weighted_errors({compared[0]}, {compared[1]}, w)", compared[1])
    elif model.weighted and not term.kind.pixelwise:
        one = ", ".join(["a[None]", "b[None]", *words])
        return f"weighted(torch.vmap(lambda a, b: {name}({one}))({', '.join(compared)}), w)"
    elif model.weighted or worst is not None:
        each = f'{name}({", ".join([*compared, *words])}, reduction="none")'
        each = each if worst is None else f"hardest({each}, {worst!r})"
        return f"weighted({each}, w)" if model.weighted else f"{each}.mean()"
    return f"{name}({', '.join([*compared, *words])})"


def added_lines(model: Autoencoder, loss: Loss, program: Program) -> list[str]:
    """Return the lines that add the weights' penalties and the bottleneck's own terms to the loss."""
    return [*_penalty_lines(program.penalties), *_code_lines(program.terms, loss, _wanted(model))]


def _penalty_lines(penalties: Sequence[Penalty]) -> list[str]:
    weights: dict[str, list[str]] = {}
    for penalty in penalties:
        if penalty.l1:
            weights.setdefault(f"{penalty.l1!r} * model.get_parameter(name).abs().sum()", []).append(penalty.parameter)
        if penalty.l2:
            weights.setdefault(f"{penalty.l2!r} * model.get_parameter(name).square().sum()", []).append(
                penalty.parameter
            )
    lines = []
    for term, names in weights.items():
        listed = ", ".join(f'"{name}"' for name in names)
        lines += [f"for name in ({listed}{',' if len(names) == 1 else ''}):", f"    loss = loss + {term}"]
    return lines


def _code_lines(terms: Sequence[Term], loss: Loss, wanted: str) -> list[str]:
    lines = []
    for term in terms:
        if term.source == CODE:
            lines.append(f"loss = loss + {term.weight!r} * z.abs().flatten(1).sum(1).mean()")
        else:
            averaged = loss.reduction == "mean"
            share = "" if term.averaged == averaged else f" {'/' if averaged else '*'} {wanted}[0].numel()"
            weight = repr(term.weight)
            if term.warmup:
                lines.append("warm = (step + 1) / warming if step < warming else 1.0")
            warm = " * warm" if term.warmup else ""
            value = f"model.bottleneck[-1].{term.method}(h)"
            if term.capacity:
                value = f"({value} - {term.capacity!r}{warm}).abs()"
            else:
                weight += warm
            lines.append(f"loss = loss + {weight} * {value}{share}")
    return lines
