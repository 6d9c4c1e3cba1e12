"""Random search over the settings that repairs change, with as many training runs as the doctor took."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from caedsl.diagnostics.finding import Edit
from caedsl.doctor.repairs import Trials
from caedsl.doctor.subject import Subject
from caedsl.doctor.suspicion import ProposedChange
from caedsl.facts.outputs import output_layer
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.settings import write_setting, write_statement
from caedsl.rules.edits.trial import write
from caedsl.vocabulary.activations import ACTIVATION
from caedsl.vocabulary.kernel_options import INIT
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.option import Option


@dataclass(frozen=True)
class Found:
    """The text that trained best, which may be the spec as it was, and how many training runs that took."""

    text: str
    runs: int


def search(subject: Subject, steps: int, runs: int, seed: int) -> Found:
    """Try random changes, each with the seeds and the steps of a repair, and keep the best."""
    trials, draw = Trials(subject, steps), random.Random(seed)
    changes = list(knobs(subject.model))
    draw.shuffle(changes)
    best, text, taken = 1.0, subject.model.source.text, 0
    for change in changes:
        if taken >= runs:
            break
        repair = trials.repair("random", change, lambda task: lambda done, total: None)
        if repair is None:
            continue
        taken += len(repair.seeds)
        if repair.gain < best:
            best, text = repair.gain, repair.text
    return Found(text, taken)


def knobs(model: Autoencoder) -> Sequence[ProposedChange]:
    """Return changes of rate, optimizer, batch, length, initialisation, activations and code."""
    assert model.train is not None
    lr, batch = float(model.train.optimizer.lr), int(model.train.batch)
    settings = [
        *((f"lr={lr * times:.1g}", "optimizer", "lr") for times in (0.001, 0.01, 0.1, 10, 100, 1000)),
        *((str(max(1, round(batch * times))), "batch", "batch") for times in (0.25, 0.5, 2)),
        ("mse", "loss", "loss"),
        ("bce", "loss", "loss"),
    ]
    found = [
        ProposedChange(
            f"{name} {text}", write_setting(model, name, option, text if option == "lr" else f"{name} {text}")
        )
        for text, name, option in settings
        if f"train.{name}" in model.places
    ]
    if "train.optimizer" in model.places:
        found += [
            ProposedChange(text, write_statement(model, "optimizer", text)) for text in ("optimizer adam lr=1e-3",)
        ]
    hidden = hidden_layers(model)
    for activation in ("relu", "leaky_relu", "tanh"):
        found.append(ProposedChange(activation, on_every(hidden, ACTIVATION, activation)))
    for init in ("init=he", "init=glorot"):
        found.append(ProposedChange(init, on_every(hidden, INIT, init)))
    output = output_layer(model)
    if output is not None and output.mirrors is None and ACTIVATION in output.options:
        for activation in ("sigmoid", "linear"):
            found.append(ProposedChange(f"output {activation}", (write(output, ACTIVATION, activation),)))
    return [change for change in found if change.edits]


def hidden_layers(model: Autoencoder) -> Sequence[Layer]:
    """Return the layers with weights that have their own line, without the output layer."""
    lines = {layer.span: layer for _, layer in model.layers() if layer.mirrors is None and INIT in layer.options}
    return [layer for layer in lines.values() if layer is not output_layer(model)]


def on_every(layers: Sequence[Layer], option: Option, text: str) -> tuple[Edit, ...]:
    """Return the edits that write an option on the line of each layer that takes it."""
    edits = [write(layer, option, text) for layer in layers if option in layer.options]
    return tuple(sorted(edits, key=lambda edit: edit.span))
