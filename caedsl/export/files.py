"""Exported files, each compared with its run before it is kept.

``TOLERANCE`` bounds the largest difference between the outputs of the file and of the run on the same samples, relative
to the largest output, or to ``SMALL_SAMPLES`` of the range of samples if they are smaller.
"""

import io
import json
import logging
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from caedsl.diagnostics.text import in_backticks
from caedsl.export.parts import ExportedPart, scorer, white_of
from caedsl.export.sizes import InputSizes, input_sizes
from caedsl.inference.scores import ChosenScore
from caedsl.inference.trained_run import TrainedRun
from caedsl.runs.errors import RunError
from caedsl.version import __version__
from caedsl.vocabulary.shape import text

if TYPE_CHECKING:
    import onnx

TOLERANCE = 1e-4
SMALL_SAMPLES = 0.01
"""Share of the range below which samples are as small as the rounding of the numbers from which they are computed."""
MOST_SAMPLES = 32
"""Samples for measuring parity: enough to activate every unit, and fast."""


class ExportError(RunError):
    """Export that is not possible; the message says why and what to do."""


@dataclass(frozen=True)
class Parity:
    """Difference between an exported file and its run.

    ``largest`` is the largest absolute difference of any output, ``relative`` the same over the largest output; see
    ``TOLERANCE``.
    """

    samples: int
    measured_on: str
    largest: float
    relative: float


@dataclass(frozen=True)
class Exported:
    """Content of an exported file, its parity, and what it takes and returns and the sizes it accepts, in words."""

    content: bytes
    parity: Parity
    sizes: str
    about: str


Compute = Callable[[Tensor], tuple[Tensor, ...]]


def export(
    run: TrainedRun, part: ExportedPart, score: ChosenScore, format_: str, samples: Tensor, measured_on: str
) -> Exported:
    """Return ``part`` of ``run`` in a format, ``onnx`` or ``pt2``.

    ``samples`` are N x channels x space in the input's range; the file is compared with the run on them.
    ``measured_on`` says what they are. Raise ``ExportError`` if the file computes something else.
    """
    if part.name == "decoder" and run.module.maps:
        raise ExportError(
            f"this decoder reads {in_backticks(run.module.maps)} of the encoder besides the code, and cannot be "
            "exported alone: use `--part full`"
        )
    if part.scores:
        part = scorer(white_of(run, samples))
    module = part.make(run, score).eval()
    example_input = part.example(run, samples[:MOST_SAMPLES].to(run.device))
    least = SMALL_SAMPLES * (run.out_fit.high - run.out_fit.low) if part.makes_samples else 0.0
    with torch.no_grad():
        expected = _tuple(module(example_input))
    draft, load = _FORMATS[format_]
    with _quiet():
        serialise, sizes = _drafted(
            draft, load, module, example_input, part, least, input_sizes(run, part, samples[:2].to(run.device))
        )
        parity = _parity(expected, load(serialise({}))(example_input), least, len(example_input), measured_on)
        if not parity.relative <= TOLERANCE:
            raise ExportError(
                f"the exported {part.name} differs from the run by {parity.largest:.3g} ({parity.relative:.2g} of the "
                f"largest output), and {TOLERANCE:g} is allowed: nothing was written; please report it with the spec"
            )
        return Exported(serialise({**_metadata(run, part, score, parity), "sizes": sizes}), parity, sizes, part.about)


@torch.no_grad()
def _drafted(
    draft: "Draft",
    load: "Callable[[bytes], Compute]",
    module: nn.Module,
    given: Tensor,
    part: ExportedPart,
    least: float,
    candidates: Iterator[InputSizes],
) -> "tuple[Serialise, str]":
    """Return the draft with the most general input sizes with which the exported file computes the same as the module.

    Return also these sizes in words.
    """
    for sizes in candidates:
        if sizes.other is None:
            return draft(module, given, part, sizes), sizes.about
        try:
            serialise = draft(module, given, part, sizes)
            actual = load(serialise({}))(sizes.other)
        except Exception:  # exporters raise all kinds of errors for what they cannot export
            continue
        if _parity(_tuple(module(sizes.other)), actual, least, len(given), "").relative <= TOLERANCE:
            return serialise, sizes.about
    raise AssertionError("the last candidate has a fixed size")


