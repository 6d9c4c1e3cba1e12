"""Read ONNX files as data, with external weights, and run them in onnxruntime to learn about their tensors."""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, numpy_helper
from onnx.helper import make_attribute

from caedsl.data.errors import DataError
from caedsl.data.files.regular_file import open_regular
from caedsl.importing.errors import ImportFailure
from caedsl.importing.network import Array
from caedsl.importing.separate_process import SeparateProcess, SeparateProcessError
from caedsl.machine.memory import available_memory
from caedsl.vocabulary.shape import Shape, shape_in, text

_AGAIN = "export it with one input of fixed size, such as torch.onnx.export(model, (torch.zeros(1, 1, 28, 28),), ...)"
_OWN = ("", "ai.onnx")
_SUBGRAPHS = ("If", "Loop", "Scan", "SequenceMap")
_RANDOM = ("RandomNormal", "RandomNormalLike")
_BATCH = 2


_MEMORY, _SECONDS = 4 << 30, 60
"""Bytes and processor time for a model to compute random samples."""
_TIMES = 8
"""How many times the bytes of a file of weights may be read."""
_MOST_NODES = 20_000
"""Most operators of a graph that is read; a spec has at most 2,000 layers."""
_MOST_DRAWN = 1 << 26
"""Largest number of values that one operator draws at random."""


