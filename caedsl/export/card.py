"""A folder to share: the spec, the weights, and a model card in the layout of the Hugging Face Hub."""

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from caedsl.console.model_table import input_text, totals
from caedsl.diagnostics.text import markdown, safe
from caedsl.facts.model_summary import summarise
from caedsl.inference.schema import CALIBRATION
from caedsl.inference.trained_run import TrainedRun
from caedsl.runs.confined import read_file
from caedsl.runs.file_names import BEST, METRICS, SPEC
from caedsl.runs.schema import RecordError, read_metrics
from caedsl.training.weights import largest_file
from caedsl.version import __version__
from caedsl.vocabulary.shape import noun

CARD = "README.md"


def shared_files(run: TrainedRun) -> dict[str, bytes]:
    """Return the files to share by name: spec, weights, model card, and if they exist the metrics and the threshold.

    Raise ``OSError`` if one cannot be read.
    """
    files = {
        SPEC: read_file(run.path, SPEC),
        BEST: read_file(run.path, BEST, largest_file(run.model).size),
        CARD: card(run).encode("utf-8", "backslashreplace"),
    }
    for name in (METRICS, CALIBRATION):
        with suppress(FileNotFoundError):
            files[name] = read_file(run.path, name)
    return files


def card(run: TrainedRun) -> str:
    """Return the model card: what the model is, how good it is, and how to use it."""
    model = run.model
    spec = safe(model.source.text.strip())
    code = dict(totals(summarise(model)))["code"]
    samples = f"{noun(model.input.shape)}s"
    fence = "`" * max([3, *(1 + len(ticks) for ticks in re.findall("`+", spec))])
    lines = [
        "---",
        "library_name: caedsl",
        "tags: [autoencoder, convolutional-autoencoder, feature-extraction]",
        "---",
        "",
        f"# {model.name}",
        "",
        f"A convolutional autoencoder: {input_text(model)}, with a code of {code}. Trained with caedsl {__version__}.",
        "",
        *_scores(run.path),
        "```python",
        "import caedsl",
        "",
        'run = caedsl.open("PATH/TO/THIS/FOLDER")',
        f"codes = run.encode({samples})",
        f"reconstructions = run.reconstruct({samples})",
        *([f"anomalous = run.predict({samples})"] if run.calibration is not None else []),
        "```",
        "",
        "The whole specification:",
        "",
        f"{fence}cae",
        spec,
        fence,
    ]
    return "\n".join(lines) + "\n"


def _scores(path: Path) -> list[str]:
    try:
        metrics: dict[str, Any] = read_metrics(path)
        scores = metrics["scores"].items()
        rows = [
            f"| {markdown(name)} | {score['mse']:.4g} | {score['psnr']:.2f} | {_ssim(score['ssim'])} |"
            for name, score in scores
        ]
    except (OSError, RecordError, KeyError, TypeError, ValueError, AttributeError):
        return []
    part = markdown(f"{metrics.get('images')} {metrics.get('evaluated_on')}")
    head = f"On {part} samples, values mapped to 0..1:"
    return [head, "", "| | MSE | PSNR dB | SSIM |", "| --- | --- | --- | --- |", *rows, ""]


def _ssim(value: float | None) -> str:
    """Return the SSIM as it is shown; signals and volumes have none."""
    return "–" if value is None else f"{value:.3f}"
