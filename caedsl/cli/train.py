"""``caedsl train``: trains the model of a spec into a run folder."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from caedsl.cli.completion import complete_specs
from caedsl.cli.device import Device
from caedsl.cli.environment_errors import outside_errors
from caedsl.cli.outputs import is_standard_output
from caedsl.cli.process_group import together
from caedsl.cli.specs import VariantOption
from caedsl.machine.cores import choose_wait_policy

if TYPE_CHECKING:
    from caedsl.model.autoencoder import Autoencoder
    from caedsl.training.reporter import Reporter


class OnTrouble(StrEnum):
    """Reaction to a monitor that reports a problem."""

    WARN = "warn"
    STOP = "stop"


@together()
def train(
    spec: Annotated[
        str | None,
        typer.Argument(metavar="SPEC", help="The spec; not needed with --resume.", autocompletion=complete_specs),
    ] = None,
    device: Annotated[Device, typer.Option(help="The device; auto uses a GPU if there is one.")] = Device.AUTO,
    epochs: Annotated[
        int | None, typer.Option(min=1, max=10**9, metavar="N", help="The number of epochs, instead of the spec's.")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=2**31 - 1, metavar="N", help="The seed of all random numbers, instead of the spec's."),
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(
            metavar="RANGE", help="Train one run for each of these seeds: 0..4; with --out DIR, into DIR/seed-0, …"
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Change a setting: train.batch=64, train.optimizer.lr=1e-4."),
    ] = None,
    variant: VariantOption = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The run folder; default: a new folder below runs/.")
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The folder of datasets; default: CAEDSL_DATA, or the user's cache."),
    ] = None,
    data_root: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Reject paths in the spec or the run that lead out of this folder."),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="Start from the weights of this run, or of a safetensors file."),
    ] = None,
    on_trouble: Annotated[
        OnTrouble | None,
        typer.Option(help="What a monitor's report does, instead of the spec's `on trouble`: warn, or stop the run."),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="Resume the run in this folder from its last saved state."),
    ] = None,
    pictures: Annotated[bool, typer.Option(help="Draw reconstructions of the same images after each epoch.")] = True,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Also write TensorBoard files; needs the extra caedsl[tensorboard].")
    ] = False,
    baselines: Annotated[bool, typer.Option(help="Compare the result with the mean image and PCA.")] = True,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print only errors.")] = False,
) -> None:
    """Train a model, compare it with the mean image and PCA, and save everything in a run folder.

    To train one model in several processes or on several GPUs, with the same result: torchrun --nproc-per-node N
    --no-python caedsl train …
    """
    from caedsl.cli.specs import fail

    if resume is not None:
        changes = {
            "SPEC": spec,
            "--set": set_,
            "--variant": variant is not None,
            "--out": out,
            "--seed": seed is not None,
            "--seeds": seeds,
            "--weights": weights,
            "--no-pictures": not pictures,
        }
        _refuse_changes([name for name, given in changes.items() if given])
        _resume(resume, epochs, on_trouble, device, data_dir, data_root, tensorboard, baselines, quiet)
        return
    if spec is None:
        raise fail("name the spec to train, as in `caedsl train digits.cae`, or the run to resume: --resume RUN")
    assignments = list(set_ or ())
    if epochs is not None:
        assignments.append(f"train.epochs={epochs}")
    if on_trouble is not None:
        assignments.append(f"train.on=trouble {on_trouble.value}")
    trained: list[str] = []
    for number, folder in _runs_to_train(seed, seeds, out):
        chosen = [*assignments, *([] if number is None else [f"train.seed={number}"])]
        model = _trainable(spec, chosen, quiet or bool(trained), variant)
        reporter = _reporter(quiet)
        from caedsl.evaluation.evaluated_run import train_and_evaluate
        from caedsl.syntax.formatter import format_source

        text, _ = format_source(model.source)
        with outside_errors():
            evaluated = train_and_evaluate(
                model,
                spec_text=text or model.source.text,
                device=device.value,
                out=folder,
                data_dir=data_dir,
                data_root=data_root,
                weights=weights,
                pictures=pictures,
                tensorboard=tensorboard,
                baselines=baselines,
                reporter=reporter,
            )
        trained.append(evaluated.run.history.ended)
        if trained[-1] == "interrupted":
            break
    for ended in trained:
        _exit_if_not_finished(ended)


def _trainable(spec: str, assignments: list[str], quiet: bool, variant: int | None) -> "Autoencoder":
    """Return the model of a spec that has all that training needs."""
    from caedsl.cli.specs import fail, read_model, refuse_sweep

    model = read_model(spec, assignments, quiet, variant)
    if model.sweep is not None:
        raise refuse_sweep(spec, model.sweep)
    if model.train is None:
        raise fail(f"{spec} has no `train` block: add one, such as `train {{ loss mse; epochs 20 }}`")
    if not model.data:
        raise fail(f'{spec} has no `data` line: add one, such as `data digits` or `data folder "photos/"`')
    return model


def _reporter(quiet: bool) -> "Reporter":
    """Return the reporter of a run; choose how threads wait before PyTorch is imported, and say so."""
    wait_policy = choose_wait_policy()
    from caedsl.console.progress import make_reporter

    reporter = make_reporter(quiet)
    if wait_policy is not None:
        reporter.note(wait_policy)
    return reporter


def _runs_to_train(seed: int | None, seeds: str | None, out: Path | None) -> list[tuple[int | None, Path | None]]:
    """Return the seed and the folder of each run; None stands for the spec's seed, and for a new folder."""
    from caedsl.cli.seeds import SeedError, read_seeds
    from caedsl.cli.specs import fail

    if is_standard_output(out):
        raise fail("--out - is standard output, but a run is a folder: name a folder")
    if seeds is None:
        return [(seed, out)]
    if seed is not None:
        raise fail("--seed trains one run and --seeds several: remove one of them")
    try:
        numbers = read_seeds(seeds)
    except SeedError as error:
        raise fail(f"--seeds: {error}") from None
    runs: list[tuple[int | None, Path | None]] = [
        (number, None if out is None else out / f"seed-{number}") for number in numbers
    ]
    for _, folder in runs:
        # Checked before the first run has trained for hours.
        if folder is not None and folder.is_dir() and any(folder.iterdir()):
            raise fail(f"the run folder {folder} is not empty: choose another --out, or remove its seed")
    return runs