@dataclass(frozen=True, eq=False)
class OnnxFile:
    """Graph of an ONNX file, its one input, and the shapes of all its tensors for a batch of random samples.

    ``random`` are the tensors that the original draws from a normal distribution; here they are zero. ``note`` says
    which sizes were chosen for a file that accepts several; it is empty for others.
    """

    name: str
    nodes: tuple[NodeProto, ...]
    input: str
    outputs: tuple[str, ...]
    constants: dict[str, Array]
    shapes: dict[str, tuple[int, ...]]
    random: frozenset[str]
    session: SeparateProcess
    note: str

    def value(self, name: str) -> Array:
        """Return the value of a tensor that does not depend on the samples."""
        with _session_errors(self.name):
            made: Array = self.constants[name] if name in self.constants else self.session.call("value", name)
            return made

    def run(self, samples: Array, output: str) -> Array:
        """Return an output for samples in the file's own layout, with zeros for random numbers."""
        batch = self.shapes[self.input][0]
        missing = -len(samples) % batch
        padded = np.concatenate([samples, np.zeros((missing, *samples.shape[1:]), samples.dtype)])
        with _session_errors(self.name):
            parts = np.split(padded, len(padded) // batch)
            made = np.concatenate([self.session.call("output", self.input, output, arrays=[part]) for part in parts])
        return np.asarray(made[: len(samples)])


@contextmanager
def _session_errors(name: str) -> Iterator[None]:
    """Raise errors of onnxruntime's process as ``ImportFailure``."""
    try:
        yield
    except SeparateProcessError as error:
        reason = " ".join(str(error).split())[:200]
        raise ImportFailure(f"{name} was not imported: onnxruntime cannot run it ({reason}); {_AGAIN}") from None


def read_onnx(content: bytes, path: Path, sample: Shape | None) -> OnnxFile:
    """Return the graph in a file; raise ``ImportFailure`` if it is not an ONNX model, or one that cannot be read.

    ``sample`` is the shape of a sample, for a file that accepts several sizes and does not say its own.
    """
    try:
        model = onnx.load_model_from_string(content)
    except Exception:  # protobuf's own error, which onnx does not export
        raise ImportFailure(f"{path.name} is not an ONNX model, or is truncated; {_AGAIN}") from None
    graph = model.graph
    if not graph.node:
        raise ImportFailure(f"{path.name} is not an ONNX model, or has no layers; {_AGAIN}")
    if len(graph.node) > _MOST_NODES:
        raise ImportFailure(
            f"{path.name} has {len(graph.node):,} operators, more than the {_MOST_NODES:,} that are read: import a part"
        )
    _refuse_foreign(model, path.name)
    read: dict[Path, int] = {}
    for tensor in _tensors(graph):
        _load_external_data(tensor, path, read)
    initial = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    inputs = [each for each in graph.input if each.name not in initial]
    if len(inputs) != 1:
        names = ", ".join(each.name for each in inputs)
        raise ImportFailure(f"{path.name} takes {len(inputs)} inputs ({names}), but an autoencoder takes one")
    random = [node for node in graph.node if node.op_type in _RANDOM]
    for node in random:
        _silence(node)
    shape, note = _fixed(inputs[0], path.name, sample or _own_shape(model))
    own = [each.name for each in graph.output]
    with _session_errors(path.name):
        shapes, session = _shapes(model, inputs[0].name, shape)
    shapes |= {name: array.shape for name, array in initial.items()}
    drawn = frozenset(node.output[0] for node in random)
    outputs = tuple(name for name in own if name in shapes)
    return OnnxFile(path.name, tuple(graph.node), inputs[0].name, outputs, initial, shapes, drawn, session, note)


def _refuse_foreign(model: ModelProto, name: str) -> None:
    functions = {each.name for each in model.functions}
    for node in model.graph.node:
        if node.domain not in _OWN or node.op_type in functions:
            raise ImportFailure(
                f"{name} was not imported: {node.name or node.op_type} is a custom operator, "
                f"{node.domain or 'local'}:{node.op_type}, but only ONNX's own can be written in a spec",
                was_read=True,
            )
        if node.op_type in _SUBGRAPHS:
            raise ImportFailure(
                f"{name} was not imported: {node.name or node.op_type} decides while it runs ({node.op_type}), and the "
                "lines of a spec always run in order",
                was_read=True,
            )


def _tensors(graph: GraphProto) -> Iterator[TensorProto]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            yield from ([attribute.t] if attribute.HasField("t") else [])
            yield from attribute.tensors
    if graph.sparse_initializer:
        raise ImportFailure("sparse weights are not read: save them as plain tensors")


def _load_external_data(tensor: TensorProto, path: Path, read: dict[Path, int]) -> None:
    """Read the bytes of a tensor that is stored in another file, which must be in the folder of the model.

    ``read`` counts the bytes that were read of each file: tensors may share them, but only up to a limit.
    """
    if tensor.data_location != TensorProto.EXTERNAL:
        return
    entries = {entry.key: entry.value for entry in tensor.external_data}
    place = PurePosixPath(entries.get("location", "").replace("\\", "/"))
    folder = path.parent.resolve()
    file = folder / place
    if (
        place.is_absolute()
        or ".." in place.parts
        or file.resolve() != file
        or not file.resolve().is_relative_to(folder)
    ):
        raise ImportFailure(
            f"{path.name} keeps {tensor.name} in {entries.get('location')!r}, outside its own folder, and that is not "
            "followed: put the file next to the model and name it without folders"
        )
    try:
        with open_regular(file) as opened:
            size = os.fstat(opened.fileno()).st_size
            offset, length = _piece(entries, size)
            read[file] = read.get(file, 0) + length
            if offset < 0 or length < 0 or offset + length > size:
                raise ImportFailure(f"{path.name} reads beyond the end of {place}: one of the two is truncated")
            if read[file] > _TIMES * size:
                raise ImportFailure(f"{path.name} reads {place} more than {_TIMES} times: export it again")
            opened.seek(offset)
            tensor.raw_data = opened.read(length)
    except (OSError, DataError):
        raise ImportFailure(
            f"{path.name} keeps its weights in {place}, which does not exist: put that file next to it, or export with "
            "external_data=False"
        ) from None
    tensor.data_location = TensorProto.DEFAULT
    del tensor.external_data[:]


def _piece(entries: dict[str, str], size: int) -> tuple[int, int]:
    """Return where a tensor lies in a file of this size, and its length; -1 if the words are not numbers."""
    try:
        return int(entries.get("offset", 0)), int(entries.get("length", size))
    except ValueError:
        return -1, 0


def _silence(node: NodeProto) -> None:
    """Make a node that draws normal numbers return zeros; onnxruntime ends the process for a deviation of 0."""
    shape = next((list(each.ints) for each in node.attribute if each.name == "shape"), [])
    if math.prod(shape) > _MOST_DRAWN:
        raise ImportFailure(f"{node.name or node.op_type} draws {math.prod(shape):,} numbers: too many for a code")
    del node.attribute[:]
    if node.op_type == "RandomNormalLike":
        node.op_type = "Sub"
        node.input.append(node.input[0])
    else:
        node.op_type = "Constant"
        node.attribute.append(make_attribute("value", numpy_helper.from_array(np.zeros(shape, np.float32))))


def _own_shape(model: ModelProto) -> Shape | None:
    """Return the shape of a sample as an export of this package states it; None in other files."""
    stated = next((each.value for each in model.metadata_props if each.key == "input"), "")
    return shape_in(stated)


def _fixed(value: ValueInfoProto, name: str, sample: Shape | None) -> tuple[tuple[int, ...], str]:
    """Return the shape of the input, with an open batch as 2, and a note if other sizes are open.

    Open sizes are those of ``sample``, which has its channels first.
    """
    kind = value.type.tensor_type
    if kind.elem_type != TensorProto.FLOAT:
        word = TensorProto.DataType.Name(kind.elem_type).lower()
        raise ImportFailure(f"{name} takes {word} numbers, but a spec's networks take float: export it in 32 bits")
    dims = [each.dim_value if each.HasField("dim_value") else 0 for each in kind.shape.dim]
    if len(dims) < 2:
        raise ImportFailure(f"{name} does not state the shape of its input; {_AGAIN}")
    if 0 not in dims[1:]:
        return (dims[0] or _BATCH, *dims[1:]), ""
    stated = "x".join(str(each.dim_value or each.dim_param or "?") for each in kind.shape.dim[1:])
    if sample is None:
        example = "x".join(str(size or 64) for size in dims[1:])
        raise ImportFailure(
            f"{name} has dynamic shapes: its input {value.name} is {stated}, but a spec states sizes: give those of a "
            f"sample, such as --input {example}"
        )
    for layout in (sample, (*sample[1:], sample[0])):
        if len(layout) == len(dims) - 1 and all(size in (0, own) for size, own in zip(dims[1:], layout, strict=True)):
            return (dims[0] or _BATCH, *layout), f"the file takes {stated}; the spec states {text(sample)}"
    raise ImportFailure(f"{name} takes samples of {stated}, and not of {text(sample)}: give --input such sizes")


def _shapes(
    model: ModelProto, input_: str, shape: tuple[int, ...]
) -> tuple[dict[str, tuple[int, ...]], SeparateProcess]:
    """Return the shapes of all tensors for a batch of random samples, and the process that computes them."""
    given = {each.name for each in model.graph.output}
    names = [each for node in model.graph.node for each in node.output if each]
    model.graph.output.extend(ValueInfoProto(name=each) for each in names if each not in given)
    content = model.SerializeToString()
    memory = min(_MEMORY + len(content), available_memory() or _MEMORY)
    session = SeparateProcess("caedsl.importing.onnx.session:OnnxSession", content, memory, _SECONDS)
    made = session.call("sample", input_, shape, names)
    return {name: tuple(sizes) for name, sizes in made.items()} | {input_: shape}, session
