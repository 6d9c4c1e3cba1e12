"""Resolution of a syntax tree to an ``Autoencoder``: the statements are found, then resolved in data order."""

import re

from caedsl.diagnostics.finding import Finding
from caedsl.model.autoencoder import Autoencoder, Bound
from caedsl.model.data import DataSource
from caedsl.model.settings import Train
from caedsl.model.sweep import Sweep
from caedsl.resolve.data_line import read_data
from caedsl.resolve.idle_settings import (
    report_empty_require,
    report_idle_settings,
    report_idle_sources,
    report_idle_sweep,
    report_idle_target,
)
from caedsl.resolve.network import known_network, read_network
from caedsl.resolve.reading.binding import bind
from caedsl.resolve.reading.line_options import filled
from caedsl.resolve.require import read_bound
from caedsl.resolve.reserved import language_words
from caedsl.resolve.scope import Scope
from caedsl.resolve.statement_words import StatementsByWord
from caedsl.resolve.statements import find, report_missing
from caedsl.resolve.train_block import read_train
from caedsl.resolve.unused import report_unused
from caedsl.source import Source
from caedsl.syntax import tree
from caedsl.vocabulary.option import REQUIRED, Option, Type, Written


def resolve(spec: tree.Spec, source: Source) -> tuple[Autoencoder | None, tuple[Finding, ...]]:
    """Return the model that ``spec`` describes, as far as it can be understood, and the findings about it.

    The model is None if there is no input shape to start from.
    """
    scope = Scope(source, language_words)
    scope.knows_blocks = spec.complete or not re.search(r"\bblock\b", source.text)
    found = find(spec, scope)
    report_missing(spec, found, scope)
    model = _assemble(spec, found, scope, clear=spec.complete and not scope.findings)
    scope.fix_every_use()
    if spec.complete and all(finding.name == "allowance-without-reason" for finding in scope.findings):
        report_unused(scope)  # after an error, something that seems unused may be needed there
        if model is not None and model.target is not model.input and not model.paired:
            report_idle_target(model, scope)
        report_empty_require(found.single.get("require"), scope)
        if model is not None:
            report_idle_sources(model.data, scope)
        if model is not None and model.sweep is not None:
            report_idle_sweep(model.sweep, scope)
        if model is not None and model.train is not None:
            report_idle_settings(model.train, found.places, scope)
    return model, tuple(scope.findings)


def _assemble(spec: tree.Spec, found: StatementsByWord, scope: Scope, clear: bool) -> Autoencoder | None:
    """Return the model; ``clear`` says that nothing was reported about the statements and their order."""
    name = _read_name(found.single.get("autoencoder"), scope)
    train = _read_train(found, scope)
    data = _read_data(found, scope)
    bounds = _read_bounds(found, scope)
    sweep = _read_sweep(found, scope)
    network = known_network(spec, found, data, scope) if clear else read_network(found, data, scope)
    if network is None:
        return None
    model = Autoencoder(
        name=name,
        source=scope.source,
        input=network.input,
        target=network.target,
        data=data,
        encoder=network.encoder,
        bottleneck=network.bottleneck,
        decoder=network.decoder,
        mirrored="decoder" in found.single and found.single["decoder"].block is None,
        train=train,
        require=bounds,
        sweep=sweep,
        allowances=tuple(found.allowances),
        places=found.places,
        complete=spec.complete and scope.understood and network.complete,
    )
    vars(model)["network_facts"] = network.facts
    return model


def _read_name(statement: tree.Statement | None, scope: Scope) -> str:
    if statement is None:
        return "unnamed"
    name = Option("name", Type.NAME, REQUIRED, "the model's name", Written.FIRST)
    values = filled(bind("autoencoder", statement.items, (name,), scope), (name,), statement, scope)
    return "unnamed" if values is None else str(values[name.name])


def _read_train(found: StatementsByWord, scope: Scope) -> Train | None:
    statement = found.single.get("train")
    if statement is None or statement.block is None:
        return None
    return read_train(statement.block, found.places, scope)


def _read_data(found: StatementsByWord, scope: Scope) -> tuple[DataSource, ...]:
    statement = found.single.get("data")
    return () if statement is None else read_data(statement, scope)


def _read_bounds(found: StatementsByWord, scope: Scope) -> tuple[Bound, ...]:
    statement = found.single.get("require")
    bounds = (read_bound(line, scope) for line in (statement.block or ())) if statement else ()
    return tuple(bound for bound in bounds if bound is not None)


def _read_sweep(found: StatementsByWord, scope: Scope) -> Sweep | None:
    statement = found.single.get("sweep")
    if statement is None:
        return None
    # Imported only for a sweep, so that other specs are checked faster.
    from caedsl.resolve.sweeping import read_sweep

    return read_sweep(statement, scope)
