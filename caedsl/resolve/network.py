"""The network of a spec: input, encoder, bottleneck and decoder, read, placed, and kept for texts that begin alike."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

from caedsl.model.autoencoder import Bottleneck, Input
from caedsl.model.data import DataSource, output_range
from caedsl.resolve.blocks import read_block
from caedsl.resolve.bottleneck import Code, place_bottleneck, read_bottleneck
from caedsl.resolve.decoder import place_decoder, read_decoder
from caedsl.resolve.inputs import read_input, read_target
from caedsl.resolve.mirroring.mirror_options import UNPOOL, MirrorOptions
from caedsl.resolve.outputs import Outputs, name_skips, report_dropped
from caedsl.resolve.placing import Placed, place_block
from caedsl.resolve.scope import Scope
from caedsl.resolve.statement_words import StatementsByWord
from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.syntax.extent import end
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.line import Line
from caedsl.vocabulary.shape import Shape

_WITHOUT_LAYERS = ("train", "require", "sweep", "allow")
"""Statements that a network does not depend on."""

_MOST_KEPT = 64
_MOST_LAYERS = 500
"""Keep no larger network: 64 of these take some 60 MB."""


class ResolvedNetwork(NamedTuple):
    """Input, target and layers of a model; ``complete`` says whether all parts have their shapes.

    ``facts`` are the facts about it that are known so far.
    """

    input: Input
    target: Input
    encoder: tuple[Layer, ...]
    bottleneck: Bottleneck
    decoder: tuple[Layer, ...]
    complete: bool
    facts: dict[str, Any]


class _Known(NamedTuple):
    """Network, what its lines use, and the places of its settings."""

    network: ResolvedNetwork
    uses: Mapping[str, Any]
    places: Mapping[str, Span]


class _Kept:
    """What is known of the texts that begin with certain statements; None until it is.

    It is set as a whole: several threads may check specs.
    """

    def __init__(self) -> None:
        self.known: _Known | None = None


@lru_cache(maxsize=_MOST_KEPT)
def _kept(beginning: str) -> _Kept:
    return _Kept()


def known_network(
    spec: tree.Spec, found: StatementsByWord, data: tuple[DataSource, ...], scope: Scope
) -> ResolvedNetwork | None:
    """Return what ``read_network`` returns; a text that begins as an earlier one has the same network.

    The variants of a sweep, and fixes of training settings, differ only after it. A network with findings is read
    again.
    """
    if scope.unknown_constants:
        return read_network(found, data, scope)
    text = scope.source.text
    last = max((end(text, each) for each in spec.statements if each.head.text not in _WITHOUT_LAYERS), default=0)
    kept = _kept(text[:last])
    if kept.known is not None:
        scope.resume(kept.known.uses)
        found.places.update(kept.known.places)
        return kept.known.network
    reported, used, placed = len(scope.findings), scope.used, frozenset(found.places)
    scope.used = set()
    network = read_network(found, data, scope)
    if network is not None and len(scope.findings) == reported and scope.layers_placed <= _MOST_LAYERS:
        places = {name: place for name, place in found.places.items() if name not in placed}
        kept.known = _Known(network, scope.uses_of_layers(), places)
    scope.used = used | scope.used
    return network


def read_network(found: StatementsByWord, data: tuple[DataSource, ...], scope: Scope) -> ResolvedNetwork | None:
    """Return the network as far as it can be understood; None if there is no input shape to start from."""
    image = read_input(found.single.get("input"), scope)
    scope.input_shape = None if image is None else image.shape
    read, target = _read_parts(found, image, data, scope)
    if image is None or target is None:
        return None
    parts = _placed(read, found, image, target.shape, scope)
    return ResolvedNetwork(
        image,
        target,
        tuple(parts.encoder.layers),
        parts.bottleneck or _no_bottleneck(parts.encoder, found, image),
        tuple(parts.decoder.layers),
        parts.complete,
        {},
    )


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
    unpools = isinstance(read.decoder, MirrorOptions) and read.decoder.upsample == UNPOOL
    encoder = place_block(read.encoder, image.shape, Outputs(image.shape, image.span, unpools), scope)
    if isinstance(read.decoder, MirrorOptions) and read.decoder.skips:
        encoder.layers = name_skips(encoder.layers, encoder.outputs)
    bottleneck = None if read.code is None else place_bottleneck(read.code, encoder, scope)
    encoder.outputs.names_pools = False
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
