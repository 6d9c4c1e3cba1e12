"""``caedsl emit``: writes the model as Python source."""

from pathlib import Path
from typing import Annotated

import typer

from caedsl.cli.completion import SpecPath
from caedsl.cli.outputs import is_standard_output, say
from caedsl.cli.specs import VariantOption


def emit(
    spec: SpecPath,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="The output file; - is standard output.")
    ] = Path("-"),
    training: Annotated[bool, typer.Option("--training", help="Add a short training loop.")] = False,
    variant: VariantOption = None,
) -> None:
    """Write the model as a readable Python file that needs only PyTorch."""
    from caedsl.backends.torch.render import emit as emit_source
    from caedsl.cli.files import WriteError, write_text
    from caedsl.cli.specs import fail, read_unswept

    model = read_unswept(spec, variant=variant)
    if training and model.train is None:
        raise fail(
            f"{spec} has no `train` block, so there is no training loop to write: remove --training, or add a `train` "
            f"block"
        )
    source = emit_source(model, training)
    if is_standard_output(output):
        typer.echo(source, nl=False)
        return
    try:
        write_text(str(output), source)
    except WriteError as error:
        raise fail(error) from None
    say(f"wrote {output}")
