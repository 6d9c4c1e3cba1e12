"""Verdict on a run, in words."""

from collections.abc import Iterator
from typing import NamedTuple

from caedsl.diagnostics.text import counted
from caedsl.evaluation.evaluate import CORRUPTED, INPUT, MEAN
from caedsl.evaluation.filters import BLUR, MEDIAN
from caedsl.evaluation.schema import MODEL, AnomaliesRecord, MetricsRecord
from caedsl.inference.calibration import Calibration

GOOD, DOUBTFUL, BAD = "good", "doubtful", "bad"


class VerdictSentence(NamedTuple):
    """Sentence of a verdict, and its mood: good, doubtful or bad."""

    mood: str
    text: str


def verdicts(
    metrics: MetricsRecord, anomalies: AnomaliesRecord | None, calibration: Calibration | None, monitors: int, noun: str
) -> list[VerdictSentence]:
    """Return the verdict on a run of ``noun``s, the most important sentences first."""
    sentences = [
        *(_anomalies(anomalies) if anomalies is not None else ()),
        *_restored(metrics),
        _against_pca(metrics, noun),
    ]
    if anomalies is None and calibration is not None:
        sentences.append(
            VerdictSentence(
                GOOD,
                f"The threshold {calibration.threshold:.4g} rejects at most {100 * calibration.fpr:g} % of normal "
                f"samples on average, by {len(calibration.normals):,} that were held out.",
            )
        )
    if metrics.evaluated_on == "training":
        sentences.append(
            VerdictSentence(DOUBTFUL, "Nothing was held out: all numbers refer to the samples that it was trained on.")
        )
    if monitors:
        problems = counted(monitors, "problem")
        sentences.append(
            VerdictSentence(DOUBTFUL, f"Monitors reported {problems} during training: see the marks in the curves.")
        )
    ended = {"interrupted": "was interrupted", "trouble": "was stopped by a monitor"}.get(metrics.training.ended)
    if ended:
        sentences.append(
            VerdictSentence(DOUBTFUL, f"Training {ended} after {counted(metrics.training.epochs, 'epoch')}.")
        )
    return sentences


def _restored(metrics: MetricsRecord) -> Iterator[VerdictSentence]:
    """Yield what a denoiser gains over its input and over classical filters."""
    corrupted = metrics.scores.get(CORRUPTED) or metrics.scores.get(INPUT)
    model = metrics.scores[MODEL]
    if corrupted is not None and corrupted.psnr is not None and model.psnr is not None:
        gain = model.psnr - corrupted.psnr
        mood = GOOD if gain > 0 else BAD
        seen = "corrupted samples" if CORRUPTED in metrics.scores else "its inputs"
        how = f"{'raises' if gain > 0 else 'lowers'} the PSNR of {seen} by {abs(gain):.2f} dB, to {model.psnr:.2f} dB"
        yield VerdictSentence(mood, f"It {how}.")
    for name in (MEDIAN, BLUR):
        classical = metrics.scores.get(name)
        if classical is not None and classical.psnr is not None and model.psnr is not None:
            over = model.psnr - classical.psnr
            compared = "over" if over > 0 else "below"
            yield VerdictSentence(GOOD if over > 0 else DOUBTFUL, f"That is {abs(over):.2f} dB {compared} a {name}.")


def _against_pca(metrics: MetricsRecord, noun: str) -> VerdictSentence:
    model, mean = metrics.scores[MODEL].mse, metrics.scores.get(MEAN)
    name = f"PCA-{metrics.code_size}"
    pca = metrics.scores.get(name)
    if model is None:
        return VerdictSentence(BAD, "Its reconstructions are not finite numbers.")
    if mean is not None and mean.mse is not None and model >= mean.mse:
        return VerdictSentence(
            BAD, f"It is no better than the mean {noun}: it has learned nothing about single samples yet."
        )
    of = f"{counted(metrics.images, f'{metrics.evaluated_on} sample')}"
    if pca is None or not pca.mse:
        return VerdictSentence(
            DOUBTFUL, f"Its mean squared error on {of} is {model:.4g}; there is no PCA to compare with."
        )
    if model >= pca.mse:
        return VerdictSentence(
            DOUBTFUL,
            f"{name}, a linear map to as many numbers, reconstructs better: its error on {of} is {pca.mse / model:.0%} "
            "of the model's. Train longer, or change the model: a deep model is only worth its cost if it beats PCA.",
        )
    return VerdictSentence(
        GOOD,
        f"It reconstructs {of} better than {name}, a linear map to as many numbers: {model / pca.mse:.0%} of its "
        "error.",
    )


def _anomalies(anomalies: AnomaliesRecord) -> list[VerdictSentence]:
    name, model = MODEL, anomalies.detectors.get(MODEL)
    if model is None:
        return []
    lines = []
    if model.threshold is not None and model.found is not None and model.rejected is not None:
        share, wrong = model.found / max(1, anomalies.anomalies), model.rejected / max(1, anomalies.normals)
        mood = GOOD if share >= 0.8 and wrong <= 2 * model.threshold.fpr else DOUBTFUL if share >= 0.2 else BAD
        lines.append(
            VerdictSentence(
                mood,
                f"At its threshold it finds {model.found:,} of "
                f"{counted(anomalies.anomalies, 'anomaly', 'anomalies')} and rejects {model.rejected:,} of "
                f"{counted(anomalies.normals, 'normal sample')} (score {anomalies.score}).",
            )
        )
    others = [(name, other.auroc.value) for name, other in anomalies.detectors.items() if name != MODEL]
    text = f"It separates anomalies from normal samples with an AUROC of {model.auroc.value:.3f}"
    by_chance = model.auroc.low <= 0.5
    if by_chance:
        text = f"{text}, which may be chance (95 % interval {model.auroc.low:.3f} to {model.auroc.high:.3f})"
    if not others:
        lines.append(VerdictSentence(BAD if by_chance else GOOD, f"{text}."))
        return lines
    ((name, value),) = others[:1]
    mood = BAD if by_chance else GOOD if model.auroc.low > value else DOUBTFUL
    within = ", within its 95 % interval" if not by_chance and model.auroc.low <= value <= model.auroc.high else ""
    lines.append(VerdictSentence(mood, f"{text}; {name}, a linear map to as many numbers, has {value:.3f}{within}."))
    return lines
