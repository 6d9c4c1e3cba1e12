"""Changes of the loss or the output, with a new optimizer if the rate of SGD no longer fits."""

from collections.abc import Sequence

from caedsl.diagnostics.finding import Applicability, Edit, Fix
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.settings import write_statement
from caedsl.rules.edits.trial import tried
from caedsl.rules.optimisation import mismatched_sgd_rate


def with_suited_rate(model: Autoencoder, title: str, edits: Sequence[Edit], applicability: Applicability) -> Fix:
    """Return the fix that makes ``edits``, and replaces SGD by Adam if its rate would no longer fit."""
    fix = Fix(title, tuple(edits), applicability)
    if model.train is None or not model.train.optimizer.kind.scales or any(mismatched_sgd_rate.check(model)):
        return fix
    changed = tried(model, edits)
    if changed is None or not any(mismatched_sgd_rate.check(changed)):
        return fix
    adam = write_statement(model, "optimizer", "optimizer adam lr=1e-3")
    both = sorted((*edits, *adam), key=lambda edit: edit.span)
    return Fix(f"{title}, with adam, because this rate of SGD would no longer fit", tuple(both), Applicability.UNSAFE)
