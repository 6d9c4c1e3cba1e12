"""Resolution of a syntax tree to an ``Autoencoder``: the statements are found, then resolved in data order."""

import re
from dataclasses import replace
from typing import NamedTuple

from caedsl.diagnostics.finding import Finding
from caedsl.model.autoencoder import Autoencoder, Bottleneck, Bound, Input
from caedsl.model.data import DataSource, output_range
from caedsl.model.settings import Train
from caedsl.model.sweep import Sweep
from caedsl.resolve.blocks import read_block
from caedsl.resolve.bottleneck import Code, place_bottleneck, read_bottleneck
from caedsl.resolve.data_line import read_data
from caedsl.resolve.decoder import place_decoder, read_decoder
from caedsl.resolve.idle_settings import (
    report_empty_require,
    report_idle_settings,
    report_idle_sources,
    report_idle_sweep,
    report_idle_target,
)
from caedsl.resolve.inputs import read_input, read_target
from caedsl.resolve.mirroring.mirror_options import UNPOOL, MirrorOptions
from caedsl.resolve.outputs import Outputs, name_pools, name_skips, report_dropped
from caedsl.resolve.placing import Placed, place_block
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
from caedsl.vocabulary.line import Line
from caedsl.vocabulary.option import REQUIRED, Option, Type, Written
from caedsl.vocabulary.shape import Shape


def resolve(spec: tree.Spec, source: Source) -> tuple[Autoencoder | None, tuple[Finding, ...]]:
    """Return the model that ``spec`` describes, as far as it can be understood, and the findings about it.

    The model is None if there is no input shape to start from.
    """
    scope = Scope(source, language_words)
    scope.knows_blocks = spec.complete or not re.search(r"\bblock\b", source.text)
    found = find(spec, scope)
    report_missing(spec, found, scope)
    model = _assemble(spec, found, scope)
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


class _ReadParts(NamedTuple):
    """Lines of the network as they are read, before any shape is known; None for what is missing or cannot be read."""

    encoder: tuple[Line, ...] | None
    code: Code | None
    decoder: tuple[Line, ...] | MirrorOptions | None


class _PlacedParts(NamedTuple):
    """Parts of the network with their shapes; the bottleneck is None if it is missing or its shape is unknown."""

    encoder: Placed
    bottleneck: Bottleneck | None
    decoder: Placed

    @property
    def complete(self) -> bool:
        """Whether all parts have their shapes."""
        return None not in (self.bottleneck, self.encoder.out_shape, self.decoder.out_shape)


def _assemble(spec: tree.Spec, found: StatementsByWord, scope: Scope) -> Autoencoder | None:
    name = _read_name(found.single.get("autoencoder"), scope)
    train = _read_train(found, scope)
    data = _read_data(found, scope)
    bounds = _read_bounds(found, scope)
    sweep = _read_sweep(found, scope)
    image = read_input(found.single.get("input"), scope)
    scope.input_shape = None if image is None else image.shape
    read, target = _read_parts(found, image, data, scope)
    if image is None or target is None:
        return None
    parts = _placed(read, found, image, target.shape, scope)
    return Autoencoder(
        name=name,
        source=scope.source,
        input=image,
        target=target,
        data=data,
        encoder=tuple(parts.encoder.layers),
        bottleneck=parts.bottleneck or _no_bottleneck(parts.encoder, found, image),
        decoder=tuple(parts.decoder.layers),
        mirrored="decoder" in found.single and found.single["decoder"].block is None,
        train=train,
        require=bounds,
        sweep=sweep,
        allowances=tuple(found.allowances),
        places=found.places,
        complete=spec.complete and scope.understood and parts.complete,
    )


def _read_parts(
    found: StatementsByWord, image: Input | None, data: tuple[DataSource, ...], scope: Scope
) -> tuple[_ReadParts, Input | None]:
    """Return the Lines of the network, and the target, whose range the last layer of a mirror must reach."""
    encoder = read_block("encoder", found, scope)
    statement = found.single.get("bottleneck")
    scope.apply_defaults(found.defaults.get("bottleneck", 0))
    code = None if statement is None else read_bottleneck(statement, scope)
    target = None if image is None else read_target(found.single.get("target"), image, scope)
    reached = None if target is None else output_range(target.range, target is not image, data)
    return _ReadParts(encoder, code, read_decoder(found, reached, scope)), target


def _placed(read: _ReadParts, found: StatementsByWord, image: Input, target: Shape, scope: Scope) -> _PlacedParts:
    """Return the layers of the network, which leads from ``image`` to the shape ``target``."""
    encoder = place_block(read.encoder, image.shape, Outputs(image.shape, image.span), scope)
    if isinstance(read.decoder, MirrorOptions) and read.decoder.upsample == UNPOOL:
        encoder.layers = name_pools(encoder.layers, encoder.outputs)
    if isinstance(read.decoder, MirrorOptions) and read.decoder.skips:
        encoder.layers = name_skips(encoder.layers, encoder.outputs)
    bottleneck = None if read.code is None else place_bottleneck(read.code, encoder, scope)
    start = _start_of_decoder(encoder, bottleneck, "bottleneck" in found.single)
    inverse, decoder = place_decoder(read.decoder, encoder, bottleneck, start, target, scope)
    if decoder.out_shape is not None:
        report_dropped(encoder.outputs, scope)
    if bottleneck is not None and inverse:
        bottleneck = replace(bottleneck, inverse=inverse)
    return _PlacedParts(encoder, bottleneck, decoder)


def _start_of_decoder(encoder: Placed, bottleneck: Bottleneck | None, written: bool) -> Shape | None:
    """Return the shape with which the decoder starts, or None if an error before it leaves that unknown."""
    if bottleneck is None:
        return None if written else encoder.out_shape
    return None if encoder.out_shape is None and bottleneck.layers else bottleneck.code_shape


def _no_bottleneck(encoder: Placed, found: StatementsByWord, image: Input) -> Bottleneck:
    """Return a bottleneck for a model without one, which is never complete: the last shape that is known."""
    known = encoder.layers[-1].out_shape if encoder.layers else image.shape
    return Bottleneck("bare", known, (), (), {}, 0.0, found.places.get("bottleneck", image.span))


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