def _metadata(run: TrainedRun, part: ExportedPart, score: ChosenScore, parity: Parity) -> dict[str, str]:
    model = run.model
    stored = {"caedsl": __version__, "model": model.name, "part": part.name, "spec": model.source.text}
    stored["input"] = text(model.input.shape)
    if part.scores:
        stored["score"] = str(score)
        stored["about"] = part.about
    return {**stored, "parity": json.dumps(asdict(parity))}


def _parity(
    expected: tuple[Tensor, ...], actual: tuple[Tensor, ...], smallest_scale: float, samples: int, measured_on: str
) -> Parity:
    pairs = [(a.detach().cpu().double(), b.detach().cpu().double()) for a, b in zip(expected, actual, strict=True)]
    differences = [float((a - b).abs().max()) if a.shape == b.shape else float("inf") for a, b in pairs]
    scale = [max(float(a.abs().max()), smallest_scale, 1e-12) for a, _ in pairs]
    relative = max(difference / size for difference, size in zip(differences, scale, strict=True))
    return Parity(samples, measured_on, max(differences), relative)


Serialise = Callable[[dict[str, str]], bytes]
"""Function that returns the content of a file with this metadata."""


Draft = Callable[[nn.Module, Tensor, ExportedPart, InputSizes], Serialise]


def _draft_onnx(module: nn.Module, given: Tensor, part: ExportedPart, sizes: InputSizes) -> Serialise:
    import onnx

    program = torch.onnx.export(
        module,
        (given,),
        input_names=list(part.inputs),
        output_names=list(part.outputs),
        dynamic_shapes=(sizes.dynamic,),
        dynamo=True,
        verbose=False,
    )
    assert program is not None, "with dynamo=True the exporter returns a program"
    proto = program.model_proto
    _name_axes(proto, program, sizes)
    onnx.checker.check_model(proto)

    def serialise(metadata: dict[str, str]) -> bytes:
        onnx.helper.set_model_props(proto, metadata)
        content: bytes = proto.SerializeToString()
        return content

    return serialise


def _name_axes(proto: "onnx.ModelProto", program: "torch.onnx.ONNXProgram", sizes: InputSizes) -> None:
    """Name the sizes of all axes by those of the input; the exporter leaves some of them as symbols such as ``s25``."""
    exported = program.exported_program
    assert exported is not None, "the exporter keeps the program that it translated"
    names = {}
    for node in exported.graph.nodes:
        if node.name in exported.graph_signature.user_inputs:
            for axis, size in sizes.dynamic.items():
                for symbol in re.findall(r"\bs\d+\b", str(node.meta["val"].shape[axis])):
                    names[symbol] = re.findall(r"[a-z_]+", size.__name__)[-1]
    for value in (*proto.graph.input, *proto.graph.output, *proto.graph.value_info):
        for axis in value.type.tensor_type.shape.dim:
            if axis.dim_param:
                axis.dim_param = re.sub(r"\bs\d+\b", lambda found: names.get(found[0], found[0]), axis.dim_param)


def _load_onnx(content: bytes) -> Compute:
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def compute(x: Tensor) -> tuple[Tensor, ...]:
        return tuple(torch.from_numpy(output) for output in session.run(None, {name: x.cpu().numpy()}))

    return compute


def _draft_program(module: nn.Module, given: Tensor, part: ExportedPart, sizes: InputSizes) -> Serialise:
    program = torch.export.export(module, (given,), dynamic_shapes=(sizes.dynamic,))

    def serialise(metadata: dict[str, str]) -> bytes:
        content = io.BytesIO()
        torch.export.save(program, content, extra_files={"caedsl.json": json.dumps(metadata, indent=2)})
        return content.getvalue()

    return serialise


def _load_program(content: bytes) -> Compute:
    module = torch.export.load(io.BytesIO(content)).module()
    return lambda x: _tuple(module(x))


_FORMATS: dict[str, tuple[Draft, Callable[[bytes], Compute]]] = {
    "onnx": (_draft_onnx, _load_onnx),
    "pt2": (_draft_program, _load_program),
}
FORMATS = tuple(_FORMATS)


def _tuple(outputs: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return outputs if isinstance(outputs, tuple) else (outputs,)


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the exporters' messages on the terminal."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def format_of(path: Path) -> str:
    """Return the format of the suffix of ``path``; raise ``ExportError`` if it names none."""
    found = path.suffix.lower().removeprefix(".")
    if found not in FORMATS:
        raise ExportError(f"{path} does not name a format: end it in {' or '.join(f'.{name}' for name in FORMATS)}")
    return found
