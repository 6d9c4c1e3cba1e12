"""``caedsl import``: imports a model of PyTorch, ONNX or Keras as a spec with the same weights."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caedsl.cli.outputs import Overwrite, is_standard_output, refuse_existing, say, write_new
from caedsl.diagnostics.text import printable

if TYPE_CHECKING:
    from caedsl.model.data import InputRange


def import_(
    model: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="A .keras, .h5, .onnx or .pt2 file, or FILE.py:NAME, which runs the Python file."
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="SPEC", help="The file for the spec; - is standard output.")
    ] = Path("-"),
    weights: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The file for the weights: NAME.safetensors.")
    ] = None,
    sample: Annotated[
        str | None,
        typer.Option(
            "--input",
            metavar="CxHxW",
            help="The shape of a sample, for FILE.py:NAME and for ONNX files without fixed sizes.",
        ),
    ] = None,
    values: Annotated[
        str | None,
        typer.Option(
            "--range",
            metavar="LO..HI",
            help="The range of the input's values, or real; default: as the file suggests, or 0..1.",
        ),
    ] = None,
    data: Annotated[
        str,
        typer.Option(metavar="SOURCE", help="The data of the spec, written as in a `data` line: mnist else digits."),
    ] = "",
    loss: Annotated[str, typer.Option(metavar="LOSS", help="The loss, written as in a `loss` line: bce.")] = "",
    optimizer: Annotated[
        str, typer.Option(metavar="OPTIMIZER", help="The optimizer, written as in an `optimizer` line: adam lr=1e-3.")
    ] = "",
    overwrite: Overwrite = False,
) -> None:
    """Import a trained or untrained model as a spec that builds the same network with the same weights.

    The outputs of both networks are compared on random samples before anything is written. If the language has no word
    for a layer, the error names the layer and the closest word, and nothing is written.
    """
    from caedsl.cli.exit_codes import COULD_NOT_RUN, FINDINGS
    from caedsl.cli.files import WriteError, write_text
    from caedsl.cli.specs import fail
    from caedsl.extras import require_for_model

    require_for_model(model)

    from caedsl.importing.errors import ImportFailure
    from caedsl.importing.imported import imported, weights_bytes
    from caedsl.importing.network import with_settings
    from caedsl.importing.opening import as_import_failures, network_at

    for place in (output, weights):
        if place is not None:
            refuse_existing(place, overwrite)
    try:
        with as_import_failures(model):
            network = network_at(model, shape_of(sample), range_of(values))
            imported_model = imported(with_settings(network, data=data, loss=loss, optimizer=optimizer))
    except ImportFailure as failure:
        raise fail(failure, code=FINDINGS if failure.was_read else COULD_NOT_RUN) from None
    for note in imported_model.notes:
        say(f"note: {note}", err=True)
    if weights is not None:
        write_new(weights, weights_bytes(imported_model.module), overwrite)
    printed = is_standard_output(output)
    if printed:
        typer.echo(imported_model.spec, nl=False)
    else:
        try:
            write_text(str(output), imported_model.spec)
        except WriteError as error:
            raise fail(error) from None
    written = " and ".join(str(place) for place in (*([] if printed else [output]), weights) if place is not None)
    compared = f"its outputs differ from the original's by at most {imported_model.difference:.2g} on 4 random samples"
    say(f"wrote {written}: {compared}" if written else f"note: {compared}", err=printed)


def shape_of(sample: str | None) -> tuple[int, ...] | None:
    """Return the shape in ``--input``, or None without one."""
    from caedsl.cli.specs import fail
    from caedsl.vocabulary.shape import shape_in

    shape = None if sample is None else shape_in(sample)
    if sample is not None and shape is None:
        raise fail(f"--input {printable(sample)}: write channels and sizes, such as 1x28x28, without the batch")
    return shape


def range_of(values: str | None) -> "InputRange | None":
    """Return the range in ``--range``, or None if the file contains it."""
    from caedsl.cli.specs import fail
    from caedsl.model.data import InputRange

    if values is None:
        return None
    if values == "real":
        return InputRange(None, None)
    number = r"-?\d+(\.\d+)?"
    found = re.fullmatch(rf"({number})\.\.({number})", values, re.ASCII)
    if found is None or float(found[1]) >= float(found[3]):
        raise fail(f"--range {printable(values)}: write two numbers such as 0..1 or -1..1, or real")
    return InputRange(float(found[1]), float(found[3]))