def _resume(
    folder: Path,
    epochs: int | None,
    on_trouble: OnTrouble | None,
    device: Device,
    data_dir: Path | None,
    data_root: Path | None,
    tensorboard: bool,
    baselines: bool,
    quiet: bool,
) -> None:
    reporter = _reporter(quiet)
    from caedsl.evaluation.evaluated_run import resume_and_evaluate

    with outside_errors():
        evaluated = resume_and_evaluate(
            folder,
            epochs=epochs,
            on_trouble=on_trouble,
            device=device.value,
            data_dir=data_dir,
            data_root=data_root,
            tensorboard=tensorboard,
            baselines=baselines,
            reporter=reporter,
        )
    _exit_if_not_finished(evaluated.run.history.ended)


def _refuse_changes(names: list[str]) -> None:
    from caedsl.cli.specs import fail

    if names:
        raise fail(
            f"--resume uses the spec and settings in the run folder: remove {', '.join(names)} (only --epochs, "
            "--on-trouble, --device, --data-dir, --data-root, --tensorboard, --no-baselines and --quiet can be added), "
            "or start a new run without --resume"
        )


def _exit_if_not_finished(ended: str) -> None:
    from caedsl.cli.exit_codes import FINDINGS, INTERRUPTED

    if ended == "interrupted":
        raise typer.Exit(INTERRUPTED)
    if ended == "trouble":
        raise typer.Exit(FINDINGS)
