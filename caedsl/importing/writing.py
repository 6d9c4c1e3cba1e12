"""Turn the description of a foreign network into a formatted spec, its model, and a module with the same weights."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from caedsl.diagnostics.finding import Finding, Report, Severity
from caedsl.diagnostics.full import render_full
from caedsl.importing.channel_order import in_spec_order
from caedsl.importing.code_place import code_place
from caedsl.importing.errors import ImportFailure
from caedsl.importing.lines import WrittenLine, lines_of, names_of, words
from caedsl.importing.network import Network
from caedsl.importing.ranges import range_text
from caedsl.importing.structure import Item, chain_of
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.checking import Checked, check_source
from caedsl.source import Source
from caedsl.syntax.formatter import format_source
from caedsl.syntax.tree import Statement
from caedsl.vocabulary.bottlenecks import BY_NAME
from caedsl.vocabulary.form import CODE_L1, NOISE
from caedsl.vocabulary.kernel_options import L1
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers import KINDS
from caedsl.vocabulary.layers.dense import Dense
from caedsl.vocabulary.layers.reshape import Reshape
from caedsl.vocabulary.option import Option
from caedsl.vocabulary.shape import text
from caedsl.vocabulary.sparse_codes import TOPK
from caedsl.vocabulary.spelling import number_text, written

_NO_LETTERS = re.compile(r"[^a-z0-9_]+")


@dataclass(frozen=True, eq=False)
class WrittenSpec:
    """Spec of a foreign network: its text, the findings of ``check``, and the lines with the author's layers.

    ``notes`` say how the code was found and what else was decided.
    """

    text: str
    checked: Checked
    lines: tuple[WrittenLine, ...]
    notes: tuple[str, ...]

    def placed(self, model: Autoencoder) -> Iterator[tuple[WrittenLine, tuple[Layer, ...]]]:
        """Yield each line with the layers that the compiler made of it, in the order of computation."""
        made: list[tuple[Layer, ...]] = []
        for _, layer in model.layers():
            if not layer.kind.has_line:
                made[-1] = (*made[-1], layer)
            else:
                made.append((layer,))
        yield from zip([inner for line in self.lines for inner in line.walk()], made, strict=True)

    @cached_property
    def places(self) -> tuple[tuple[int, tuple[str, ...]], ...]:
        """Start of the statement of each layer, and the author's names of its layers, in the text's order."""
        blocks = {each.head.text: each for each in self.checked.spec.statements}
        encoder, decoder = (list(_below(blocks[part].block or ())) for part in ("encoder", "decoder"))
        lines = [inner for line in self.lines for inner in line.written()]
        code = [blocks["bottleneck"]] if len(encoder) + len(decoder) < len(lines) else []
        starts = [each.span.start for each in (*encoder, *code, *decoder)]
        return tuple(zip(starts, (tuple(one.name for one in line.layers) for line in lines), strict=True))


def _below(statements: Sequence[Statement]) -> Iterator[Statement]:
    """Yield the statements of layers; those inside a residual follow it."""
    for statement in statements:
        if statement.head.text != "shortcut":
            yield statement
        yield from _below(statement.block or ())


def write(network: Network) -> WrittenSpec:
    """Return the spec of a network, with the findings of ``check``; raise ``ImportFailure`` if there is none."""
    chain_of(network)  # reports branches before weights are moved
    network = in_spec_order(network)
    items = chain_of(network)
    place = code_place(network, items)
    names = names_of(network, items)
    encoder = lines_of([item for item in items[: place.items] if not item.layer.acts_on_code], names)
    decoder = lines_of([item for item in items[place.items :] if not item.layer.acts_on_code], names)
    if not encoder:
        raise ImportFailure(f"{network.name} was not imported: it has no layer before its decoder", was_read=True)
    code, inner = _bottleneck(encoder, decoder)
    train = network.train
    for item in (inner for each in items for inner in each.walk() if inner.layer.acts_on_code):
        if item is items[0] and NOISE in item.layer.options:
            train = {**train, "corrupt": f"gaussian={_corruption(network, item)}"}
        else:
            code = f"{code} {_on_the_code(network, items, place.items, item)}"
    network = replace(network, train=train)
    spec = "\n".join(_statements(network, (*encoder, *decoder), inner, decoder, code))
    formatted, findings = format_source(Source(spec, f"<{network.name}>"))
    if formatted is None:
        source = Source(spec, f"<{network.name}>")
        raise ImportFailure("the given settings are not valid in a spec", *_shown(source, findings))
    checked = check_source(Source(formatted, f"<{network.name}>"))
    return WrittenSpec(formatted, checked, (*encoder, *decoder), (place.how, *network.notes))


def model_of(network: Network, written: WrittenSpec) -> Autoencoder:
    """Return the model of a spec; raise ``ImportFailure`` with the errors of one that cannot be built.

    Other errors say why it will not learn, which is what the author may want to know.
    """
    model = written.checked.model
    if model is not None and written.checked.can_be_built:
        return model
    errors = [line for report in written.checked.reports for line in _shown(report.source, report.findings)]
    raise ImportFailure(
        f"{network.name} was not imported: its spec has errors, so it cannot be built",
        *errors,
        was_read=True,
    )


def _shown(source: Source, findings: Sequence[Finding]) -> list[str]:
    """Return the errors among ``findings`` as lines, as ``check`` shows them."""
    errors = tuple(finding for finding in findings if finding.severity is Severity.ERROR)
    return render_full([Report(source, errors)], colour=False).split("\n")


def _bottleneck(
    encoder: tuple[WrittenLine, ...], decoder: tuple[WrittenLine, ...]
) -> tuple[str, tuple[WrittenLine, ...]]:
    """Return the bottleneck statement, and the lines before it."""
    last, body = encoder[-1], encoder[:-1]
    if not last.layers[-1].is_code:
        penalised = L1 in last.options  # there, `l1` means the code's
        if last.named or not body or penalised or last.word not in BY_NAME:
            return "bottleneck", encoder
        inverted = bool(decoder) and decoder[0].word in (Dense.name, Reshape.name)
        called = "bottleneck" in last.layers[0].name.lower()
        if not (inverted if BY_NAME[last.word].makes_vector else called):
            return "bottleneck", encoder
    return f"bottleneck {last.text_of_code}", body


class _OnTheCode(NamedTuple):
    """Option of a bottleneck line about the code: its word, what it does, and where a spec allows it."""

    option: Option
    does: str
    has: str


_ON_THE_CODE = {
    NOISE.name: _OnTheCode(
        NOISE,
        "adds noise to",
        "noise on its input (`corrupt gaussian=0.3`) and on its code (`bottleneck noise=0.1`)",
    ),
    TOPK.name: _OnTheCode(TOPK, "keeps the largest numbers of", "that on its code (`bottleneck dense 32 topk=5`)"),
    CODE_L1.name: _OnTheCode(
        CODE_L1, "has a penalty on", "one on its code (`bottleneck dense 32 l1=1e-4`) and on kernels (`conv 8 l1=1e-4`)"
    ),
}
"""Kinds of foreign layers that become options of the bottleneck instead of lines."""


def _on_the_code(network: Network, items: Sequence[Item], count: int, item: Item) -> str:
    """Return the option of the bottleneck for an item, which must come right after the code."""
    effect, place = _ON_THE_CODE[item.layer.kind], items.index(item) if item in items else -1
    last = max(i for i, each in enumerate(items[:count]) if not each.layer.acts_on_code)
    if place < last or not all(each.layer.acts_on_code for each in items[last + 1 : place]):
        raise ImportFailure(
            f"{network.name} was not imported: {item.layer.name} {effect.does} {text(item.layer.shape)}, but a spec "
            f"only has {effect.has}"
        )
    return written(effect.option, item.layer.options.of_any_type(effect.option), exact=True)


def _corruption(network: Network, noise: Item) -> str:
    """Return the deviation of noise on the input, in units of the range's width."""
    ends = network.range.ends
    width = ends[1] - ends[0] if ends is not None else 1.0
    return number_text(noise.layer.options[NOISE] / width, exact=True)


def _statements(
    network: Network,
    lines: Sequence[WrittenLine],
    encoder: Sequence[WrittenLine],
    decoder: Sequence[WrittenLine],
    code: str,
) -> Iterator[str]:
    used = {inner.word for line in lines for inner in line.walk()}
    yield f"autoencoder {identifier(network.name)}"
    yield f"input {text(network.input_shape)} in {range_text(network.range)}"
    yield from (f"data {network.data}",) if network.data else ()
    yield ""
    defaults = [
        " ".join(("defaults", kind, *words(KINDS[kind].options, options, {})))
        for kind, options in network.defaults.items()
        if kind in used
    ]
    yield from (*defaults, "") if defaults else ()
    yield "encoder {"
    yield from (line.text for line in encoder)
    yield "}"
    yield code
    yield "decoder {"
    yield from (line.text for line in decoder)
    yield "}"
    if network.train:
        yield from ("", "train {", *(f"{word} {value}" for word, value in network.train.items()), "}")


def identifier(name: str) -> str:
    """Return ``name`` as a valid name of a spec."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    cleaned = _NO_LETTERS.sub("_", snake).strip("_") or "imported"
    return f"model_{cleaned}" if cleaned[0].isdigit() else cleaned
