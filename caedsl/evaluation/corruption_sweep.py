"""Evaluate a denoiser at several amounts of a corruption, compared with the filters and PCA."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from caedsl.diagnostics.json import finite
from caedsl.evaluation.evaluate import Evaluation, evaluate, predictor_of
from caedsl.evaluation.evaluated_run import evaluation_set
from caedsl.evaluation.metrics import Metrics
from caedsl.evaluation.reevaluation import finished_run
from caedsl.evaluation.schema import MODEL
from caedsl.model.settings import Amount
from caedsl.training.device import computing_with
from caedsl.training.reporter import Reporter
from caedsl.vocabulary.corruptions import CORRUPTIONS
from caedsl.vocabulary.shape import elements
from caedsl.vocabulary.spelling import written

AMOUNTS = 5
"""Default number of amounts."""
MOST_AMOUNTS = 50


class SweepError(ValueError):
    """Malformed sweep; the message says what to write."""


@dataclass(frozen=True)
class SweptRange:
    """Swept corruption, by name, and its amounts."""

    corruption: str
    amounts: tuple[float, ...]


@dataclass(frozen=True)
class CorruptionSweep:
    """Metrics by predictor for each amount of ``range``; ``trained`` is the amount in training, or its ends."""

    range: SweptRange
    trained: Amount
    evaluations: Sequence[Evaluation]

    def as_json(self) -> dict[str, Any]:
        """Return the content of ``sweep.json``."""
        rows = [
            {"amount": amount, "scores": {name: asdict(metrics) for name, metrics in evaluation.scores.items()}}
            for amount, evaluation in zip(self.range.amounts, self.evaluations, strict=True)
        ]
        first = self.evaluations[0]
        return {
            "corruption": self.range.corruption,
            "trained": self.trained,
            "evaluated_on": first.part,
            "images": first.images,
            "rows": rows,
        }


def read_range(text: str) -> SweptRange:
    """Read ``gaussian=0.1..0.5`` (five amounts) or ``gaussian=0.1..0.5/9``. Raise ``SweepError`` if it is malformed."""
    name, equals, rest = text.partition("=")
    example = "write gaussian=0.1..0.5, or gaussian=0.1..0.5/9 for nine amounts"
    if name not in CORRUPTIONS or not equals:
        raise SweepError(f"{text}: {example}; corruptions are {', '.join(CORRUPTIONS)}")
    ends, _, count = rest.partition("/")
    try:
        low, high = map(float, ends.split(".."))
        number = int(count) if count else AMOUNTS
    except ValueError:
        raise SweepError(f"{text}: {example}") from None
    domain = CORRUPTIONS[name].option.domain
    if not low < high or not all(domain.holds(end) for end in (low, high)):
        raise SweepError(
            f"{text}: write the amounts of {name} in ascending order{f', each {domain}' if str(domain) else ''}"
        )
    if not 2 <= number <= MOST_AMOUNTS:
        raise SweepError(f"{text}: sweep 2 to {MOST_AMOUNTS} amounts")
    return SweptRange(name, tuple(float(f"{amount:.6g}") for amount in np.linspace(low, high, number)))


def sweep(
    path: Path,
    range_: SweptRange,
    device: str,
    data_dir: Path | None,
    reporter: Reporter,
    data_root: Path | None = None,
) -> CorruptionSweep:
    """Evaluate the run in the folder ``path`` for each amount, with the noise of its evaluation scaled to it."""
    run, _ = finished_run(path, device, data_dir, reporter, data_root)
    eval_set = evaluation_set(run)
    module, code = predictor_of(run.module, eval_set.images), elements(run.model.code_shape)
    trained = run.settings.corrupt.amounts()
    evaluations = []
    for number, amount in enumerate(range_.amounts):
        eval_set.corrupt = replace(run.settings.corrupt, options={**trained, range_.corruption: amount})
        reporter.loading(f"{range_.corruption}={amount:g}", number, len(range_.amounts), "amounts")
        with computing_with(run.threads):
            evaluations.append(evaluate(module, eval_set, run.train, run.pixels, code, run.held_out[0]))
    reporter.end()
    return CorruptionSweep(range_, trained.get(range_.corruption, 0.0), evaluations)


def show(result: CorruptionSweep, reporter: Reporter) -> None:
    """Show the PSNR of every predictor for each amount, and the SSIM of the model."""
    names = [name for name in result.evaluations[-1].scores if name != MODEL]
    ssim = result.evaluations[0].model.ssim is not None
    headings = [result.range.corruption, MODEL, *names, *(["SSIM"] if ssim else [])]
    rows = []
    for amount, evaluation in zip(result.range.amounts, result.evaluations, strict=True):
        cells = [
            f"{evaluation.scores[name].psnr:.2f}" if name in evaluation.scores else "–" for name in (MODEL, *names)
        ]
        rows.append([f"{amount:g}", *cells, *([_ssim(evaluation.model)] if ssim else [])])
    reporter.table(headings, rows)
    first = result.evaluations[0]
    reporter.result(f"PSNR in dB, and the model's SSIM, on {first.images:,} {first.part} {first.noun}s")
    option = CORRUPTIONS[result.range.corruption].option
    trained = written(option, result.trained) if result.trained else f"no {option.name}"
    reporter.result(f"the model was trained with {trained}")


def _ssim(metrics: Metrics) -> str:
    return "–" if metrics.ssim is None else f"{metrics.ssim:.4f}"


def sweep_json(result: CorruptionSweep) -> bytes:
    """Return the content of ``sweep.json``."""
    return (json.dumps(finite(result.as_json()), indent=2) + "\n").encode()
